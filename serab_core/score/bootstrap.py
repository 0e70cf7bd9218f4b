"""Bootstrap confidence intervals: the range of a score for other speakers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from zlib import crc32

import numpy as np

from serab_core.score.few_speakers import posterior_draws
from serab_core.score.influence import influences
from serab_core.score.metrics import CLASS_METRICS, METRICS, from_margins
from serab_core.score.scored import scored

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from serab_core.score.scored import Scored
    from serab_core.types import TaskResult

    Floats = npt.NDArray[np.float64]

DRAWS, SEED, LEVEL = 2_000, 42, 0.95
MIN_SPEAKERS = 5  # speakers for a bootstrap over speakers; with fewer, a beta-binomial model gives the interval
Over: TypeAlias = Literal["speakers", "utterances"]
Method: TypeAlias = Literal["bootstrap", "beta-binomial", "bootstrap and beta-binomial", "t"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval.

    Attributes:
        low, high: scores in [0, 1], or differences of scores.
        over: what the interval generalises to: new `speakers`, or new `utterances` of the same speakers. The latter
            ignores the differences between speakers, and is too narrow for claims about other speakers.
        groups: number of speakers, or of utterances for an interval over utterances; for a mean over tasks, the
            total number of speakers of all tasks.
        method: `bootstrap` over speakers or utterances; `beta-binomial`, a model for fewer than five speakers; `t`,
            Student's t over tasks or speakers; for a mean, the methods of its tasks.
    """

    low: float
    high: float
    over: Over
    groups: int
    method: Method = "bootstrap"


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Scores of resampled test splits, for every metric; the same splits for all metrics and extractors of a task.

    Attributes:
        test: the predictions.
        count: number of draws.
        seed: seed of the generator.
        over, groups, method: as in `Interval`.
    """

    test: Scored
    count: int
    seed: int
    over: Over
    groups: int
    method: Method
    _values: dict[str, Floats] = field(default_factory=dict, repr=False)

    def score(self, metric: str) -> float:
        """Return the score of the test split itself."""
        return float(by_group(self.test, metric, np.zeros(len(self.test.ids), np.intp))[0])

    def values(self, metric: str) -> Floats:
        """Return scores of resampled test splits, with the small-sample correction applied; shape (draws,).

        Args:
            metric: a metric that ranks.
        """
        if metric not in self._values:
            self._values.update(
                {metric: self._modelled(metric)} if self.method == "beta-binomial" else self._resampled()
            )
        return self._values[metric]

    def interval(self, metric: str) -> Interval:
        """Return the interval between the 2.5 % and 97.5 % quantiles; it always contains the score."""
        score = self.score(metric)
        limits = interval(self.values(metric), self.over, self.groups, METRICS[metric].bounds, self.method)
        return replace(limits, low=min(limits.low, score), high=max(limits.high, score))

    def _resampled(self) -> dict[str, Floats]:
        """Return the scores by every metric, which have the same draws."""
        if self.over == "speakers":
            sums = _sums(self.test, np.unique(self.test.speakers, return_inverse=True)[1])
            times = _speaker_counts(self.groups, self.count, self.seed)
        else:  # utterances with equal predictions are one group of the multinomial draw
            sums, sizes = _distinct(self.test)
            times = np.random.default_rng(self.seed).multinomial(self.groups, sizes / self.groups, self.count)
        drawn = np.tensordot(times.astype(np.float64), sums, 1)
        factor, values = widening(self.groups), {}
        for metric in ("ccc",) if self.test.continuous else CLASS_METRICS:
            score = self.score(metric)
            values[metric] = np.asarray(score + factor * (score_of_sums(metric, drawn) - score))
        return values

    def _modelled(self, metric: str) -> Floats:
        # Evenly spread numbers, so that quantiles have no sampling error.
        even = (np.arange(self.count) + 0.5) / self.count
        uniforms = np.random.default_rng(self.seed).permutation(even)
        low, high = _scale(self.test, metric)
        hits, sizes = _effective_answers(self.test, metric, low, high)
        return np.asarray(low + (high - low) * posterior_draws(hits, sizes, uniforms))


def task_draws(result: TaskResult, draws: int = DRAWS, *, over: Over = "speakers") -> Draws:
    """Return draws of a result's test split; the draws of different tasks are independent.

    Args:
        result: the result; its chosen classifier is used.
        draws: number of draws.
        over: see `drawn`.
    """
    return drawn(scored(result), draws, crc32(result.task.encode()) ^ SEED, over=over)


def drawn(test: Scored, draws: int = DRAWS, seed: int = SEED, *, over: Over = "speakers") -> Draws:
    """Return scores of test splits with other speakers: resampled with five or more speakers, else from a model.

    Args:
        test: predictions of at least two utterances.
        draws: number of draws.
        seed: seed of the generator; all extractors on a task use the same draws.
        over: `utterances` for an interval over other utterances of the same speakers.
    """
    if over == "utterances":
        return Draws(test, draws, seed, over, len(test.ids), "bootstrap")
    speakers = len(np.unique(test.speakers))
    return Draws(test, draws, seed, over, speakers, "bootstrap" if speakers >= MIN_SPEAKERS else "beta-binomial")


def by_group(test: Scored, metric: str, group: npt.NDArray[np.intp]) -> Floats:
    """Return the metric of each group of utterances, shape (groups,); `group` is the number of each one's group."""
    return score_of_sums(metric, _sums(test, group))


