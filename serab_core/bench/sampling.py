"""Sampling of call times until the samples agree, each with samples of the reference workload before and after.

Two times are measured: wall-clock time, which users experience, and processor time, which excludes other work of the
machine.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

LEAST_SAMPLE_S = 0.02  # seconds; shorter calls are repeated within a sample, because the clock is too coarse for them
REFERENCE_SHARE = 0.1  # fraction of a sample's time that the reference workload gets before and after it, at least
TURNS = 4  # turns of each call, so that a short disturbance of the machine does not affect a single figure
FEWEST, MOST = 12, 200  # samples of a figure, at least and at most
AGREEMENT = 0.02  # standard error, as a fraction of the median, at which sampling ends
_SEVERAL = 1.1  # ratio of processor time to wall-clock time; only several threads exceed it
MORE_TURNS, MORE_BUDGETS = 8, 12.0  # limits for samples that do not agree: extra turns, and multiples of the budget


class Lap(NamedTuple):
    """The time of a call.

    Attributes:
        clock: wall-clock seconds.
        processor: seconds of processor time of this process.
        waits: number of voluntary context switches, which are waits; -1 if the system does not report them.
    """

    clock: float
    processor: float
    waits: int = 0


def lap(call: Callable[[], object], times: int = 1) -> Lap:
    """Measure consecutive calls, and return the mean time of one call."""
    waited, clock, processor = _waits(), time.perf_counter(), time.process_time()
    for _ in range(times):
        call()
    took, worked = time.perf_counter() - clock, time.process_time() - processor
    return Lap(took / times, worked / times, -1 if waited < 0 else _waits() - waited)


def _waits() -> int:
    return -1 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a call.

    Attributes:
        calls: mean time of one call in each sample.
        reference: for each sample, the mean time of the reference workload directly before and after it.
    """

    calls: tuple[Lap, ...]
    reference: tuple[Lap, ...]

    @property
    def seconds(self) -> tuple[float, ...]:
        """Wall-clock seconds of one call in each sample."""
        return tuple(sample.clock for sample in self.calls)

    @property
    def by_processor(self) -> bool:
        """Whether processor time measures the cost, because this process did the work on one thread without waiting.

        It does not if another process, a GPU or several threads do the work, or if the call waits.
        """
        waits = float(np.median([sample.waits for sample in self.calls]))
        return (
            waits == 0
            and float(np.median([sample.processor / max(sample.clock, 1e-9) for sample in self.calls])) < _SEVERAL
        )

    @property
    def ratio(self) -> float:
        """The median ratio of a call to the reference workload of its sample."""
        return float(np.median(self._ratios))

    @property
    def spread(self) -> float:
        """The interquartile range of the ratios, as a fraction of `ratio`."""
        low, middle, high = np.quantile(self._ratios, [0.25, 0.5, 0.75])
        return float((high - low) / middle)

    @property
    def error(self) -> float:
        """The standard error of `ratio` as a fraction of it: 1.25 robust standard deviations over the root of n."""
        return float(1.25 * self.spread / 1.349 / np.sqrt(len(self.calls)))

    def quantile(self, fraction: float) -> float:
        """Return a quantile of the wall-clock seconds of a call."""
        return float(np.quantile(self.seconds, fraction))

    @property
    def _ratios(self) -> NDArray[np.float64]:
        place = 1 if self.by_processor else 0
        return np.divide([sample[place] for sample in self.calls], [sample[place] for sample in self.reference])


class Sampler:
    """A sampler of one call, in several turns, so that a short disturbance of the machine does not affect one figure.

    Args:
        call: the call to measure; it must have been called before, so that loading does not count.
        reference: runs the reference workload once; it must have been called before.
    """

    def __init__(self, call: Callable[[], object], reference: Callable[[], object]) -> None:
        self._call, self._reference = call, reference
        self._calls: list[Lap] = []
        self._reference_laps: list[Lap] = []
        self._turns = 0
        self._spent_s = 0.0
        once = max(lap(call).clock, 1e-7)
        self._inner = max(1, int(np.ceil(LEAST_SAMPLE_S / once)))
        reference_s = max(lap(reference).clock, 1e-7)
        self._references = max(1, int(np.ceil(REFERENCE_SHARE * once * self._inner / reference_s)))

    def turn(self, budget_s: float) -> None:
        """Take samples for `budget_s`, at least two; in the last turns stop as soon as they agree."""
        begin = time.perf_counter()
        self._turns += 1
        self._take(begin + budget_s)
        self._spent_s += time.perf_counter() - begin

    def wants_more(self, budget_s: float) -> bool:
        """Return whether the samples do not agree yet, and turns and budget are left.

        Args:
            budget_s: the budget of the figure in seconds.
        """
        return not self._agrees and self._turns < TURNS + MORE_TURNS and self._spent_s < MORE_BUDGETS * budget_s

    def _take(self, until: float) -> None:
        taken = 0
        while taken < MOST // TURNS and not (self._turns >= TURNS - 1 and self._agrees):
            before = lap(self._reference, self._references)
            self._calls.append(lap(self._call, self._inner))
            after = lap(self._reference, self._references)
            self._reference_laps.append(Lap((before.clock + after.clock) / 2, (before.processor + after.processor) / 2))
            taken += 1
            if taken >= 2 and time.perf_counter() > until:
                return

    @property
    def samples(self) -> Samples:
        """The samples so far."""
        return Samples(tuple(self._calls), tuple(self._reference_laps))

    @property
    def _agrees(self) -> bool:
        return len(self._calls) >= FEWEST and self.samples.error < AGREEMENT
