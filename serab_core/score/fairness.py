"""Whom an extractor serves worse: recall by speaker, and by speaker sex where the corpus declares it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.metrics import accuracy, uar

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from serab_core.score.scored import Scored


@dataclass(frozen=True, slots=True)
class Group:
    """The utterances of one speaker, or of one sex.

    Attributes:
        name: the speaker, or `f` or `m`.
        utterances, speakers: how many.
        accuracy, uar: in [0, 1]; UAR over the classes that the group has.
    """

    name: str
    utterances: int
    speakers: int
    accuracy: float
    uar: float


def by_speaker(test: Scored) -> tuple[Group, ...]:
    """Each speaker, the worst served first."""
    groups = [_group(test, str(speaker), test.speakers == speaker) for speaker in np.unique(test.speakers)]
    return tuple(sorted(groups, key=lambda group: (group.accuracy, group.name)))


def by_sex(test: Scored, sexes: Mapping[str, str]) -> tuple[Group, ...]:
    """Women and men, where every speaker's sex is declared; none otherwise."""
    if not sexes or any(str(speaker) not in sexes for speaker in np.unique(test.speakers)):
        return ()
    own = np.array([sexes[str(speaker)] for speaker in test.speakers])
    return tuple(_group(test, sex, own == sex) for sex in ("f", "m") if (own == sex).any())


def _group(test: Scored, name: str, kept: npt.NDArray[np.bool_]) -> Group:
    truth, predicted = test.truth[kept], test.predicted[kept]
    speakers = len(np.unique(test.speakers[kept]))
    return Group(name, len(truth), speakers, accuracy(truth, predicted), uar(truth, predicted))
