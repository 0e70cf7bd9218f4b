"""Compare the speed of parts of serab, relative to peers, with stored ratios; fail where a part became slower.

python benchmarks/watch [NAME ...] [--update] [--lenient] [--stored FILE]

A part fails if its ratio to the peer exceeds the stored ratio by more than 25 % in three of three processes. If the
samples spread too widely for a verdict, the part is reported as unclear and does not fail. benchmarks/watch/ratios.json
stores the ratios by processor and vector extension. Ratios of another processor are shown, but not compared.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from llvmlite.binding import get_host_cpu_features, get_host_cpu_name
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parent))
from contests import CONTESTS, Contest

from serab_core.bench.measure import machine
from serab_core.bench.sampling import TURNS, Sampler, Samples

STORED = Path(__file__).with_name("ratios.json")
SLOWER = 1.25  # factor on the stored ratio above which a part counts as slower
RUNS = 3  # processes that must agree that a part became slower
BUDGET_S = 1.5  # seconds of sampling for each part


@dataclass(frozen=True)
class Reading:
    """The ratio of a contest in one run.

    Attributes:
        ratio: time of serab divided by time of the peer.
        spread: interquartile range of the samples, divided by their median.
    """

    ratio: float
    spread: float

    @classmethod
    def of(cls, samples: Samples) -> Reading:
        return cls(samples.ratio, samples.spread)


def read(contest: Contest) -> Reading:
    """Measure a contest once, on one thread."""
    ours, peer = contest.make()

    ours(), peer()
    with threadpool_limits(1):
        sampler = Sampler(ours, peer)
        for _ in range(TURNS):
            sampler.turn(BUDGET_S / TURNS)
    return Reading.of(sampler.samples)


def read_afresh(contest: Contest) -> Reading:
    """Measure a contest in a new process: the placement of arrays in memory may change the speed by a quarter."""
    command = [sys.executable, __file__, contest.name, "--read"]
    document = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Reading(document["ratio"], document["spread"])


def vectors() -> str:
    """Return the widest vector extension in use; a virtual machine may hide extensions of its processor."""
    features = get_host_cpu_features()
    return next((name for name in ("avx512f", "avx2", "avx", "sve", "neon") if features.get(name)), "no vectors")


def judge(contest: Contest, before: float | None) -> tuple[str, list[Reading]]:
    """Return `same`, `slower`, `unclear` or `new`, and the readings that the verdict rests on."""
    readings = [read(contest)]
    if before is None:
        return "new", readings
    while readings[-1].ratio > SLOWER * before and len(readings) < RUNS:
        readings.append(read_afresh(contest))
    if readings[-1].ratio <= SLOWER * before:
        return "same", readings
    steady = all(reading.ratio / (1 + reading.spread) > before for reading in readings)
    return ("slower" if steady else "unclear"), readings


def row(name: str, stored: float | None, readings: list[Reading], verdict: str) -> str:
    """Return a line of the table."""
    best = min(readings, key=lambda reading: reading.ratio)
    known = (
        f"{stored:9.3g}{best.ratio:9.3g}{best.ratio / stored:8.2f}" if stored else f"{'-':>9}{best.ratio:9.3g}{'':8}"
    )
    return f"{name:14}{known}{100 * best.spread:6.0f} %  {verdict}"


def store(path: Path, stored: dict[str, dict[str, float]], processor: str, contests: list[Contest]) -> None:
    """Measure each contest in three processes, and store the median ratios."""
    for contest in contests:
        readings = [read_afresh(contest) for _ in range(RUNS)]
        ratio = float(np.median([reading.ratio for reading in readings]))
        stored.setdefault(processor, {})[contest.name] = round(ratio, 4)
        print(row(contest.name, ratio, readings, "stored"), flush=True)
    path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")


def watch(ratios: dict[str, float], other_ratios: list[dict[str, float]], contests: list[Contest]) -> list[str]:
    """Judge each contest, and return the names of those that became slower."""
    texts = {
        "same": "",
        "new": "not compared: no ratio is stored for this processor",
        "slower": f"SLOWER in {RUNS} of {RUNS} runs",
        "unclear": "unclear: the samples spread too widely",
    }
    slower = []
    for contest in contests:
        verdict, readings = judge(contest, ratios.get(contest.name))
        shown = next((known[contest.name] for known in [ratios, *other_ratios] if contest.name in known), None)
        print(row(contest.name, shown, readings, texts[verdict]), flush=True)
        if verdict == "slower":
            slower.append(contest.name)
    return slower


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison and return its exit code: 1 where a part became slower."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(contest.name for contest in CONTESTS))
    parser.add_argument("--update", action="store_true", help="store the measured ratios")
    parser.add_argument("--lenient", action="store_true", help="exit with 0 even where a part became slower")
    parser.add_argument("--read", action="store_true", help="measure one contest, and print it as JSON")
    parser.add_argument("--stored", type=Path, default=STORED)
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - {contest.name for contest in CONTESTS}:
        parser.error(f"unknown contest: {', '.join(sorted(unknown))}")
    contests = [contest for contest in CONTESTS if contest.name in options.names or not options.names]
    if options.read:
        (contest,) = contests
        print(json.dumps(asdict(read(contest))))
        return 0
    processor = f"{machine()['processor']} ({get_host_cpu_name()}, {vectors()}), {platform.system()}"
    stored = json.loads(options.stored.read_text()) if options.stored.exists() else {}
    ratios = stored.get(processor, {})
    print(f"time of serab over time of the peer, on one thread; {processor}\n")
    print(f"{'':14}{'stored':>9}{'now':>9}{'factor':>8}{'spread':>8}")
    if options.update:
        store(options.stored, stored, processor, contests)
        return 0
    slower = watch(ratios, [other for name, other in stored.items() if name != processor], contests)
    if slower:
        print(f"\nover {100 * (SLOWER - 1):.0f} % slower than stored: {', '.join(slower)}")
    return 1 if slower and not options.lenient else 0


if __name__ == "__main__":
    sys.exit(main())
