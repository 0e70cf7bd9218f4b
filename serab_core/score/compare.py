"""Significance tests of the difference between two extractors on the same utterances.

A test must generalise to other speakers. The answers of one speaker are not independent, so tests over utterances
report false differences. The level of each test here is simulated: `tox run -e coverage` writes the table in
`docs/statistics.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from serab_core.score.bootstrap import LEVEL, Interval, drawn, score_of_sums, sums_by_speaker
from serab_core.score.influence import influences
from serab_core.score.metrics import METRICS
from serab_core.score.released import metric_of_pair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from serab_core.score.scored import Scored

    Floats = npt.NDArray[np.float64]

Test: TypeAlias = Literal["permutation", "t over speakers", "t over tasks", ""]

MIN_PERMUTED = 6  # speakers for a permutation test; with five, the smallest p is 2 / 2^5, which is 6 %
MIN_TESTED_SPEAKERS = 3  # speakers for a t test of one task; with two it has almost no power
MIN_TASKS = 4  # tasks for a t test over tasks, which needs no model of speakers; with fewer, it is over speakers
POWER = 0.8  # probability with which `detectable` differences are found
_ROUNDING = 1e-12  # smaller gains, times the number of utterances, come from rounding
MAX_ENUMERATED = 14  # speakers whose exchanges are all computed, for metrics that are no means: 2^13 exchanges
_STEPS = 20_000  # steps of the grid that weighted gains are rounded to; rounding changes p by less than 1e-3


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two extractors on one task.

    Attributes:
        difference: difference of the metric, first minus second.
        only_first, only_second: number of utterances that only the first or only the second classified correctly.
        p: the p-value; None if there are too few speakers to test.
        test: `permutation` of the two extractors' answers, by speaker; `t over speakers`; "" for none.
        speakers: number of speakers.
        smallest_p: the smallest p-value that this number of speakers allows; None without a permutation test.
        mcnemar: the p-value of McNemar's exact test over utterances, which is valid for these speakers only; None for a
            continuous target.
        detectable: the smallest true difference that the test would find with about 80 % probability, which may be
            larger than any possible one; None without a test, or if the two have equal predictions.
    """

    difference: float
    only_first: int
    only_second: int
    p: float | None
    test: Test
    speakers: int
    smallest_p: float | None
    mcnemar: float | None
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class Overall:
    """Two extractors over their common tasks.

    Attributes:
        tasks: the common tasks.
        difference: difference of the plain means of the metric over these tasks.
        interval: confidence interval of the difference; None without a test.
        p: the p-value; None if there are too few speakers to test.
        test: `t over tasks`, `t over speakers`, or the test of the only task.
        detectable: as in `Comparison`.
    """

    tasks: tuple[str, ...]
    difference: float
    interval: Interval | None
    p: float | None
    test: Test
    detectable: float | None = None


@dataclass(frozen=True, slots=True)
class _Gains:
    """The gain of the first extractor over the second for each speaker, on one task.

    Attributes:
        gains: for each speaker, the weight of utterances that only the first classified correctly, minus those that
            only the second classified correctly. For metrics that are no mean over utterances it is the speaker's part
            of the difference. The gains sum to the difference.
        weights: for each speaker, the weight of all utterances; the weights sum to 1.
        noise: the variance of the difference if utterances were independent.
        whole: all utterances have the same weight, so that gains are multiples of it.
        count: number of utterances.
    """

    gains: Floats
    weights: Floats
    noise: float
    whole: bool
    count: int

    @property
    def difference(self) -> float:
        return float(self.gains.sum())


