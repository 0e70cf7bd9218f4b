"""The test predictions of one classifier as arrays, for all statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Predictions on a test split.

    Attributes:
        ids: the ids of the utterances.
        truth, predicted: labels, or values of a continuous target, shape (n,).
        speakers: the true speaker of each utterance, shape (n,).
    """

    ids: tuple[str, ...]
    truth: npt.NDArray[Any]
    predicted: npt.NDArray[Any]
    speakers: npt.NDArray[np.str_]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """The utterances with a correct prediction, as a mask of shape (n,)."""
        return np.asarray(self.truth == self.predicted)

    @property
    def continuous(self) -> bool:
        """Whether the target is continuous."""
        return self.truth.dtype.kind == "f"

    def part(self, mask: npt.NDArray[np.bool_]) -> Scored:
        """Return some of the utterances."""
        ids = tuple(identifier for identifier, chosen in zip(self.ids, mask, strict=True) if chosen)
        return Scored(ids, self.truth[mask], self.predicted[mask], self.speakers[mask])


def scored(result: TaskResult, classifier: str = "") -> Scored:
    """Return the test predictions of a classifier, by default the chosen one, sorted by id.

    KeyError for a classifier that was not run.
    """
    test = result.outcome(classifier).test
    if test is None:
        raise KeyError(classifier)
    order = np.argsort(np.array(test.ids), kind="stable")  # sorted already, unless another program wrote the file
    ids = tuple(test.ids[place] for place in order)
    speakers = np.array([result.speakers[identifier] for identifier in ids])
    kind = None if result.target is None else np.float64
    return Scored(ids, np.array(test.truth, kind)[order], np.array(test.predicted, kind)[order], speakers)
