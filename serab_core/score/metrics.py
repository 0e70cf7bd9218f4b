"""Accuracy and unweighted average recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Classes = Sequence[Any] | npt.NDArray[Any]


def accuracy(truth: Classes, predicted: Classes) -> float:
    """Share of utterances whose class was told right, in [0, 1]. ValueError for none, or for unequal lengths."""
    true, told = _checked(truth, predicted)
    return float(np.mean(true == told))


def uar(truth: Classes, predicted: Classes) -> float:
    """Unweighted average recall: the mean, over the classes that occur in `truth`, of the share told right, in [0, 1].

    A class that occurs only among the predictions has no recall and does not count (Schuller et al., Interspeech 2009
    Emotion Challenge, section 3). ValueError for no utterances, or for unequal lengths.
    """
    true, told = _checked(truth, predicted)
    return float(np.mean([np.mean(told[true == label] == label) for label in np.unique(true)]))


METRICS: dict[str, Callable[[Classes, Classes], float]] = {"accuracy": accuracy, "uar": uar}


def _checked(truth: Classes, predicted: Classes) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    true, told = np.asarray(truth), np.asarray(predicted)
    if true.shape != told.shape or true.ndim != 1:
        raise ValueError(f"truth has shape {true.shape} and predicted {told.shape}")
    if not len(true):
        raise ValueError("there are no utterances to score")
    return true, told