def compare(first: Scored, second: Scored, metric: str = "accuracy") -> Comparison:
    """Compare two classifiers' predictions for the same utterances.

    With six or more speakers it is a permutation test that exchanges the two extractors' answers. All answers of a
    speaker are exchanged together, because they are not independent (Winkler et al., 2015, "Multi-level block
    permutation"); all 2^speakers exchanges are counted. With three to five speakers it is a t test of the speakers'
    gains, with the jackknife variance, or the variance of independent utterances if this is larger.

    F1, kappa and CCC are no means over utterances. For them, the metric is computed anew after each exchange; with more
    than 14 speakers, and in a t test, the gain of a speaker is the sum of the influences of the speaker's utterances on
    the difference, plus the speaker's part of the difference.

    Args:
        first, second: the predictions.
        metric: the metric to compare; one that ranks.

    Raises:
        ValueError: the utterances are not the same.
    """
    metric = metric_of_pair(metric, first, second)
    per_speaker = _gains(first, second, metric)
    only_first = int(np.sum(first.right & ~second.right))
    only_second = int(np.sum(second.right & ~first.right))
    speakers = len(per_speaker.gains)
    p: float | None = None
    test: Test = ""
    smallest: float | None = None
    detectable: float | None = None
    if speakers >= MIN_PERMUTED:
        p, test, smallest = _permuted(first, second, metric, per_speaker), "permutation", 2.0 ** (1 - speakers)
        detectable = _detectable(_variance(per_speaker), speakers - 1, permuted=speakers)
    elif speakers >= MIN_TESTED_SPEAKERS:
        p, test = _student(per_speaker.difference, _variance(per_speaker), speakers - 1), "t over speakers"
        detectable = _detectable(_variance(per_speaker), speakers - 1)
    exact = None if first.continuous else mcnemar(only_first, only_second)
    return Comparison(per_speaker.difference, only_first, only_second, p, test, speakers, smallest, exact, detectable)


