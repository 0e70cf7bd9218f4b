"""Takes samples of how long something takes until they agree, each beside one of the reference workload."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST_SAMPLE_S = 0.02
"""Quicker calls are repeated within a sample."""
REFERENCE_SHARE = 0.1
"""Of a sample's time the reference gets as much on either side, at least."""
TURNS = 4
FEWEST, MOST = 12, 200
AGREEMENT = 0.02
"""Of the median: how far it may be off, as its samples spread, for sampling to end."""
MORE_TURNS, MORE_BUDGETS = 8, 12.0
"""What does not agree after its turns gets so many more, within so many times its budget."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What was measured.

    Attributes:
        seconds: of one call, in each sample.
        reference: seconds of the reference workload, the mean of right before and right after each.
    """

    seconds: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of calls over the reference beside them."""
        return float(np.median(np.divide(self.seconds, self.reference)))

    @property
    def error(self) -> float:
        """Standard error of `ratio`, as a share of it: 1.25 robust deviations over the root of n."""
        low, middle, high = np.quantile(np.divide(self.seconds, self.reference), [0.25, 0.5, 0.75])
        return float(1.25 * (high - low) / 1.349 / np.sqrt(len(self.seconds)) / middle)

    def quantile(self, share: float) -> float:
        """Seconds of a call that this share of the samples stays below."""
        return float(np.quantile(self.seconds, share))


class Sampler:
    """Samples one call, in several turns, so that what else a machine does at a moment does not fall on one figure.

    Args:
        call: what is timed; was called before, so that nothing is loaded any more.
        reference: does the reference workload once, and gives its seconds.
    """

    def __init__(self, call: Callable[[], object], reference: Callable[[], float]) -> None:
        self._call, self._reference = call, reference
        self._seconds: list[float] = []
        self._beside: list[float] = []
        self._turns = 0
        self._spent_s = 0.0
        once = max(_timed(call), 1e-7)
        self._inner = max(1, int(np.ceil(LEAST_SAMPLE_S / once)))
        self._references = max(1, int(np.ceil(REFERENCE_SHARE * once * self._inner / max(reference(), 1e-7))))

    def turn(self, budget_s: float) -> None:
        """Takes samples for so long, at least two; in the last turns none more where they agree."""
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
            before = self._references_now()
            start = time.perf_counter()
            for _ in range(self._inner):
                self._call()
            self._seconds.append((time.perf_counter() - start) / self._inner)
            self._beside.append((before + self._references_now()) / 2)
            taken += 1
            if taken >= 2 and time.perf_counter() > until:
                return

    @property
    def samples(self) -> Samples:
        """What was taken so far."""
        return Samples(tuple(self._seconds), tuple(self._beside))

    @property
    def _agrees(self) -> bool:
        return len(self._seconds) >= FEWEST and self.samples.error < AGREEMENT

    def _references_now(self) -> float:
        return sum(self._reference() for _ in range(self._references)) / self._references


def _timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin
