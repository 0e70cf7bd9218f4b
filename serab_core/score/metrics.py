"""Metrics for classes and for continuous targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Classes = Sequence[Any] | npt.NDArray[Any]
    Numbers = Sequence[Any] | npt.NDArray[Any]
    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and how it is shown.

    Attributes:
        name: the key of `scores` in results.
        title: the name in sentences.
        head: the head of a column.
        kind: the tasks that have it.
        ranks: whether extractors can be ranked and compared by it; larger is then better.
        percent: whether it is shown in percent; otherwise as a number with three decimals.
        bounds: the smallest and the largest possible value.
    """

    name: str
    title: str
    head: str
    kind: Literal["classes", "continuous"] = "classes"
    ranks: bool = True
    percent: bool = True
    bounds: tuple[float, float] = (0.0, 1.0)

    def text(self, value: float | None) -> str:
        """Return a score as tables show it; a dash for None."""
        if value is None:
            return "-"
        return f"{100 * value:.1f}" if self.percent else f"{value:.3f}"

    def signed(self, value: float) -> str:
        """Return a difference as tables show it, with its sign and in percentage points if scores are in percent."""
        return f"{100 * value:+.1f}" if self.percent else f"{value:+.3f}"

    @property
    def unit(self) -> str:
        """The unit of a difference: ` points`, or "" for a metric that is not in percent."""
        return " points" if self.percent else ""


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "accuracy", "Acc. %"),
        Metric("uar", "UAR", "UAR %"),
        Metric("macro_recall", "macro recall", "Recall %"),
        Metric("macro_f1", "macro-F1", "F1 %"),
        Metric("weighted_f1", "weighted F1", "wF1 %"),
        Metric("kappa", "Cohen's kappa", "Kappa", percent=False, bounds=(-1.0, 1.0)),
        Metric("top2", "top-2 accuracy", "Top-2 %", ranks=False),
        Metric("ece", "expected calibration error", "ECE %", ranks=False),
        Metric("log_loss", "log loss", "Log loss", ranks=False, percent=False, bounds=(0.0, float("inf"))),
        Metric("ccc", "CCC", "CCC", "continuous", percent=False, bounds=(-1.0, 1.0)),
        Metric("pearson", "Pearson's correlation", "Pearson", "continuous", False, False, (-1.0, 1.0)),
        Metric("rmse", "RMSE", "RMSE", "continuous", False, False, (0.0, float("inf"))),
    )
}
CLASS_METRICS = tuple(name for name, metric in METRICS.items() if metric.kind == "classes" and metric.ranks)
"""The metrics of every result on classes."""
RANKING_METRICS = tuple(name for name, metric in METRICS.items() if metric.ranks)


def from_margins(metric: str, margins: Floats) -> Floats:
    """Return a metric from numbers of utterances by class.

    Averages over classes are over the classes that occur in the true labels, so that UAR and macro-F1 have the same
    classes. Only `macro_recall` also counts classes that occur in the predictions alone.

    Args:
        metric: a name in `CLASS_METRICS`.
        margins: for each class the number of correct predictions, of true labels, and of predictions: the diagonal and
            the margins of confusion matrices. Shape (..., 3, classes).

    Returns:
        scores, shape (...).
    """
    hits, true, predicted = margins[..., 0, :], margins[..., 1, :], margins[..., 2, :]
    whole = true.sum(axis=-1)
    if metric == "accuracy":
        return np.asarray(hits.sum(axis=-1) / whole)
    occurs = true > 0
    if metric in ("uar", "macro_recall"):
        recall = np.divide(hits, true, out=np.zeros_like(true), where=occurs)
        counted = occurs if metric == "uar" else occurs | (predicted > 0)
        return np.asarray(recall.sum(axis=-1) / counted.sum(axis=-1))
    if metric == "kappa":
        agreement, chance = hits.sum(axis=-1) / whole, (true * predicted).sum(axis=-1) / whole**2
        # With one class in both, agreement by chance is complete and kappa is not defined; scikit-learn gives NaN.
        return np.asarray(np.divide(agreement - chance, 1 - chance, out=np.zeros_like(chance), where=chance < 1))
    f1 = np.divide(2 * hits, true + predicted, out=np.zeros_like(true), where=occurs)
    if metric == "weighted_f1":
        return np.asarray((f1 * true).sum(axis=-1) / whole)
    if metric == "macro_f1":
        return np.asarray(f1.sum(axis=-1) / occurs.sum(axis=-1))
    raise KeyError(metric)


