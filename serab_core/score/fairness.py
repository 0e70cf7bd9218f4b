"""Fairness: accuracy and UAR by speaker, and by speaker sex if the corpus declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.bootstrap import LEVEL, SEED
from serab_core.score.metrics import accuracy, uar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from serab_core.score.scored import Scored

PERMUTATIONS = 10_000  # random permutations for the p-value of the gap between speakers
MIN_PER_SEX = 2  # speakers of each sex for a test of the difference between women and men


@dataclass(frozen=True, slots=True)
class Group:
    """The utterances of one speaker, or of one sex.

    Attributes:
        name: the speaker, or `f` or `m`.
        utterances, speakers: numbers of utterances and of speakers.
        accuracy, uar: in [0, 1]; UAR over the classes that occur in the group.
    """

    name: str
    utterances: int
    speakers: int
    accuracy: float
    uar: float


def by_speaker(test: Scored) -> tuple[Group, ...]:
    """Return the group of each speaker, the lowest accuracy first."""
    groups = [_group(test, str(speaker), test.speakers == speaker) for speaker in np.unique(test.speakers)]
    return tuple(sorted(groups, key=lambda group: (group.accuracy, group.name)))


def by_sex(test: Scored, sexes: Mapping[str, str]) -> tuple[Group, ...]:
    """Return the groups of women and men if the sex of every speaker is declared; no groups otherwise."""
    if not sexes or any(str(speaker) not in sexes for speaker in np.unique(test.speakers)):
        return ()
    utterance_sexes = np.array([sexes[str(speaker)] for speaker in test.speakers])
    return tuple(_group(test, sex, utterance_sexes == sex) for sex in ("f", "m") if (utterance_sexes == sex).any())


def _group(test: Scored, name: str, mask: npt.NDArray[np.bool_]) -> Group:
    truth, predicted = test.truth[mask], test.predicted[mask]
    speakers = len(np.unique(test.speakers[mask]))
    return Group(name, len(truth), speakers, accuracy(truth, predicted), uar(truth, predicted))


@dataclass(frozen=True, slots=True)
class SpeakerGap:
    """The difference in accuracy between the speakers with the highest and the lowest accuracy.

    Attributes:
        worst, best: the speakers.
        gap: best minus worst, in [0, 1].
        expected: the mean gap under the null hypothesis of equal speakers; it grows with the number of speakers.
        p: the p-value of the gap under the same null hypothesis.
    """

    worst: str
    best: str
    gap: float
    expected: float
    p: float


@dataclass(frozen=True, slots=True)
class SexGap:
    """The difference in accuracy between women and men, as means over speakers.

    Attributes:
        difference: women minus men, in [-1, 1].
        low, high: its 95 % confidence interval for new speakers; None if there are too few of either sex.
        p: the p-value of Welch's t test over speakers; None in the same case.
        women, men: numbers of speakers.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None
    women: int
    men: int


def speaker_gap(test: Scored, draws: int = PERMUTATIONS, seed: int = SEED) -> SpeakerGap | None:
    """Return the gap between speakers and its null distribution; None for one speaker.

    The right answers are permuted among the utterances of each class, so that speakers with more utterances of
    difficult classes do not count as disadvantaged.
    """
    groups = by_speaker(test)
    if len(groups) < 2:
        return None
    rng = np.random.default_rng(seed)
    speaker = np.unique(test.speakers, return_inverse=True)[1]
    hits = np.zeros((draws, len(groups)))
    for label in np.unique(test.truth):
        mask = test.truth == label
        sizes = np.bincount(speaker[mask], minlength=len(groups))
        right = int(test.right[mask].sum())
        hits += rng.multivariate_hypergeometric(sizes, right, draws, method="marginals")
    rates = hits / np.bincount(speaker)
    gaps = rates.max(axis=1) - rates.min(axis=1)
    gap = groups[-1].accuracy - groups[0].accuracy
    p = (1 + int(np.sum(gaps >= gap - 1e-9))) / (1 + draws)
    return SpeakerGap(groups[0].name, groups[-1].name, gap, float(gaps.mean()), p)


def sex_gap(test: Scored, sexes: Mapping[str, str]) -> SexGap | None:
    """Return the difference between women and men; None if the test split lacks either, or a sex is unknown."""
    speakers = [group for group in by_speaker(test) if sexes.get(group.name) in ("f", "m")]
    women, men = (
        np.array([speaker.accuracy for speaker in speakers if sexes[speaker.name] == sex]) for sex in ("f", "m")
    )
    if len(speakers) < len(np.unique(test.speakers)) or not len(women) or not len(men):
        return None
    difference = float(women.mean() - men.mean())
    if min(len(women), len(men)) < MIN_PER_SEX:
        return SexGap(difference, None, None, None, len(women), len(men))
    from scipy.special import stdtr, stdtrit

    variances = [accuracies.var(ddof=1) / len(accuracies) for accuracies in (women, men)]
    variance = float(sum(variances))
    if variance <= 0:  # equal accuracies within each sex: the variance for new speakers is unknown
        return SexGap(difference, None, None, None, len(women), len(men))
    freedom = variance**2 / sum(
        term**2 / (len(accuracies) - 1) for term, accuracies in zip(variances, (women, men), strict=True)
    )
    reach = float(stdtrit(freedom, 0.5 + LEVEL / 2)) * variance**0.5
    p = min(1.0, 2 * float(stdtr(freedom, -abs(difference) / variance**0.5)))
    return SexGap(difference, difference - reach, difference + reach, p, len(women), len(men))