def sums_by_speaker(tests: Sequence[Scored]) -> list[Floats]:
    """Return the sums that metrics are computed from, by speaker, for predictions of the same utterances.

    The sums have the same classes, so that speakers can be exchanged between the predictions; shapes as for one test.
    """
    speaker = np.unique(tests[0].speakers, return_inverse=True)[1]
    if tests[0].continuous:
        return [_sums(test, speaker) for test in tests]
    classes = np.unique(np.concatenate([tests[0].truth, *(test.predicted for test in tests)]))
    return [_sums(test, speaker, classes) for test in tests]


def _sums(test: Scored, group: npt.NDArray[np.intp], classes: npt.NDArray[Any] | None = None) -> Floats:
    """Return the sums that metrics are computed from, by group.

    Returns:
        for classes the numbers of correct predictions, true labels and predictions by class, shape (groups, 3,
        classes); for a continuous target the sums of 1, t, p, t^2, p^2 and tp, shape (groups, 6).
    """
    count = int(group.max()) + 1
    if test.continuous:
        centre = test.truth.mean()  # a large offset would cost digits; a common shift does not change the CCC
        t, p = test.truth - centre, test.predicted - centre
        moments = (np.ones_like(t), t, p, t * t, p * p, t * p)
        return np.stack([np.bincount(group, moment, count) for moment in moments], axis=1).astype(np.float64)
    true, predicted, size = _codes(test, classes)
    right = true == predicted
    margins = [
        np.bincount(groups * size + classes, minlength=count * size).reshape(count, size)
        for groups, classes in ((group[right], true[right]), (group, true), (group, predicted))
    ]
    return np.stack(margins, axis=1).astype(np.float64)


def _distinct(test: Scored) -> tuple[Floats, Floats]:
    """Return the sums of each distinct pair of true and predicted value, and the number of its utterances."""
    if test.continuous:
        return _sums(test, np.arange(len(test.ids))), np.ones(len(test.ids))
    true, predicted, size = _codes(test)
    kinds, counts = np.unique(true * size + predicted, return_counts=True)
    identity, of_true, of_predicted = np.eye(size), kinds // size, kinds % size
    hits = identity[of_true] * (of_true == of_predicted)[:, None]
    return np.stack([hits, identity[of_true], identity[of_predicted]], axis=1), counts.astype(np.float64)


def _codes(
    test: Scored, classes: npt.NDArray[Any] | None = None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], int]:
    """Return true and predicted classes as numbers, and the number of classes; `classes` are sorted."""
    if classes is None:
        classes = np.unique(np.concatenate([test.truth, test.predicted]))
    return np.searchsorted(classes, test.truth), np.searchsorted(classes, test.predicted), len(classes)


