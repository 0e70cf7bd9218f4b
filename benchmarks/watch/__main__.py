"""Compares what serab's parts cost, beside peers, with what they did cost; fails where one became slower.

python benchmarks/watch [NAME ...] [--update] [--lenient] [--stored FILE]

A part that is over 25 % slower than stored, in relation to its peer, in three of three processes, fails. One whose
samples spread too wide to tell is said so, and does not. Ratios are stored by processor, and by which vectors it
lets have, in benchmarks/watch/ratios.json: those of another one are shown and judge nothing.
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
WORSE = 1.25
RUNS = 3
BUDGET_S = 1.5


@dataclass(frozen=True)
class Reading:
    """A contest's ratio in one run.

    Attributes:
        spread: how far the middle half of the samples reaches, as a share of their median.
    """

    ratio: float
    spread: float

    @classmethod
    def of(cls, samples: Samples) -> Reading:
        return cls(samples.ratio, samples.spread)


def read(contest: Contest) -> Reading:
    """Measures a contest once, on one thread."""
    ours, peer = contest.make()

    ours(), peer()
    with threadpool_limits(1):
        sampler = Sampler(ours, peer)
        for _ in range(TURNS):
            sampler.turn(BUDGET_S / TURNS)
    return Reading.of(sampler.samples)


def read_afresh(contest: Contest) -> Reading:
    """The same in a process of its own: where its arrays come to lie may cost one process a quarter of its speed."""
    command = [sys.executable, __file__, contest.name, "--read"]
    document = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Reading(document["ratio"], document["spread"])


def vectors() -> str:
    """The widest of the vector extensions: a virtual machine may hide those that its processor has."""
    there = get_host_cpu_features()
    return next((name for name in ("avx512f", "avx2", "avx", "sve", "neon") if there.get(name)), "no vectors")


def judge(contest: Contest, before: float | None) -> tuple[str, list[Reading]]:
    """`same`, `slower`, `unclear` or `new`, and the readings that say so."""
    readings = [read(contest)]
    if before is None:
        return "new", readings
    while readings[-1].ratio > WORSE * before and len(readings) < RUNS:
        readings.append(read_afresh(contest))
    if readings[-1].ratio <= WORSE * before:
        return "same", readings
    steady = all(reading.ratio / (1 + reading.spread) > before for reading in readings)
    return ("slower" if steady else "unclear"), readings


def row(name: str, stored: float | None, readings: list[Reading], verdict: str) -> str:
    """A line of the table."""
    best = min(readings, key=lambda reading: reading.ratio)
    known = (
        f"{stored:9.3g}{best.ratio:9.3g}{best.ratio / stored:8.2f}" if stored else f"{'-':>9}{best.ratio:9.3g}{'':8}"
    )
    return f"{name:14}{known}{100 * best.spread:6.0f} %  {verdict}"


def store(path: Path, stored: dict[str, dict[str, float]], processor: str, contests: list[Contest]) -> None:
    """Measures each in three processes and stores the medians."""
    for contest in contests:
        readings = [read_afresh(contest) for _ in range(RUNS)]
        ratio = float(np.median([reading.ratio for reading in readings]))
        stored.setdefault(processor, {})[contest.name] = round(ratio, 4)
        print(row(contest.name, ratio, readings, "stored"), flush=True)
    path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n")


def watch(ratios: dict[str, float], other_ratios: list[dict[str, float]], contests: list[Contest]) -> list[str]:
    """Judges each, and returns the names of those that became slower."""
    texts = {
        "same": "",
        "new": "not judged: this processor has none stored",
        "slower": f"SLOWER in {RUNS} of {RUNS} runs",
        "unclear": "samples spread too wide to tell",
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
    """Runs the watch; 1 where something became slower."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(contest.name for contest in CONTESTS))
    parser.add_argument("--update", action="store_true", help="store what is measured now")
    parser.add_argument("--lenient", action="store_true", help="end with 0, whatever is found")
    parser.add_argument("--read", action="store_true", help="measure one, and print it as JSON")
    parser.add_argument("--stored", type=Path, default=STORED)
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - {contest.name for contest in CONTESTS}:
        parser.error(f"nothing is called {', '.join(sorted(unknown))}")
    contests = [contest for contest in CONTESTS if contest.name in asked.names or not asked.names]
    if asked.read:
        (contest,) = contests
        print(json.dumps(asdict(read(contest))))
        return 0
    processor = f"{machine()['processor']} ({get_host_cpu_name()}, {vectors()}), {platform.system()}"
    stored = json.loads(asked.stored.read_text()) if asked.stored.exists() else {}
    ratios = stored.get(processor, {})
    print(
        f"ours over the peer's, on one thread; {processor}\n\n{'':14}{'stored':>9}{'now':>9}{'factor':>8}{'spread':>8}"
    )
    if asked.update:
        store(asked.stored, stored, processor, contests)
        return 0
    slower = watch(ratios, [other for name, other in stored.items() if name != processor], contests)
    if slower:
        print(f"\nover {100 * (WORSE - 1):.0f} % slower than they were: {', '.join(slower)}")
    return 1 if slower and not asked.lenient else 0


if __name__ == "__main__":
    sys.exit(main())
