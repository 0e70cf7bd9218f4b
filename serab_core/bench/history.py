"""Saved runs of `serab bench`, by machine and version, and the changes since one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from serab_core.bench.clips import TYPICAL_S
from serab_core.errors import StoreError, UsageError
from serab_core.store import codec
from serab_core.store.codec import read_json
from serab_core.store.jsonio import write_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from serab_core.store.home import Home

SCHEMA = "serab.bench/1"


class _Info(msgspec.Struct, frozen=True):
    ratio: Annotated[float, msgspec.Meta(gt=0.0, le=1e15)]
    extractor: str = ""
    threads: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 1
    clips: Annotated[int, msgspec.Meta(ge=1, le=10**9)] | None = None
    clip_s: Annotated[float, msgspec.Meta(ge=0.0, le=1e9)] = 0.0


class _Benchmark(msgspec.Struct, frozen=True):
    name: str
    extra_info: _Info


class _Machine(msgspec.Struct, frozen=True):
    processor: str = ""
    node: str = ""


class RunDocument(msgspec.Struct, frozen=True):
    """The fields of a saved run that serab reads; the format is that of pytest-benchmark, which has more fields."""

    schema: Literal["serab.bench/1"]
    benchmarks: tuple[_Benchmark, ...]
    machine_info: _Machine = _Machine()
    datetime: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one figure between two runs.

    Attributes:
        before, now: ratios to the reference workload.
    """

    name: str
    before: float
    now: float

    @property
    def factor(self) -> float:
        """The ratio of the current cost to the earlier cost."""
        return self.now / self.before


def keep(home: Home, run: Mapping[str, Any]) -> Path:
    """Save a run in the home, and return its path. Raises StoreError."""
    moment = re.sub(r"[^0-9T]", "", str(run["datetime"]).partition("+")[0])
    version = str(run["version"]).rpartition(" ")[2]
    node = re.sub(r"[^A-Za-z0-9]+", "-", str(run["machine_info"]["node"])).strip("-") or "machine"
    path = home.ensure().speed / "runs" / f"{moment}-{version}-{node}.json"
    failures = [{**failure, "next_step": None} for failure in run.get("failures", ())]  # in the words of one interface
    write_json(path, {**run, **({"failures": failures} if failures else {})})
    return path


@dataclass(frozen=True, slots=True)
class Moment:
    """One extractor in one saved run.

    Attributes:
        when: time of the run, ISO 8601, UTC.
        ratio: cost of a second of audio, in runs of the reference workload, for single clips of about 3 s.
    """

    when: str
    version: str
    machine: str
    extractor: str
    threads: int
    ratio: float


def past(home: Home, extractors: Collection[str] = ()) -> tuple[list[Moment], list[StoreError]]:
    """Return the moments of extractors in saved runs, oldest first, and an error for each unreadable file.

    Args:
        home: the home.
        extractors: names of extractors; empty for all.
    """
    moments, errors = [], []
    for path in sorted((home.speed / "runs").glob("*.json")):
        try:
            moments += [
                moment
                for moment in _moments(codec.read(path, RunDocument))
                if not extractors or moment.extractor in extractors
            ]
        except StoreError as error:
            errors.append(error)
    return moments, errors


def _moments(run: RunDocument) -> list[Moment]:
    nearest: dict[tuple[str, int], _Info] = {}
    for benchmark in run.benchmarks:
        info = benchmark.extra_info
        key = (info.extractor, info.threads)
        if info.clips == 1 and (
            key not in nearest or abs(info.clip_s - TYPICAL_S) < abs(nearest[key].clip_s - TYPICAL_S)
        ):
            nearest[key] = info
    where = (run.datetime, run.version.rpartition(" ")[2], run.machine_info.processor)
    return [Moment(*where, *key, info.ratio) for key, info in nearest.items()]


def find_run(home: Home, word: str) -> Path:
    """Return the path of a saved run: `last`, a file, part of the name of a run, or a version, for its last run.

    Raises:
        UsageError: there is no such run.
    """
    if Path(word).is_file():
        return Path(word)
    paths = sorted((home.speed / "runs").glob("*.json"))
    matches = [path for path in paths if word == "last" or word in path.stem]
    if not matches:
        names = ", ".join(path.stem for path in paths[-3:]) or "none yet"
        raise UsageError(
            f"no run is called {word!r}", where=home.speed / "runs", next_step=f"choose one of the last runs: {names}"
        )
    return matches[-1]


def read_run(path: Path) -> dict[str, Any]:
    """Return a saved run. Raises StoreError for an invalid file."""
    codec.read(path, RunDocument)
    return read_json(path, SCHEMA)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Return the changes of all ratios that both runs have. Runs of different machines can be compared with care."""

    def ratios(run: Mapping[str, Any]) -> dict[str, float]:
        return {benchmark["name"]: float(benchmark["extra_info"]["ratio"]) for benchmark in run["benchmarks"]}

    old, new = ratios(before), ratios(now)
    return [Change(name, old[name], new[name]) for name in new if old.get(name, 0.0) > 0.0]
