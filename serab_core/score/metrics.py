"""Metrics for classes and for continuous targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Classes = Sequence[Any] | npt.NDArray[Any]
    Numbers = Sequence[Any] | npt.NDArray[Any]


def accuracy(truth: Classes, predicted: Classes) -> float:
    """Return the fraction of correct predictions, in [0, 1]. ValueError for no utterances, or for unequal lengths."""
    true, predictions = _checked(truth, predicted)
    return float(np.mean(true == predictions))


def uar(truth: Classes, predicted: Classes) -> float:
    """Return the unweighted average recall: the mean recall over the classes that occur in `truth`, in [0, 1].

    A class that occurs only among the predictions has no recall and does not count (Schuller et al., Interspeech 2009
    Emotion Challenge, section 3). ValueError for no utterances, or for unequal lengths.
    """
    true, predictions = _checked(truth, predicted)
    return float(np.mean([np.mean(predictions[true == label] == label) for label in np.unique(true)]))


def macro_f1(truth: Classes, predicted: Classes) -> float:
    """Return the mean F1 over the classes that occur in `truth` or among the predictions, in [0, 1].

    A class without a correct prediction has an F1 of 0. ValueError for no utterances, or for unequal lengths.
    """
    true, predictions = _checked(truth, predicted)
    labels = np.union1d(true, predictions)
    hits = np.array([np.sum((true == label) & (predictions == label)) for label in labels], float)
    sizes = np.array([np.sum(true == label) + np.sum(predictions == label) for label in labels], float)
    return float(np.mean(2 * hits / sizes))


def recalls(truth: Classes, predicted: Classes) -> dict[str, float]:
    """Return the recall of each class that occurs in `truth`, in [0, 1]; sorted by class. ValueError as for `uar`."""
    true, predictions = _checked(truth, predicted)
    return {str(label): float(np.mean(predictions[true == label] == label)) for label in np.unique(true)}


def confusion(truth: Classes, predicted: Classes, labels: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the confusion matrix: true classes in rows, predicted classes in columns, in the order of `labels`.

    ValueError for a label that is not in `labels`.
    """
    true, predictions = _checked(truth, predicted)
    place = {label: position for position, label in enumerate(labels)}
    try:
        rows, columns = [place[str(label)] for label in true], [place[str(label)] for label in predictions]
    except KeyError as error:
        raise ValueError(f"unknown label {error}") from error
    counts = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts


def ccc(truth: Numbers, predicted: Numbers) -> float:
    """Return the concordance correlation coefficient, in [-1, 1] (Lin, 1989).

    It is 2 cov / (var + var + (difference of means)^2), with the variances and covariance of the population; 1 for two
    equal constants. ValueError as for `uar`.
    """
    true, predictions = _numbers(truth, predicted)
    covariance = float(np.mean((true - true.mean()) * (predictions - predictions.mean())))
    whole = float(true.var() + predictions.var() + (true.mean() - predictions.mean()) ** 2)
    return 2 * covariance / whole if whole else 1.0


def pearson(truth: Numbers, predicted: Numbers) -> float:
    """Return Pearson's correlation, in [-1, 1]; 0 if either is constant. ValueError as for `uar`."""
    true, predictions = _numbers(truth, predicted)
    scale = float(true.std() * predictions.std())
    return float(np.mean((true - true.mean()) * (predictions - predictions.mean()))) / scale if scale else 0.0


def rmse(truth: Numbers, predicted: Numbers) -> float:
    """Return the root mean square error, in the unit of the target. ValueError as for `uar`."""
    true, predictions = _numbers(truth, predicted)
    return float(np.sqrt(np.mean((true - predictions) ** 2)))


def continuous_scores(truth: Numbers, predicted: Numbers) -> dict[str, float]:
    """Return `ccc`, `pearson` and `rmse` by name. ValueError as for `uar`."""
    return {"ccc": ccc(truth, predicted), "pearson": pearson(truth, predicted), "rmse": rmse(truth, predicted)}


METRICS: dict[str, Callable[[Classes, Classes], float]] = {"accuracy": accuracy, "uar": uar, "ccc": ccc}


def _numbers(truth: Numbers, predicted: Numbers) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    true, predictions = _checked(truth, predicted)
    return true.astype(np.float64), predictions.astype(np.float64)


def _checked(truth: Classes, predicted: Classes) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    true, predictions = np.asarray(truth), np.asarray(predicted)
    if true.shape != predictions.shape or true.ndim != 1:
        raise ValueError(f"truth has shape {true.shape} and predicted {predictions.shape}")
    if not len(true):
        raise ValueError("there are no utterances to score")
    return true, predictions
