"""The test predictions of one classifier as arrays: what every statistic starts from."""

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
        ids: of the utterances.
        truth, predicted: labels, shape (n,).
        speakers: who truly speaks, shape (n,).
    """

    ids: tuple[str, ...]
    truth: npt.NDArray[np.str_]
    predicted: npt.NDArray[np.str_]
    speakers: npt.NDArray[np.str_]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which utterances were told right, shape (n,)."""
        return np.equal(self.truth, self.predicted)


def scored(result: TaskResult, classifier: str = "") -> Scored:
    """The test predictions of one classifier, sorted by id; of the chosen one by default.

    KeyError for a classifier that was not run.
    """
    test = result.outcome(classifier or result.chosen).test
    if test is None:
        raise KeyError(classifier)
    order = np.argsort(np.array(test.ids), kind="stable")  # sorted already, unless another program wrote the file
    ids = tuple(test.ids[place] for place in order)
    speakers = np.array([result.speakers[identifier] for identifier in ids])
    return Scored(ids, np.array(test.truth)[order], np.array(test.predicted)[order], speakers)
