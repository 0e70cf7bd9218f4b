"""Fairness: scores by speaker, and by speaker sex if the corpus declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.bootstrap import LEVEL, SEED, by_group
from serab_core.score.metrics import accuracy, ccc, uar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from serab_core.score.scored import Scored

    Floats = npt.NDArray[np.float64]
    Places = npt.NDArray[np.intp]

PERMUTATIONS = 10_000  # random permutations for the p-value of the gap between speakers
CONTINUOUS_PERMUTATIONS = 2_000  # the same for a continuous target, whose permutations take longer
MIN_PER_SEX = 2  # speakers of each sex for a test of the difference between women and men


@dataclass(frozen=True, slots=True)
class Group:
    """The utterances of one speaker, or of one sex.

    Attributes:
        name: the speaker, or `f` or `m`.
        utterances, speakers: numbers of utterances and of speakers.
        scores: `accuracy` and `uar` in [0, 1], UAR over the classes that occur in the group; `ccc` for a continuous
            target.
    """

    name: str
    utterances: int
    speakers: int
    scores: Mapping[str, float]


def main_metric(test: Scored) -> str:
    """Return the metric of gaps: `accuracy`, or `ccc` for a continuous target."""
    return "ccc" if test.continuous else "accuracy"


def by_speaker(test: Scored) -> tuple[Group, ...]:
    """Return the group of each speaker, the lowest accuracy or CCC first."""
    groups = [_group(test, str(speaker), test.speakers == speaker) for speaker in np.unique(test.speakers)]
    return tuple(sorted(groups, key=lambda group: (group.scores[main_metric(test)], group.name)))


def by_sex(test: Scored, sexes: Mapping[str, str]) -> tuple[Group, ...]:
    """Return the groups of women and men if the sex of every speaker is declared; no groups otherwise."""
    if not sexes or any(str(speaker) not in sexes for speaker in np.unique(test.speakers)):
        return ()
    utterance_sexes = np.array([sexes[str(speaker)] for speaker in test.speakers])
    return tuple(_group(test, sex, utterance_sexes == sex) for sex in ("f", "m") if (utterance_sexes == sex).any())


def _group(test: Scored, name: str, mask: npt.NDArray[np.bool_]) -> Group:
    part = test.part(mask)
    truth, predicted = part.truth, part.predicted
    if test.continuous:
        scores = {"ccc": ccc(truth, predicted)}
    else:
        scores = {"accuracy": accuracy(truth, predicted), "uar": uar(truth, predicted)}
    return Group(name, len(truth), len(np.unique(part.speakers)), scores)


@dataclass(frozen=True, slots=True)
class SpeakerGap:
    """The difference between the speakers with the highest and the lowest accuracy, or CCC.

    Attributes:
        worst, best: the speakers.
        gap: best minus worst.
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
    """The difference in accuracy, or CCC, between women and men, as means over speakers.

    Attributes:
        difference: women minus men.
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
    difficult classes do not count as disadvantaged. For a continuous target, utterances are permuted among speakers.
    """
    groups = by_speaker(test)
    if len(groups) < 2:
        return None
    rng = np.random.default_rng(seed)
    speaker = np.unique(test.speakers, return_inverse=True)[1]
    scores = _permuted_concordances if test.continuous else _permuted_accuracies
    by_draw = scores(test, speaker, min(draws, CONTINUOUS_PERMUTATIONS) if test.continuous else draws, rng)
    gaps = by_draw.max(axis=1) - by_draw.min(axis=1)
    metric = main_metric(test)
    gap = groups[-1].scores[metric] - groups[0].scores[metric]
    p = (1 + int(np.sum(gaps >= gap - 1e-9))) / (1 + len(gaps))
    return SpeakerGap(groups[0].name, groups[-1].name, gap, float(gaps.mean()), p)


def _permuted_accuracies(test: Scored, speaker: Places, draws: int, rng: np.random.Generator) -> Floats:
    """Return the accuracy of each speaker after permutations within classes, shape (draws, speakers)."""
    count = int(speaker.max()) + 1
    hits = np.zeros((draws, count))
    for label in np.unique(test.truth):
        mask = test.truth == label
        sizes = np.bincount(speaker[mask], minlength=count)
        right = int(test.right[mask].sum())
        hits += rng.multivariate_hypergeometric(sizes, right, draws, method="marginals")
    return np.asarray(hits / np.bincount(speaker))


def _permuted_concordances(test: Scored, speaker: Places, draws: int, rng: np.random.Generator) -> Floats:
    """Return the CCC of each speaker after permutations of utterances, shape (draws, speakers)."""
    return np.stack([by_group(test, "ccc", rng.permutation(speaker)) for _ in range(draws)])


def sex_gap(test: Scored, sexes: Mapping[str, str]) -> SexGap | None:
    """Return the difference between women and men; None if the test split lacks either, or a sex is unknown."""
    speakers = [group for group in by_speaker(test) if sexes.get(group.name) in ("f", "m")]
    women, men = (
        np.array([speaker.scores[main_metric(test)] for speaker in speakers if sexes[speaker.name] == sex])
        for sex in ("f", "m")
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
