"""Is one extractor better than another on the same utterances, or may it be chance?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from serab_core.score.bootstrap import DRAWS, SEED, Interval, interval, widening

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from serab_core.score.scored import Scored

    Numbers = npt.NDArray[np.float64]

PERMUTATIONS = 10_000
LEAST_SPEAKERS = 6
"""With fewer, no permutation of speakers can have a probability below 5 %: 2 / 2^5 is 6 %."""
_EXACT = 12
"""Up to so many speakers all 2^n permutations are counted."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two extractors on one task.

    Attributes:
        difference: of accuracies, the first's less the second's, in [-1, 1].
        only_first, only_second: utterances that one alone told right.
        p: how often chance alone gives a difference as large: a permutation test.
        over: what was permuted: `speakers`, or `utterances` where there are too few speakers.
        mcnemar: McNemar's exact probability, over utterances.
    """

    difference: float
    only_first: int
    only_second: int
    p: float
    over: Literal["speakers", "utterances"]
    mcnemar: float


@dataclass(frozen=True, slots=True)
class Overall:
    """Two extractors over the tasks that both have.

    Attributes:
        tasks: these.
        difference: of the plain means of accuracies over them.
        interval: of the difference.
        p: of a permutation test over all of them together.
    """

    tasks: tuple[str, ...]
    difference: float
    interval: Interval
    p: float


@dataclass(frozen=True, slots=True)
class _Units:
    """What is permuted on one task: by how many utterances each unit, a speaker or an utterance, is for the first.

    Attributes:
        gains: of each unit.
        sizes: utterances of each unit.
    """

    gains: Numbers
    sizes: Numbers
    over: Literal["speakers", "utterances"]


def compare(first: Scored, second: Scored) -> Comparison:
    """Compares two classifiers' predictions for the same utterances.

    The permutation test exchanges the two extractors' answers, all answers of a speaker together, for they are not
    independent (Winkler et al., 2015, "Multi-level block permutation"). Over single utterances it is
    McNemar's exact test.

    Raises:
        ValueError: the utterances are not the same.
    """
    units = _units(first, second)
    only_first = int(np.sum(first.right & ~second.right))
    only_second = int(np.sum(second.right & ~first.right))
    exact = mcnemar(only_first, only_second)
    p = exact if units.over == "utterances" else _probability(units.gains.sum(), _permuted(units, 0))
    difference = float(units.gains.sum() / units.sizes.sum())
    return Comparison(difference, only_first, only_second, p, units.over, exact)


def compare_overall(pairs: Mapping[str, tuple[Scored, Scored]]) -> Overall:
    """Compares the plain means of two extractors over tasks, by exchanging their answers on all tasks at once.

    Args:
        pairs: both extractors' predictions by task.

    Raises:
        ValueError: there are no tasks, or utterances differ.
    """
    if not pairs:
        raise ValueError("there is no task that both have")
    units = [_units(*pair) for pair in pairs.values()]
    observed = float(np.mean([own.gains.sum() / own.sizes.sum() for own in units]))
    permuted = np.mean(
        [_permuted(own, place, exact=False) / own.sizes.sum() for place, own in enumerate(units)], axis=0
    )
    drawn = np.mean([_drawn(own, place) for place, own in enumerate(units)], axis=0)
    over: Literal["speakers", "utterances"] = (
        "speakers" if all(own.over == "speakers" for own in units) else "utterances"
    )
    reach = interval(drawn, over, sum(len(own.gains) for own in units), (-1.0, 1.0))
    return Overall(tuple(pairs), observed, reach, _probability(observed, permuted))


def mcnemar(only_first: int, only_second: int) -> float:
    """McNemar's exact probability of so uneven a split of the utterances that one alone told right; 1 for none."""
    from scipy.special import bdtr

    whole = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), whole, 0.5))) if whole else 1.0


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities corrected for their number (Holm, 1979): the smallest times n, the next n - 1, never falling."""
    order = np.argsort(probabilities, kind="stable")
    corrected, highest = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * float(probabilities[place])))
        corrected[place] = highest
    return corrected


def tie_groups(order: Sequence[str], apart: Mapping[frozenset[str], float], level: float = 0.05) -> dict[str, int]:
    """Groups in place of ranks: an extractor is in the group of the best one that it is not told apart from.

    Args:
        order: extractors, the best first.
        apart: corrected probability of each pair.
        level: below it two are told apart.

    Returns:
        the number of each extractor's group, from 1 on. Two of one group may still differ; neither can be called better
        than the group's first.
    """
    groups: dict[str, int] = {}
    leader, number = "", 0
    for name in order:
        if not leader or apart[frozenset((leader, name))] < level:
            leader, number = name, number + 1
        groups[name] = number
    return groups


def _units(first: Scored, second: Scored) -> _Units:
    if first.ids != second.ids or not np.array_equal(first.truth, second.truth):
        raise ValueError("the two were not tested on the same utterances")
    gains = first.right.astype(float) - second.right.astype(float)
    speakers, speaker = np.unique(first.speakers, return_inverse=True)
    if len(speakers) >= LEAST_SPEAKERS:
        own, sizes = np.bincount(speaker, gains, len(speakers)), np.bincount(speaker, minlength=len(speakers))
        return _Units(own.astype(np.float64), sizes.astype(np.float64), "speakers")
    return _Units(gains, np.ones_like(gains), "utterances")


def _permuted(units: _Units, place: int, *, exact: bool = True) -> Numbers:
    """Sums of gains under permutations; tasks at different places are permuted independently of each other."""
    count = len(units.gains)
    if units.over == "utterances":  # each gain that is not 0 is 1 or -1: their sum is a binomial's
        return _coins(int(np.count_nonzero(units.gains)), place)
    signs = _every_sign(count) if exact and count <= _EXACT else _signs(count, place)
    permuted: Numbers = signs @ units.gains
    return permuted


def _drawn(units: _Units, place: int) -> Numbers:
    """Differences of accuracies over units drawn with replacement, as wide as `bootstrap.drawn` makes them."""
    count = len(units.gains)
    observed = units.gains.sum() / units.sizes.sum()
    if units.over == "speakers":
        times = _times(count, place)
        drawn = (times @ units.gains) / (times @ units.sizes)
    else:
        shares = [np.mean(units.gains > 0), np.mean(units.gains < 0), np.mean(units.gains == 0)]
        gained = _generator(place).multinomial(count, shares, DRAWS)
        drawn = (gained[:, 0] - gained[:, 1]) / count
    return np.asarray(observed + widening(count) * (drawn - observed), np.float64)


def _probability(observed: float, permuted: Numbers) -> float:
    """The share of permutations with a difference as large, rounding aside."""
    return float(np.mean(np.abs(permuted) >= abs(observed) - 1e-9))


def _generator(place: int) -> np.random.Generator:
    return np.random.default_rng([SEED, place])


# The same for every pair of extractors on a task: kept, for there are hundreds of pairs.


@lru_cache(64)
def _signs(count: int, place: int) -> Numbers:
    signs = np.asarray(_generator(place).integers(0, 2, (PERMUTATIONS, count)) * 2.0 - 1.0, np.float64)
    signs[0] = 1.0  # what was observed is one of the possible outcomes
    return signs


@lru_cache(16)
def _every_sign(count: int) -> Numbers:
    return np.asarray(1.0 - 2.0 * (np.arange(2**count)[:, None] >> np.arange(count) & 1), np.float64)


@lru_cache(4096)
def _coins(count: int, place: int) -> Numbers:
    return np.asarray(2.0 * _generator(place).binomial(count, 0.5, PERMUTATIONS) - count, np.float64)


@lru_cache(64)
def _times(count: int, place: int) -> Numbers:
    return _generator(place).multinomial(count, np.full(count, 1 / count), DRAWS).astype(np.float64)
