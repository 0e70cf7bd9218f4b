"""Measure how time and memory grow with the number of utterances, dimensions, tasks, extractors and workers.

python benchmarks/scale [--largest 100000] [--work DIR] [--only utterances,dimensions,tasks,extractors,workers]

The script writes docs/scale/scale.json and its plots. The largest corpus takes 4 GB of disk and half an hour.
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
SVC_UP_TO = 10_000  # utterances; the kernel matrix of SVC grows with their square: see docs/scale/index.md
DIMENSIONS = [100, 300, 1000, 3000, 10_000]
COUNTS = [1, 2, 4, 8]


class Studies:
    """The studies of this script. Each method measures one study and adds its points to `points`."""

    def __init__(self, work: Path) -> None:
        self.work, self.home, self.site = work, work / "home", work / "site"
        self.points: list[dict] = []

    def prepared(self, name: str, utterances: int, seed: int = 0) -> Measured:
        manifest = write_corpus(self.work / "audio" / name, utterances, seed)
        return serab("data", "add", name, str(manifest), home=self.home, site=self.site)

    def eval(self, *arguments: str) -> Measured:
        return serab("eval", *arguments, home=self.home, site=self.site)

    def warm(self) -> None:
        """Compile the kernels, which happens once on a machine."""
        self.prepared("voices-100", 100)
        self.eval("mfcc-stats", "--tasks", "voices-100")

    def clear(self, *folders: str) -> None:
        """Delete folders of the home, so that the next command computes their contents again."""
        for folder in folders:
            shutil.rmtree(self.home / folder, ignore_errors=True)

    def add_point(self, study: str, series: str, x: int, measured: Measured) -> None:
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
            self.add_point("utterances", "prepare", count, self.prepared(task, count))
            arguments = ("mfcc-stats", "--tasks", task, "--jobs", "1", "--profile")
            self.add_point("utterances", "embed + lda", count, self.eval(*arguments, "--classifiers", "lda"))
            for name in (*FAST[1:], *(["svc"] if count <= SVC_UP_TO else [])):
                self.add_point("utterances", name, count, self.eval(*arguments, "--classifiers", name))
            warm = self.eval("mfcc-stats", "--tasks", task, "--classifiers", ",".join(FAST), "--jobs", "1")
            self.add_point("utterances", "reused", count, warm)

    def dimensions(self) -> None:
        self.prepared("voices-1000", 1000)
        for dim in DIMENSIONS:
            for name in (*FAST, "svc"):
                arguments = (f"wide/{dim}", "--tasks", "voices-1000", "--jobs", "1", "--profile", "--classifiers", name)
                self.add_point("dimensions", name, dim, self.eval(*arguments))

    def tasks(self) -> None:
        names = [f"part-{number}" for number in range(COUNTS[-1])]
        for number, name in enumerate(names):
            self.prepared(name, 300, seed=number + 1)
        for count in COUNTS:
            self.clear("embeddings", "studies", "results")
            self.add_point("tasks", "all", count, self.eval("mfcc-stats", "--tasks", ",".join(names[:count])))

    def extractors(self) -> None:
        self.prepared("part-0", 300, seed=1)
        names = ["wide/100", *(f"wide/100-{copy}" for copy in range(1, COUNTS[-1]))]
        for count in COUNTS:
            self.clear("embeddings", "studies", "results")
            self.add_point("extractors", "all", count, self.eval(*names[:count], "--tasks", "part-0"))

    def workers(self) -> None:
        """Measure a sweep of three extractors and two tasks, with serab's worker processes and with Dask workers."""
        tasks = ("sweep-a", "sweep-b")
        for seed, task in enumerate(tasks):
            self.prepared(task, 2000, seed=seed + 1)
        arguments = ("mfcc-stats", "logmel-stats", "wide/1000", "--tasks", ",".join(tasks))
        for count in (1, 2):
            self.clear("embeddings", "studies", "results")
            self.add_point("workers", "processes", count, self.eval(*arguments, "--jobs", str(count)))
            self.clear("embeddings", "studies", "results")
            with dask_workers(count, self.site) as address:
                self.add_point("workers", "dask", count, self.eval(*arguments, "--engine", f"dask://{address}"))


def save(file: Path, new: list[dict]) -> None:
    """Write new points. They replace the stored points of the same studies."""
    known = json.loads(file.read_text())["points"] if file.exists() else []
    new_studies = {point["study"] for point in new}
    points = [point for point in known if point["study"] not in new_studies] + new
    document = {"python": platform.python_version(), "date": f"{datetime.now(UTC):%Y-%m-%d}", "points": points}
    file.write_text(json.dumps(document, indent=1) + "\n")


def exponents(points: list[dict]) -> None:
    """Print, for each series, the exponent by which time and memory grow between its last two points."""
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
    """Run the studies that the command line names, and draw the plots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", default="utterances,dimensions,tasks,extractors,workers")
    parser.add_argument("--plots-only", action="store_true")
    options = parser.parse_args()
    file = OUT / "scale.json"
    if not options.plots_only:
        work = options.work or Path(tempfile.mkdtemp(prefix="serab-scale-"))
        studies = Studies(work)
        install_wide(studies.site, DIMENSIONS, COUNTS[-1])
        studies.warm()
        OUT.mkdir(parents=True, exist_ok=True)
        for name in options.only.split(","):
            shutil.rmtree(studies.home, ignore_errors=True)
            getattr(studies, name)(*((options.largest,) if name == "utterances" else ()))
            save(file, studies.points)
        if options.work is None:
            shutil.rmtree(work)
    points = json.loads(file.read_text())["points"]
    exponents(points)
    from plots import draw

    draw(points, OUT)


if __name__ == "__main__":
    main()