def class_scores(truth: Classes, predicted: Classes) -> dict[str, float]:
    """Return every metric of `CLASS_METRICS` by name.

    - `accuracy`: the fraction of correct predictions, also called weighted accuracy (WA).
    - `uar`: the unweighted average recall (Schuller et al., Interspeech 2009 Emotion Challenge, section 3).
    - `macro_recall`: the mean recall over the classes that are true or predicted, as in scikit-learn's
      `recall_score(average="macro")`: a class that is only predicted counts as 0.
    - `macro_f1` and `weighted_f1`: the mean F1 over classes, with equal weights and with the numbers of utterances.
    - `kappa`: agreement beyond chance (Cohen, 1960); 0 if there is one class only.

    ValueError for no utterances, or for unequal lengths.
    """
    true, predictions = _checked(truth, predicted)
    classes, places = np.unique(np.concatenate([true, predictions]), return_inverse=True)
    labels, guesses = places[: len(true)], places[len(true) :]
    sizes = [np.bincount(part, minlength=len(classes)) for part in (labels[labels == guesses], labels, guesses)]
    margins = np.stack(sizes).astype(np.float64)
    return {metric: float(from_margins(metric, margins)) for metric in CLASS_METRICS}


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


def probability_scores(
    truth: Classes, predicted: Classes, labels: Sequence[str], probabilities: Numbers
) -> dict[str, float]:
    """Return the metrics of predicted probabilities.

    - `ece`: the expected calibration error, the mean distance between the probability of the predicted class and the
      fraction of correct predictions, over 15 bins of equal width (Guo et al., 2017, arXiv:1706.04599, equation 3).
    - `log_loss`: the mean negative natural logarithm of the probability of the true class. Probabilities are clipped
      to the precision of 32-bit numbers, so that it is finite.
    - `top2`: the fraction of utterances whose true class is one of the two most probable, of equal ones the first;
      absent for two classes.

    Args:
        truth: true labels, shape (n,).
        predicted: predicted labels, shape (n,).
        labels: the classes of the columns.
        probabilities: shape (n, classes).

    Raises:
        ValueError: there are no utterances, or the shapes do not match.
    """
    true, table = np.asarray(truth), np.asarray(probabilities, np.float64)
    if table.shape != (len(true), len(labels)) or not len(true):
        raise ValueError(f"truth has shape {true.shape} and probabilities {table.shape} for {len(labels)} labels")
    place = {label: position for position, label in enumerate(labels)}
    column = np.array([place.get(str(label), -1) for label in true])
    chosen = np.array([place.get(str(label), -1) for label in predicted])
    rows = np.arange(len(true))
    of_true = np.where(column >= 0, table[rows, column], 0.0)
    confidence = np.where(chosen >= 0, table[rows, chosen], 0.0)
    right = true == np.asarray(predicted)
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    gaps = np.abs(np.bincount(bins, confidence - right, _BINS))
    scores = {
        "ece": float(gaps.sum() / len(true)),
        "log_loss": float(-np.log(np.clip(of_true, np.finfo(np.float32).eps, 1.0)).mean()),
    }
    if len(labels) > 2:
        two = np.argsort(-table, axis=1, kind="stable")[:, :2]
        scores["top2"] = float(np.mean((two == column[:, None]).any(axis=1)))
    return scores


_BINS = 15  # bins of the expected calibration error; the number that Guo et al. (2017) use


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


OBJECTIVES: dict[str, Callable[[Classes, Classes], float]] = {"accuracy": accuracy, "uar": uar, "ccc": ccc}
"""The metrics that a search can maximise."""


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
