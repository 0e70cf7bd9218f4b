"""The test predictions of one classifier as arrays, for all statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Predictions on a test split.

    Attributes:
        ids: the ids of the utterances.
        truth, predicted: labels, shape (n,).
        speakers: the true speaker of each utterance, shape (n,).
    """

    ids: tuple[str, ...]
    truth: npt.NDArray[np.str_]
    predicted: npt.NDArray[np.str_]
    speakers: npt.NDArray[np.str_]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """The utterances with a correct prediction, as a mask of shape (n,)."""
        return np.equal(self.truth, self.predicted)


def scored(result: TaskResult, classifier: str = "") -> Scored:
    """Return the test predictions of a classifier, by default the chosen one, sorted by id.

    KeyError for a classifier that was not run.
    """
    test = result.outcome(classifier or result.chosen).test
    if test is None:
        raise KeyError(classifier)
    order = np.argsort(np.array(test.ids), kind="stable")  # sorted already, unless another program wrote the file
    ids = tuple(test.ids[place] for place in order)
    speakers = np.array([result.speakers[identifier] for identifier in ids])
    return Scored(ids, np.array(test.truth)[order], np.array(test.predicted)[order], speakers)
