"""Takes samples of how long something takes until they agree, each beside one of the reference workload.

Two times are taken: the clock's, which users wait for, and the processor's, in which other work of the machine does not
count.
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

LEAST_SAMPLE_S = 0.02
"""Quicker calls are repeated within a sample."""
REFERENCE_SHARE = 0.1
"""Of a sample's time the reference gets as much on either side, at least."""
TURNS = 4
FEWEST, MOST = 12, 200
AGREEMENT = 0.02
"""Of the median: how far it may be off, as its samples spread, for sampling to end."""
_SEVERAL = 1.1
"""Of the clock's time the processor's, which several threads exceed."""
MORE_TURNS, MORE_BUDGETS = 8, 12.0
"""What does not agree after its turns gets so many more, within so many times its budget."""


class Lap(NamedTuple):
    """How long something took.

    Attributes:
        clock: seconds.
        processor: seconds of the processor's time in this process.
        waits: how often it gave the processor away to wait for something; -1 where the system does not tell.
    """

    clock: float
    processor: float
    waits: int = 0


def lap(call: Callable[[], object], times: int = 1) -> Lap:
    """Time so many calls in a row; seconds are those of one."""
    waited, clock, processor = _waits(), time.perf_counter(), time.process_time()
    for _ in range(times):
        call()
    took, worked = time.perf_counter() - clock, time.process_time() - processor
    return Lap(took / times, worked / times, -1 if waited < 0 else _waits() - waited)


def _waits() -> int:
    return -1 if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw


@dataclass(frozen=True, slots=True)
class Samples:
    """What was measured.

    Attributes:
        calls: of one call, in each sample.
        reference: of the reference workload, the mean of right before and right after each.
    """

    calls: tuple[Lap, ...]
    reference: tuple[Lap, ...]

    @property
    def seconds(self) -> tuple[float, ...]:
        """By the clock, of one call in each sample."""
        return tuple(sample.clock for sample in self.calls)

    @property
    def by_processor(self) -> bool:
        """Whether this process did the work, on one thread, without waiting: the processor's time is what it costs.

        It is not where the work is another process's, a GPU's or several threads', or lies in waiting.
        """
        waits = float(np.median([sample.waits for sample in self.calls]))
        return (
            waits == 0
            and float(np.median([sample.processor / max(sample.clock, 1e-9) for sample in self.calls])) < _SEVERAL
        )

    @property
    def ratio(self) -> float:
        """The median of calls over the reference beside them."""
        return float(np.median(self._ratios))

    @property
    def spread(self) -> float:
        """How far the middle half of the samples reaches, as a share of `ratio`."""
        low, middle, high = np.quantile(self._ratios, [0.25, 0.5, 0.75])
        return float((high - low) / middle)

    @property
    def error(self) -> float:
        """Standard error of `ratio`, as a share of it: 1.25 robust deviations over the root of n."""
        return float(1.25 * self.spread / 1.349 / np.sqrt(len(self.calls)))

    def quantile(self, fraction: float) -> float:
        """Seconds of a call, by the clock, that this share of the samples stays below."""
        return float(np.quantile(self.seconds, fraction))

    @property
    def _ratios(self) -> NDArray[np.float64]:
        place = 1 if self.by_processor else 0
        return np.divide([sample[place] for sample in self.calls], [sample[place] for sample in self.reference])


class Sampler:
    """Samples one call, in several turns, so that what else a machine does at a moment does not fall on one figure.

    Args:
        call: what is timed; was called before, so that nothing is loaded any more.
        reference: does the reference workload once; was called before.
    """

    def __init__(self, call: Callable[[], object], reference: Callable[[], object]) -> None:
        self._call, self._reference = call, reference
        self._calls: list[Lap] = []
        self._beside: list[Lap] = []
        self._turns = 0
        self._spent_s = 0.0
        once = max(lap(call).clock, 1e-7)
        self._inner = max(1, int(np.ceil(LEAST_SAMPLE_S / once)))
        beside = max(lap(reference).clock, 1e-7)
        self._references = max(1, int(np.ceil(REFERENCE_SHARE * once * self._inner / beside)))

    def turn(self, budget_s: float) -> None:
        """Take samples for so long, at least two; in the last turns none more where they agree."""
        begin = time.perf_counter()
        self._turns += 1
        self._take(begin + budget_s)
        self._spent_s += time.perf_counter() - begin

    def wants_more(self, budget_s: float) -> bool:
        """Whether its samples do not agree, and neither turns nor `budget_s` for all of them are used up."""
        return not self._agrees and self._turns < TURNS + MORE_TURNS and self._spent_s < MORE_BUDGETS * budget_s

    def _take(self, until: float) -> None:
        taken = 0
        while taken < MOST // TURNS and not (self._turns >= TURNS - 1 and self._agrees):
            before = lap(self._reference, self._references)
            self._calls.append(lap(self._call, self._inner))
            after = lap(self._reference, self._references)
            self._beside.append(Lap((before.clock + after.clock) / 2, (before.processor + after.processor) / 2))
            taken += 1
            if taken >= 2 and time.perf_counter() > until:
                return

    @property
    def samples(self) -> Samples:
        """What was taken so far."""
        return Samples(tuple(self._calls), tuple(self._beside))

    @property
    def _agrees(self) -> bool:
        return len(self._calls) >= FEWEST and self.samples.error < AGREEMENT
