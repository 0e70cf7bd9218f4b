"""How time and memory grow with utterances, dimensions, tasks, extractors and workers.

python benchmarks/scale [--largest 100000] [--work DIR] [--only utterances,dimensions,tasks,extractors,workers]

Writes docs/scale/scale.json and its plots. The largest corpus takes 4 GB of disk and half an hour.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from itertools import pairwise
from math import log
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cluster import dask_workers
from corpus import install_wide, write_corpus
from measure import Measured, serab

OUT = Path(__file__).parents[2] / "docs" / "scale"
FAST = ("lda", "lr", "qda", "rf")
SVC_UP_TO = 10_000
"""Its matrix of inner products grows with the square: explained in docs/scale/index.md."""
DIMENSIONS = [100, 300, 1000, 3000, 10_000]
COUNTS = [1, 2, 4, 8]


class Studies:
    """The studies, each a list of points."""

    def __init__(self, work: Path) -> None:
        self.work, self.home, self.site = work, work / "home", work / "site"
        self.points: list[dict] = []

    def prepared(self, name: str, utterances: int, seed: int = 0) -> Measured:
        manifest = write_corpus(self.work / "audio" / name, utterances, seed)
        return serab("data", "add", name, str(manifest), home=self.home, site=self.site)

    def eval(self, *arguments: str) -> Measured:
        return serab("eval", *arguments, home=self.home, site=self.site)

    def warm(self) -> None:
        """Compiles kernels, which is done once on a machine."""
        self.prepared("voices-100", 100)
        self.eval("mfcc-stats", "--tasks", "voices-100")

    def forget(self, *rooms: str) -> None:
        """Clears rooms of the home, so that work is done again."""
        for room in rooms:
            shutil.rmtree(self.home / room, ignore_errors=True)

    def keep(self, study: str, series: str, x: int, measured: Measured) -> None:
        point = {
            "study": study,
            "series": series,
            "x": x,
            "seconds": round(measured.seconds, 3),
            "peak_bytes": measured.peak_bytes,
            "stages": {name: round(seconds, 3) for name, seconds in measured.stages.items()},
        }
        self.points.append(point)
        print(f"{study:12s} {series:12s} {x:>7d}  {measured.seconds:9.2f} s  {measured.peak_bytes / 1e6:7.0f} MB")

    def utterances(self, largest: int) -> None:
        for exponent in range(2, 8):
            count = 10**exponent
            if count > largest:
                break
            task = f"voices-{count}"
            self.keep("utterances", "prepare", count, self.prepared(task, count))
            arguments = ("mfcc-stats", "--tasks", task, "--jobs", "1", "--profile")
            self.keep("utterances", "embed + lda", count, self.eval(*arguments, "--classifiers", "lda"))
            for name in (*FAST[1:], *(["svc"] if count <= SVC_UP_TO else [])):
                self.keep("utterances", name, count, self.eval(*arguments, "--classifiers", name))
            warm = self.eval("mfcc-stats", "--tasks", task, "--classifiers", ",".join(FAST), "--jobs", "1")
            self.keep("utterances", "reused", count, warm)

    def dimensions(self) -> None:
        self.prepared("voices-1000", 1000)
        for dim in DIMENSIONS:
            for name in (*FAST, "svc"):
                arguments = (f"wide/{dim}", "--tasks", "voices-1000", "--jobs", "1", "--profile", "--classifiers", name)
                self.keep("dimensions", name, dim, self.eval(*arguments))

    def tasks(self) -> None:
        names = [f"part-{number}" for number in range(COUNTS[-1])]
        for number, name in enumerate(names):
            self.prepared(name, 300, seed=number + 1)
        for count in COUNTS:
            self.forget("embeddings", "studies", "results")
            self.keep("tasks", "all", count, self.eval("mfcc-stats", "--tasks", ",".join(names[:count])))

    def extractors(self) -> None:
        self.prepared("part-0", 300, seed=1)
        names = ["wide/100", *(f"wide/100-{copy}" for copy in range(1, COUNTS[-1]))]
        for count in COUNTS:
            self.forget("embeddings", "studies", "results")
            self.keep("extractors", "all", count, self.eval(*names[:count], "--tasks", "part-0"))

    def workers(self) -> None:
        """A sweep of three extractors and two tasks, by processes of serab's own and by Dask's workers."""
        tasks = ("sweep-a", "sweep-b")
        for seed, task in enumerate(tasks):
            self.prepared(task, 2000, seed=seed + 1)
        arguments = ("mfcc-stats", "logmel-stats", "wide/1000", "--tasks", ",".join(tasks))
        for count in (1, 2):
            self.forget("embeddings", "studies", "results")
            self.keep("workers", "processes", count, self.eval(*arguments, "--jobs", str(count)))
            self.forget("embeddings", "studies", "results")
            with dask_workers(count, self.site) as address:
                self.keep("workers", "dask", count, self.eval(*arguments, "--engine", f"dask://{address}"))


def save(file: Path, new: list[dict]) -> None:
    """Writes new points in place of those of the same studies."""
    known = json.loads(file.read_text())["points"] if file.exists() else []
    new_studies = {point["study"] for point in new}
    points = [point for point in known if point["study"] not in new_studies] + new
    document = {"python": platform.python_version(), "date": f"{datetime.now(UTC):%Y-%m-%d}", "points": points}
    file.write_text(json.dumps(document, indent=1) + "\n")


def exponents(points: list[dict]) -> None:
    """Prints, for each series, how time and memory grow between its last two points: x to the power of what."""
    series: dict[tuple[str, str], list[dict]] = {}
    for point in points:
        series.setdefault((point["study"], point["series"]), []).append(point)
    for (study, name), series_points in series.items():
        if len(series_points) > 1:
            before, last = list(pairwise(series_points))[-1]
            step = log(last["x"] / before["x"])
            powers = [log(last[quantity] / before[quantity]) / step for quantity in ("seconds", "peak_bytes")]
            print(f"{study:12s} {name:12s} time ~ x^{powers[0]:.2f}, memory ~ x^{powers[1]:.2f} at the last step")


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", default="utterances,dimensions,tasks,extractors,workers")
    parser.add_argument("--plots-only", action="store_true")
    asked = parser.parse_args()
    file = OUT / "scale.json"
    if not asked.plots_only:
        work = asked.work or Path(tempfile.mkdtemp(prefix="serab-scale-"))
        studies = Studies(work)
        install_wide(studies.site, DIMENSIONS, COUNTS[-1])
        studies.warm()
        OUT.mkdir(parents=True, exist_ok=True)
        for name in asked.only.split(","):
            shutil.rmtree(studies.home, ignore_errors=True)
            getattr(studies, name)(*((asked.largest,) if name == "utterances" else ()))
            save(file, studies.points)
        if asked.work is None:
            shutil.rmtree(work)
    points = json.loads(file.read_text())["points"]
    exponents(points)
    from plots import draw

    draw(points, OUT)


if __name__ == "__main__":
    main()
