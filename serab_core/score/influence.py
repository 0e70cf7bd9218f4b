"""The influence of each utterance on a metric, which gives its variance over utterances and over speakers.

A metric is a smooth function of the frequencies of utterances. The influence of an utterance is the derivative of the
metric with respect to the utterance's frequency (Hampel, 1974, "The influence curve and its role in robust
estimation"; the infinitesimal jackknife of Efron, 1982, chapter 6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from serab_core.score.scored import Scored

    Floats = npt.NDArray[np.float64]


def influences(test: Scored, metric: str) -> Floats:
    """Return the influence of each utterance on a metric, divided by the number of utterances.

    The influences sum to 0. The sum of their squares is the variance of the metric over utterances.

    Args:
        test: the predictions.
        metric: a metric that ranks: one of classes, or `ccc`.

    Returns:
        shape (n,).

    Example:
        >>> from serab_core.score.scored import Scored
        >>> test = Scored(("a", "b"), np.array(["x", "y"]), np.array(["x", "x"]), np.array(["1", "2"]))
        >>> influences(test, "accuracy").tolist()
        [0.25, -0.25]
    """
    if test.continuous:
        return _of_concordance(test.truth, test.predicted)
    classes, places = np.unique(np.concatenate([test.truth, test.predicted]), return_inverse=True)
    true, predicted = places[: len(test.truth)], places[len(test.truth) :]
    counts = np.bincount(true * len(classes) + predicted, minlength=len(classes) ** 2).astype(np.float64)
    gradient = _gradient(metric, counts.reshape(len(classes), len(classes)))
    chosen: Floats = gradient[true, predicted]
    return chosen


def _gradient(metric: str, counts: Floats) -> Floats:
    """Return the derivative of a metric with respect to each cell of the confusion matrix, shape (classes, classes)."""
    hits, true, predicted, whole = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    same, occurs = np.eye(len(counts)), true > 0
    accuracy = (same - hits.sum() / whole) / whole
    if metric == "accuracy":
        return np.asarray(accuracy)
    if metric in ("uar", "macro_recall"):
        recall = np.divide(hits, true, out=np.zeros_like(true), where=occurs)
        counted = occurs if metric == "uar" else occurs | (predicted > 0)
        scale = np.divide(1.0, true, out=np.zeros_like(true), where=occurs) / counted.sum()
        return np.asarray((same - recall[:, None]) * scale[:, None])
    if metric == "kappa":
        agreement, chance = hits.sum() / whole, float(true @ predicted) / whole**2
        of_chance = (predicted[:, None] + true[None, :]) / whole**2 - 2 * chance / whole
        if chance >= 1:
            return np.zeros_like(counts)
        return np.asarray(accuracy / (1 - chance) - (1 - agreement) / (1 - chance) ** 2 * of_chance)
    both = true + predicted
    f1 = np.divide(2 * hits, both, out=np.zeros_like(both), where=occurs)
    weights = occurs / occurs.sum() if metric == "macro_f1" else true / whole
    scale = np.divide(weights, both, out=np.zeros_like(both), where=occurs)
    # A cell (i, j) adds to the hits of i if i = j, to the true labels of i, and to the predictions of j.
    gradient = 2 * same * scale[:, None] - (f1 * scale)[:, None] - (f1 * scale)[None, :]
    if metric == "weighted_f1":
        gradient = gradient + (f1[:, None] - float(f1 @ weights)) / whole
    return np.asarray(gradient)


def _of_concordance(truth: Floats, predicted: Floats) -> Floats:
    t, p = truth - truth.mean(), predicted - predicted.mean()
    shift = float(truth.mean() - predicted.mean())
    product, of_truth, of_predicted = float(np.mean(t * p)), float(np.mean(t * t)), float(np.mean(p * p))
    whole = of_truth + of_predicted + shift**2
    if whole <= 0:
        return np.zeros_like(t)
    below = (t * t - of_truth) + (p * p - of_predicted) + 2 * shift * (t - p)
    above = 2 * (t * p - product)
    return np.asarray((above - 2 * product / whole * below) / whole / len(t))
