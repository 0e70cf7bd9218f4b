"""Bootstrap confidence intervals: the range of a score for other speakers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias
from zlib import crc32

import numpy as np

from serab_core.score.few_speakers import posterior_draws
from serab_core.score.scored import scored

if TYPE_CHECKING:
    import numpy.typing as npt

    from serab_core.score.scored import Scored
    from serab_core.types import ContinuousResult, TaskResult

    Numbers = npt.NDArray[np.float64]

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


@dataclass(frozen=True, slots=True)
class Draws:
    """Scores of resampled test splits, with the small-sample correction already applied.

    Attributes:
        accuracy, uar: shape (draws,).
        over, groups, method: as in `Interval`.
        scores: the accuracy and UAR of the test split itself; the intervals always contain them.
    """

    accuracy: Numbers
    uar: Numbers
    over: Over
    groups: int
    method: Method
    scores: tuple[float, float]

    def interval(self, metric: Literal["accuracy", "uar"]) -> Interval:
        """Return the interval between the 2.5 % and 97.5 % quantiles."""
        draws, score = (self.accuracy, self.scores[0]) if metric == "accuracy" else (self.uar, self.scores[1])
        limits = interval(draws, self.over, self.groups, method=self.method)
        return replace(limits, low=min(limits.low, score), high=max(limits.high, score))


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
    classes, truth = np.unique(test.truth, return_inverse=True)
    speakers, speaker = np.unique(test.speakers, return_inverse=True)
    rng = np.random.default_rng(seed)
    sizes, hits = np.zeros((2, len(speakers), len(classes)))
    np.add.at(sizes, (speaker, truth), 1.0)
    np.add.at(hits, (speaker, truth), test.right.astype(float))
    whole = hits.sum(axis=0, keepdims=True), sizes.sum(axis=0, keepdims=True)
    scores = float(test.right.mean()), float(_mean_recall(*whole)[0])
    if over == "speakers" and len(speakers) < MIN_SPEAKERS:
        uniforms = rng.permutation(
            (np.arange(draws) + 0.5) / draws
        )  # evenly spread, so that quantiles have no sampling error
        accuracy = posterior_draws(hits.sum(axis=1), sizes.sum(axis=1), uniforms)
        uar = posterior_draws(*_weighted(hits, sizes), uniforms)
        return Draws(accuracy, uar, "speakers", len(speakers), "beta-binomial", scores)
    if over == "speakers":
        count = len(speakers)
        times = rng.multinomial(count, np.full(count, 1 / count), draws).astype(float)
        drawn_hits, drawn_sizes = times @ hits, times @ sizes
    else:
        count = len(truth)
        # Utterances of one class with the same outcome (right or wrong) are one group of the multinomial draw.
        right, wrong = whole[0][0], whole[1][0] - whole[0][0]
        times = rng.multinomial(count, np.concatenate([right, wrong]) / count, draws).astype(float)
        drawn_hits = times[:, : len(classes)]
        drawn_sizes = drawn_hits + times[:, len(classes) :]
    factor = widening(count)
    accuracy = drawn_hits.sum(axis=1) / drawn_sizes.sum(axis=1)
    uar = _mean_recall(drawn_hits, drawn_sizes)
    wide = [score + factor * (values - score) for score, values in zip(scores, (accuracy, uar), strict=True)]
    return Draws(wide[0], wide[1], over, count, "bootstrap", scores)


def _weighted(hits: Numbers, sizes: Numbers) -> tuple[Numbers, Numbers]:
    """Return the effective number of right answers and of answers of each speaker, with equal weight for each class.

    UAR weights classes equally. The effective sample size is the number of equally weighted answers with the same
    variance (Kish, 1965, "Survey Sampling").

    Args:
        hits, sizes: right answers and answers by speaker and class, shape (speakers, classes).
    """
    weights = 1 / sizes.sum(axis=0)
    sums = sizes @ weights
    effective = sums**2 / (sizes @ weights**2)
    return effective * (hits @ weights) / sums, effective


def concordance_interval(result: ContinuousResult, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """Return the interval of the chosen regressor's CCC: over speakers, or over utterances with too few speakers."""
    test = result.outcome(result.chosen).test
    assert test is not None
    truth, predicted = np.asarray(test.truth, np.float64), np.asarray(test.predicted, np.float64)
    names, speaker = np.unique([result.speakers[identifier] for identifier in test.ids], return_inverse=True)
    over: Over = "speakers" if len(names) >= MIN_SPEAKERS else "utterances"
    group = speaker if over == "speakers" else np.arange(len(truth))
    count = int(group.max()) + 1
    moments = np.stack([np.ones_like(truth), truth, predicted, truth**2, predicted**2, truth * predicted])
    sums = np.stack([np.bincount(group, moment, count) for moment in moments], axis=1).astype(np.float64)
    times = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), draws)
    drawn_ccc, whole = (
        _concordance(times.astype(np.float64) @ sums),
        float(_concordance(sums.sum(axis=0, keepdims=True))[0]),
    )
    return interval(whole + widening(count) * (drawn_ccc - whole), over, count, (-1.0, 1.0))


def _concordance(sums: Numbers) -> Numbers:
    """Return the CCC from the sums of 1, t, p, t^2, p^2 and tp, shape (draws, 6)."""
    n, t, p, tt, pp, tp = sums.T
    covariance = tp / n - t * p / n**2
    whole = tt / n - (t / n) ** 2 + pp / n - (p / n) ** 2 + ((t - p) / n) ** 2
    concordance: Numbers = np.divide(2 * covariance, whole, out=np.ones_like(whole), where=whole > 0)
    return concordance


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
    draws: Numbers,
    over: Over,
    groups: int,
    bounds: tuple[float, float] = (0.0, 1.0),
    method: Method = "bootstrap",
) -> Interval:
    """Return the interval between the 2.5 % and 97.5 % quantiles of draws, within bounds."""
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(max(float(low), bounds[0]), min(float(high), bounds[1]), over, groups, method)


def _mean_recall(hits: Numbers, sizes: Numbers) -> Numbers:
    """Return the mean recall over the classes that were drawn, shape (draws,)."""
    recall = np.divide(hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
    mean: Numbers = recall.sum(axis=1) / (sizes > 0).sum(axis=1)
    return mean
