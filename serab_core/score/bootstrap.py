"""How far a score may be from what it would be for other speakers: bootstrap intervals."""

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
MIN_SPEAKERS = 5
"""With fewer, speakers are not resampled: an interval of accuracy or UAR is that of a model of how speakers differ."""
Over: TypeAlias = Literal["speakers", "utterances"]
Method: TypeAlias = Literal["bootstrap", "beta-binomial", "bootstrap and beta-binomial", "t"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval.

    Attributes:
        low, high: shares in [0, 1], or differences of shares.
        over: what it generalises over: new `speakers`, or new `utterances` of these speakers only. The latter knows
            nothing of how speakers differ, and is too narrow for claims about other ones.
        groups: how many speakers there are, or utterances for an interval over these; of a mean over tasks, how many
            speakers all tasks have together.
        method: `bootstrap` over speakers or utterances; `beta-binomial`, a model for fewer than five speakers; `t`,
            Student's t over tasks or speakers; of a mean, those of its tasks.
    """

    low: float
    high: float
    over: Over
    groups: int
    method: Method = "bootstrap"


@dataclass(frozen=True, slots=True)
class Draws:
    """Scores of drawn test splits, already as wide as the interval that is read off them.

    Attributes:
        accuracy, uar: shape (draws,).
        over, groups, method: as in `Interval`.
        scores: the accuracy and UAR of the test split itself, which the intervals contain.
    """

    accuracy: Numbers
    uar: Numbers
    over: Over
    groups: int
    method: Method
    scores: tuple[float, float]

    def interval(self, metric: Literal["accuracy", "uar"]) -> Interval:
        """The middle 95 %."""
        draws, score = (self.accuracy, self.scores[0]) if metric == "accuracy" else (self.uar, self.scores[1])
        limits = interval(draws, self.over, self.groups, method=self.method)
        return replace(limits, low=min(limits.low, score), high=max(limits.high, score))


def task_draws(result: TaskResult, draws: int = DRAWS, *, over: Over = "speakers") -> Draws:
    """Return draws of a result's test split; those of different tasks are independent of each other.

    Args:
        result: the result; its chosen classifier is taken.
        draws: how many.
        over: as for `drawn`.
    """
    return drawn(scored(result), draws, crc32(result.task.encode()) ^ SEED, over=over)


def drawn(test: Scored, draws: int = DRAWS, seed: int = SEED, *, over: Over = "speakers") -> Draws:
    """Draw test splits with other speakers; from five speakers on by resampling these, else by a model.

    Args:
        test: predictions of at least two utterances.
        draws: how many.
        seed: of the generator; extractors on one task are drawn alike.
        over: `utterances` for an interval over other utterances of these speakers only.
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
        uniforms = rng.permutation((np.arange(draws) + 0.5) / draws)  # evenly spread: quantiles do not depend on luck
        accuracy = posterior_draws(hits.sum(axis=1), sizes.sum(axis=1), uniforms)
        uar = posterior_draws(*_weighted(hits, sizes), uniforms)
        return Draws(accuracy, uar, "speakers", len(speakers), "beta-binomial", scores)
    if over == "speakers":
        count = len(speakers)
        times = rng.multinomial(count, np.full(count, 1 / count), draws).astype(float)
        drawn_hits, drawn_sizes = times @ hits, times @ sizes
    else:
        count = len(truth)
        # Utterances of one class that came out alike are one group, drawn as often.
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
    """Right answers and answers of each speaker, every class weighted alike, as UAR does.

    Answers are counted as so many equally weighted ones as have the same variance, the effective sample size (Kish,
    1965, "Survey Sampling").

    Args:
        hits, sizes: by speaker and class, shape (speakers, classes).
    """
    weights = 1 / sizes.sum(axis=0)
    sums = sizes @ weights
    effective = sums**2 / (sizes @ weights**2)
    return effective * (hits @ weights) / sums, effective


def concordance_interval(result: ContinuousResult, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The interval of the chosen regressor's concordance, over speakers, or over utterances with too few of them."""
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
    """CCC of sums of 1, t, p, t^2, p^2 and tp, shape (draws, 6)."""
    n, t, p, tt, pp, tp = sums.T
    covariance = tp / n - t * p / n**2
    whole = tt / n - (t / n) ** 2 + pp / n - (p / n) ** 2 + ((t - p) / n) ** 2
    concordance: Numbers = np.divide(2 * covariance, whole, out=np.ones_like(whole), where=whole > 0)
    return concordance


def widening(groups: int) -> float:
    """How far draws of few groups are moved away from the score, as a factor.

    They vary too little: they lack n / (n - 1) of the variance, and tails as long as those of Student's t. Hesterberg
    (2015, "What Teachers Should Know About the Bootstrap", section 5.3) widens the percentiles for both reasons.
    """
    from scipy.special import ndtri, stdtrit  # here, for whoever prints a table imports this module

    upper = 0.5 + LEVEL / 2
    return float(np.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, upper) / ndtri(upper))


def interval(
    draws: Numbers,
    over: Over,
    groups: int,
    bounds: tuple[float, float] = (0.0, 1.0),
    method: Method = "bootstrap",
) -> Interval:
    """The middle 95 % of draws, within bounds."""
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(max(float(low), bounds[0]), min(float(high), bounds[1]), over, groups, method)


def _mean_recall(hits: Numbers, sizes: Numbers) -> Numbers:
    """Mean over the classes that were drawn, shape (draws,)."""
    recall = np.divide(hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
    mean: Numbers = recall.sum(axis=1) / (sizes > 0).sum(axis=1)
    return mean