def compare_overall(pairs: Mapping[str, tuple[Scored, Scored]], metric: str = "accuracy") -> Overall:
    """Compare the plain means of two extractors over tasks.

    With four or more tasks it is a paired t test over the tasks' differences. With two or three it is a t test over
    speakers: the variances of the tasks are summed, with the degrees of freedom of Welch (1947) and Satterthwaite
    (1946). With one task it is the test of that task.

    Args:
        pairs: both extractors' predictions by task.
        metric: the metric to compare.

    Raises:
        ValueError: there are no tasks, or utterances differ.
    """
    if not pairs:
        raise ValueError("the two have no common task")
    metrics = [metric_of_pair(metric, *pair) for pair in pairs.values()]
    per_task = [_gains(*pair, name) for pair, name in zip(pairs.values(), metrics, strict=True)]
    differences = np.array([gains.difference for gains in per_task])
    mean, count, tasks = float(differences.mean()), len(per_task), tuple(pairs)
    speakers = sum(len(gains.gains) for gains in per_task)
    if count >= MIN_TASKS:
        # Equal differences on all tasks give a variance of 0; the variance over utterances is the lower limit.
        variance = max(float(differences.var(ddof=1)) / count, sum(gains.noise for gains in per_task) / count**2)
        return _tested(tasks, mean, variance, count - 1, "t over tasks", speakers, metric)
    if any(len(gains.gains) < 2 for gains in per_task) or (count == 1 and speakers < MIN_TESTED_SPEAKERS):
        return Overall(tasks, mean, None, None, "")
    variances = np.array([_variance(gains) for gains in per_task])
    degrees = np.array([len(gains.gains) - 1 for gains in per_task])
    whole = float(variances.sum())
    freedom = whole**2 / float(np.sum(variances**2 / degrees)) if whole else float(degrees.sum())
    outcome = _tested(tasks, mean, whole / count**2, freedom, "t over speakers", speakers, metric)
    if count == 1 and speakers >= MIN_PERMUTED:
        detectable = _detectable(whole, speakers - 1, permuted=speakers)
        return Overall(
            tasks,
            mean,
            outcome.interval,
            _permuted(*next(iter(pairs.values())), metrics[0], per_task[0]),
            "permutation",
            detectable,
        )
    return outcome


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the p-value of McNemar's exact test, from the utterances that only one of the two classified correctly."""
    from scipy.special import bdtr

    whole = only_first + only_second
    return min(1.0, 2 * float(bdtr(min(only_first, only_second), whole, 0.5))) if whole else 1.0


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return p-values corrected for multiple tests (Holm, 1979): the smallest times n, the next times n - 1, ..."""
    order = np.argsort(probabilities, kind="stable")
    corrected, highest = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * float(probabilities[place])))
        corrected[place] = highest
    return corrected


def significance_groups(
    order: Sequence[str], corrected: Mapping[frozenset[str], float], level: float = 0.05
) -> dict[str, int]:
    """Number the groups of extractors whose difference from the first of the group is not significant.

    Args:
        order: extractors, the best first.
        corrected: corrected p-value of each pair.
        level: a difference with a smaller p-value is significant.

    Returns:
        the number of each extractor's group, from 1 on. Two extractors of one group may differ significantly, and an
        extractor of a later group may not differ from some of an earlier group: `compact_letters` shows each pair.
    """
    groups: dict[str, int] = {}
    leader, number = "", 0
    for name in order:
        if not leader or corrected[frozenset((leader, name))] < level:
            leader, number = name, number + 1
        groups[name] = number
    return groups


def compact_letters(
    order: Sequence[str], corrected: Mapping[frozenset[str], float], level: float = 0.05
) -> dict[str, str]:
    """Return letters for each extractor: two share a letter if, and only if, their difference is not significant.

    The algorithm is insertion and absorption (Piepho, 2004, "An algorithm for a letter-based representation of
    all-pairwise comparisons").

    Args:
        order: extractors, the best first.
        corrected: corrected p-value of each pair.
        level: a difference with a smaller p-value is significant.

    Example:
        >>> pairs = {frozenset("xy"): 0.5, frozenset("yz"): 0.5, frozenset("xz"): 0.01}
        >>> compact_letters(["x", "y", "z"], pairs)
        {'x': 'a', 'y': 'ab', 'z': 'b'}
    """
    columns = [frozenset(order)] if order else []
    for place, first in enumerate(order):
        for second in order[place + 1 :]:
            if corrected[frozenset((first, second))] >= level:
                continue
            split = [column for column in columns if {first, second} <= column]
            columns = [column for column in columns if column not in split]
            for reduced in (column - {name} for column in split for name in (first, second)):
                if not any(reduced <= other for other in columns):
                    columns = [*(other for other in columns if not other <= reduced), reduced]
    columns.sort(key=lambda column: [name not in column for name in order])
    return {name: "".join(_letter(number) for number, column in enumerate(columns) if name in column) for name in order}


def _letter(number: int) -> str:
    """Return a letter for a number: a to z, then a1 to z1, and so on."""
    turn, place = divmod(number, 26)
    return chr(ord("a") + place) + (str(turn) if turn else "")


def _tested(
    tasks: tuple[str, ...], mean: float, variance: float, freedom: float, test: Test, speakers: int, metric: str
) -> Overall:
    from scipy.special import stdtrit

    reach = float(stdtrit(freedom, 0.5 + LEVEL / 2)) * variance**0.5
    low, high = METRICS[metric].bounds
    widest = high - low
    limits = Interval(max(-widest, mean - reach), min(widest, mean + reach), "speakers", speakers, "t")
    return Overall(tasks, mean, limits, _student(mean, variance, freedom), test, _detectable(variance, freedom))


def _gains(first: Scored, second: Scored, metric: str) -> _Gains:
    if first.ids != second.ids or not np.array_equal(first.truth, second.truth):
        raise ValueError("the two extractors were not tested on the same utterances")
    speaker, weight = _layout(first, metric)
    if metric in ("accuracy", "uar"):
        gain = (first.right.astype(np.float64) - second.right.astype(np.float64)) * weight
    else:
        difference = _score(first, metric) - _score(second, metric)
        gain = _influence(first, metric) - _influence(second, metric) + weight * difference
        gain[np.abs(gain) < _ROUNDING / len(gain)] = 0.0
    gains, weights = (np.bincount(speaker, values).astype(np.float64) for values in (gain, weight))
    return _Gains(gains, weights, float(np.sum(gain**2)), metric == "accuracy", len(gain))


@lru_cache(1024)
def _influence(test: Scored, metric: str) -> Floats:
    return influences(test, metric)


@lru_cache(1024)
def _score(test: Scored, metric: str) -> float:
    return drawn(test).score(metric)


@lru_cache(1024)
def _layout(test: Scored, metric: str) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return the speaker number and the weight in the metric of each utterance; both of shape (n,)."""
    speaker = np.unique(test.speakers, return_inverse=True)[1]
    if metric == "uar":
        _, place, sizes = np.unique(test.truth, return_inverse=True, return_counts=True)
        return speaker, 1 / (len(sizes) * sizes[place])
    return speaker, np.full(len(speaker), 1 / len(speaker))


def _variance(per_speaker: _Gains) -> float:
    """Return the variance of the difference over speakers: the jackknife's, or that over utterances if larger."""
    count = len(per_speaker.gains)
    without = (per_speaker.gains.sum() - per_speaker.gains) / (1 - per_speaker.weights)
    jackknife = (count - 1) / count * float(np.sum((without - per_speaker.difference) ** 2))
    return max(jackknife, per_speaker.noise)


def _student(difference: float, variance: float, freedom: float) -> float:
    """Return the two-sided p-value of Student's t; 1 if the variance is 0."""
    from scipy.special import stdtr

    if variance <= 0:
        return 1.0
    return min(1.0, 2 * float(stdtr(freedom, -abs(difference) / variance**0.5)))


def _detectable(variance: float, freedom: float, permuted: int = 0) -> float | None:
    """Return the true difference that a two-sided test at 5 % finds with about 80 % probability.

    With a true difference, Student's statistic has a noncentral t distribution (Owen, 1965, "The power of Student's
    t-test"). A permutation test has about the power of the t test at the largest level that its permutations allow.
    The variance is an estimate, which is too small more often than too large; it is divided by the median of its
    distribution, relative to the true variance.

    Args:
        variance: of the difference, as estimated from the data; None is returned if it is 0.
        freedom: degrees of freedom of the variance.
        permuted: number of speakers that a permutation test exchanges; 0 for a t test.
    """
    from scipy.special import chdtri, nctdtrinc, ndtri, stdtrit

    steps = 2.0 ** (permuted - 1)
    level = int((1 - LEVEL) * steps) / steps if permuted else 1 - LEVEL
    if permuted == MIN_PERMUTED:  # only if all speakers' differences have the same sign
        errors = permuted**0.5 * ndtri(POWER ** (1 / permuted))
    else:
        errors = nctdtrinc(freedom, 1 - POWER, stdtrit(freedom, 1 - level / 2))
    difference = float(errors) * (variance * freedom / float(chdtri(freedom, 0.5))) ** 0.5
    return difference or None


def _permuted(first: Scored, second: Scored, metric: str, per_speaker: _Gains) -> float:
    """Return the p-value of the permutation test that exchanges the predictions of speakers."""
    count = len(per_speaker.gains)
    if metric in ("accuracy", "uar") or count > MAX_ENUMERATED:
        return _permutation(per_speaker)
    sums, other_sums = sums_by_speaker((first, second))
    # Exchanging every speaker only changes the sign, so one speaker is never exchanged.
    unchanged = (np.arange(2 ** (count - 1))[:, None] >> np.arange(count)[None, :] & 1 ^ 1).astype(np.float64)
    mixed = np.tensordot(unchanged, sums, 1) + np.tensordot(1 - unchanged, other_sums, 1)
    whole = sums.sum(axis=0) + other_sums.sum(axis=0)
    differences = np.abs(score_of_sums(metric, mixed) - score_of_sums(metric, whole - mixed))
    return float(np.mean(differences >= differences[0] - _ROUNDING))


def _permutation(per_speaker: _Gains) -> float:
    """Return the p-value of the sum of gains under random signs of the speakers, over all combinations of signs.

    Sums of whole gains take few values, so their distribution is computed by convolution, speaker by speaker, instead
    of listing 2^speakers sums. Weighted gains (of UAR) are first rounded to a grid of 20,000 steps.
    """
    unit = 1 / per_speaker.count if per_speaker.whole else max(float(np.abs(per_speaker.gains).sum()), 1e-300) / _STEPS
    signed = np.rint(per_speaker.gains / unit).astype(np.int64)
    steps = np.abs(signed)
    reach = int(steps.sum())
    chances = np.ones(1)
    for step in steps:  # chances[i] belongs to the sum 2 * i - (sum of steps so far)
        longer = np.zeros(len(chances) + step)
        longer[: len(chances)] += chances / 2
        longer[step:] += chances / 2
        chances = longer
    sums = 2 * np.arange(reach + 1) - reach
    observed = abs(int(signed.sum()))
    observed -= 0 if per_speaker.whole else len(steps)  # rounding may separate equal sums by this number of steps
    return min(1.0, float(chances[np.abs(sums) >= observed].sum()))
