"""Measures the time of a job by phase. It is always on, because a phase costs about a microsecond."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PHASES = {
    "start": "loading libraries, extractors and weights; a worker's first batch",
    "decode": "reading and decoding audio",
    "resample": "resampling",
    "features": "log-mels by serab's kernels",
    "embed": "the extractor, without the log-mels",
    "store": "reading and writing embeddings and trials",
    "tune": "normalising features and searching the grids; a worker's first search also imports libraries",
    "score": "refitting, and predicting the test split",
}


class Clock:
    """Measures seconds by phase. The time of an inner phase does not count for the outer phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count the time of the enclosed code for a phase."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] = self.seconds.get(self._open[-1], 0.0) + now - self._since
        self._since = now


_thread = threading.local()


@contextmanager
def measure_times() -> Iterator[Clock]:
    """Provide a clock that measures this thread."""
    before, clock = getattr(_thread, "clock", None), Clock()
    _thread.clock = clock
    try:
        yield clock
    finally:
        _thread.clock = before


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Count the time of the enclosed code for a phase, if a clock measures this thread."""
    clock: Clock | None = getattr(_thread, "clock", None)
    if clock is None:
        yield
        return
    with clock.timed(name):
        yield


def sum_times(*measurements: Mapping[str, float]) -> dict[str, float]:
    """Return the sum of seconds by phase, in the order of PHASES."""
    return {
        name: sum(measurement.get(name, 0.0) for measurement in measurements)
        for name in PHASES
        if any(name in measurement for measurement in measurements)
    }
