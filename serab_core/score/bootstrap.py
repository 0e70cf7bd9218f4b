"""How far a score may be from what it would be for other speakers: bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from serab_core.score.scored import Scored
    from serab_core.types import ContinuousResult

    Numbers = npt.NDArray[np.float64]

DRAWS, SEED, LEVEL = 2_000, 42, 0.95
LEAST_SPEAKERS = 5
"""With fewer the interval is drawn over utterances: a handful of speakers says too little of how speakers differ."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval.

    Attributes:
        low, high: shares in [0, 1], or differences of shares.
        over: what was drawn: `speakers`, or `utterances` where there are too few speakers. The latter knows nothing of
            how speakers differ, and is too narrow for claims about other ones.
        groups: how many of them there are.
    """

    low: float
    high: float
    over: Literal["speakers", "utterances"]
    groups: int


@dataclass(frozen=True, slots=True)
class Draws:
    """Scores of drawn test splits, already as wide as the interval that is read off them.

    Attributes:
        accuracy, uar: shape (draws,).
        over, groups: as in `Interval`.
    """

    accuracy: Numbers
    uar: Numbers
    over: Literal["speakers", "utterances"]
    groups: int

    def interval(self, metric: Literal["accuracy", "uar"]) -> Interval:
        """The middle 95 %."""
        return interval(self.accuracy if metric == "accuracy" else self.uar, self.over, self.groups)


def drawn(test: Scored, draws: int = DRAWS, seed: int = SEED) -> Draws:
    """Draws as many speakers as there are, with replacement, again and again; or utterances, with too few speakers.

    Args:
        test: predictions of at least two utterances.
        draws: how many.
        seed: of the generator; equal for all, so that extractors are drawn alike.
    """
    classes, truth = np.unique(test.truth, return_inverse=True)
    speakers, speaker = np.unique(test.speakers, return_inverse=True)
    rng = np.random.default_rng(seed)
    over: Literal["speakers", "utterances"] = "speakers" if len(speakers) >= LEAST_SPEAKERS else "utterances"
    # Hits and sizes by group and class. Utterances of one class that came out alike are one group, drawn as often.
    group = speaker if over == "speakers" else 2 * truth + test.right
    count = len(speakers) if over == "speakers" else 2 * len(classes)
    hits, sizes = np.zeros((2, count, len(classes)))
    np.add.at(sizes, (group, truth), 1.0)
    np.add.at(hits, (group, truth), test.right.astype(float))
    if over == "speakers":
        times = rng.multinomial(count, np.full(count, 1 / count), draws).astype(float)
        drawn_hits, drawn_sizes, groups = times @ hits, times @ sizes, count
    else:
        times = rng.multinomial(len(truth), sizes.sum(axis=1) / len(truth), draws).astype(float)
        share = np.divide(hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
        kind = (sizes > 0).astype(float)
        drawn_hits, drawn_sizes, groups = times @ (share * kind), times @ kind, len(truth)
    factor = widening(groups)
    accuracy = drawn_hits.sum(axis=1) / drawn_sizes.sum(axis=1)
    uar = _mean_recall(drawn_hits, drawn_sizes)
    whole = test.right.mean()
    whole_uar = float(_mean_recall(hits.sum(axis=0, keepdims=True), sizes.sum(axis=0, keepdims=True))[0])
    return Draws(whole + factor * (accuracy - whole), whole_uar + factor * (uar - whole_uar), over, groups)


def concordance_interval(result: ContinuousResult, draws: int = DRAWS, seed: int = SEED) -> Interval:
    """The interval of the chosen regressor's concordance, over speakers, or over utterances with too few of them."""
    test = result.outcome(result.chosen).test
    assert test is not None
    truth, told = np.asarray(test.truth, np.float64), np.asarray(test.predicted, np.float64)
    names, speaker = np.unique([result.speakers[identifier] for identifier in test.ids], return_inverse=True)
    over: Literal["speakers", "utterances"] = "speakers" if len(names) >= LEAST_SPEAKERS else "utterances"
    group = speaker if over == "speakers" else np.arange(len(truth))
    count = int(group.max()) + 1
    moments = np.stack([np.ones_like(truth), truth, told, truth**2, told**2, truth * told])
    sums = np.stack([np.bincount(group, own, count) for own in moments], axis=1).astype(np.float64)
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
    found: Numbers = np.divide(2 * covariance, whole, out=np.ones_like(whole), where=whole > 0)
    return found


def widening(groups: int) -> float:
    """How far draws of few groups are moved away from the score, as a factor.

    They vary too little: they lack n / (n - 1) of the variance, and tails as long as those of Student's t. Hesterberg
    (2015, "What Teachers Should Know About the Bootstrap", section 5.3) widens the percentiles for both reasons.
    """
    from scipy.special import ndtri, stdtrit  # here, for whoever prints a table imports this module

    upper = 0.5 + LEVEL / 2
    return float(np.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, upper) / ndtri(upper))


def interval(
    draws: Numbers, over: Literal["speakers", "utterances"], groups: int, bounds: tuple[float, float] = (0.0, 1.0)
) -> Interval:
    """The middle 95 % of draws, within bounds."""
    low, high = np.quantile(draws, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return Interval(max(float(low), bounds[0]), min(float(high), bounds[1]), over, groups)


def _mean_recall(hits: Numbers, sizes: Numbers) -> Numbers:
    """Mean over the classes that were drawn, shape (draws,)."""
    recall = np.divide(hits, sizes, out=np.zeros_like(hits), where=sizes > 0)
    mean: Numbers = recall.sum(axis=1) / (sizes > 0).sum(axis=1)
    return mean