def score_of_sums(metric: str, sums: Floats) -> Floats:
    """Return the metric of `_sums` of several splits, shape (splits,)."""
    if sums.ndim == 3:
        return from_margins(metric, sums)
    n, t, p, tt, pp, tp = sums.T
    covariance = tp / n - t * p / n**2
    whole = tt / n - (t / n) ** 2 + pp / n - (p / n) ** 2 + ((t - p) / n) ** 2
    concordance: Floats = np.divide(2 * covariance, whole, out=np.ones_like(whole), where=whole > 0)
    return concordance


@lru_cache(64)
def _speaker_counts(speakers: int, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Return how often each speaker is drawn, shape (draws, speakers); all extractors on a task share it."""
    return np.random.default_rng(seed).multinomial(speakers, np.full(speakers, 1 / speakers), draws)


def _scale(test: Scored, metric: str) -> tuple[float, float]:
    """Return the scores that correspond to no and to only right answers, for the model of few speakers.

    The predicted classes stay as they are: a class that is predicted but never true limits the macro recall.
    """
    if metric not in ("kappa", "macro_recall"):
        return METRICS[metric].bounds
    _, true, predicted = _sums(test, np.zeros(len(test.ids), np.intp))[0]
    if metric == "macro_recall":
        return 0.0, float(np.sum(true > 0) / np.sum((true > 0) | (predicted > 0)))
    chance = float(true @ predicted) / true.sum() ** 2
    return (-chance / (1 - chance), 1.0) if chance < 1 else (-1.0, 1.0)


def _effective_answers(test: Scored, metric: str, low: float, high: float) -> tuple[Floats, Floats]:
    """Return the effective number of right answers and of answers of each speaker; both of shape (speakers,).

    Accuracy counts answers. For another metric, the effective number of answers is the number of equally weighted
    answers with the same variance over utterances (Kish, 1965, "Survey Sampling"), and the rate of right answers of a
    speaker is the score plus the speaker's mean influence on it.

    Args:
        test: the predictions.
        metric: a metric that ranks.
        low, high: the scores of no and of only right answers.
    """
    names, speaker = np.unique(test.speakers, return_inverse=True)
    sizes = np.bincount(speaker).astype(np.float64)
    if metric == "accuracy":
        return np.bincount(speaker, test.right).astype(np.float64), sizes
    if metric in ("uar", "macro_recall"):  # they differ by a factor, which `low` and `high` contain
        margins = _sums(test, speaker)
        occurs = margins[:, 1].sum(axis=0) > 0
        hits, of_class = margins[:, 0, occurs], margins[:, 1, occurs]
        weights = 1 / of_class.sum(axis=0)
        sums = of_class @ weights
        effective = sums**2 / (of_class @ weights**2)
        return effective * (hits @ weights) / sums, effective
    influence = influences(test, metric) / (high - low)
    score = (float(by_group(test, metric, np.zeros_like(speaker))[0]) - low) / (high - low)
    variance = float(np.sum(influence**2))
    # Without a wrong or a right answer the influences are 0, and every utterance is an answer.
    answers = score * (1 - score) / variance if variance > 0 else float(len(speaker))
    share = sizes / len(speaker)
    rates = np.clip(score + np.bincount(speaker, influence, len(names)) / share, 0.0, 1.0)
    return answers * share * rates, answers * share


def widening(groups: int) -> float:
    """Return the factor by which draws are moved away from the score, to correct for few groups.

    Bootstrap draws vary too little: their variance lacks the factor n / (n - 1), and their tails are shorter than
    those of Student's t. Hesterberg (2015, "What Teachers Should Know About the Bootstrap", section 5.3) widens the
    percentiles for both reasons.
    """
    from scipy.special import ndtri, stdtrit  # imported here, because commands that print tables import this module

    upper = 0.5 + LEVEL / 2
    return float(np.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, upper) / ndtri(upper))


def interval(
    draws: Floats,
    over: Over,
    groups: int,
    bounds: tuple[float, float] = (0.0, 1.0),
    method: Method = "bootstrap",
) -> Interval:
    """Return the interval between the 2.5 % and 97.5 % quantiles of draws, within bounds."""
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(max(float(low), bounds[0]), min(float(high), bounds[1]), over, groups, method)
