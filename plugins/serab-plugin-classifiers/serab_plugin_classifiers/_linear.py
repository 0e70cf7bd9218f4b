"""LDA with Ledoit-Wolf shrinkage, solved in the smaller of n and d dimensions.

scikit-learn's `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")` averages, over the classes with their
priors p_k, the Ledoit-Wolf covariance of the standardised class, scaled back:

    S = sum_k p_k D_k [(1 - a_k) Z_k' Z_k / n_k + a_k m_k I] D_k

with Z_k the standardised examples of class k, D_k = diag(their deviations), a_k the shrinkage and m_k the mean variance
(Ledoit & Wolf, 2004). The first term's factors stack to U' U with n rows, the second is a diagonal A, so

    S^-1 B = A^-1 B - A^-1 U' (I + U A^-1 U')^-1 U A^-1 B        (Woodbury)

costs O(n^2 d) where the d x d system costs O(d^3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
import scipy.special

from serab_core.plugin import Examples, Exported, PointError

if TYPE_CHECKING:
    from serab_core.plugin import Features, Labels, Params


@dataclass(frozen=True, slots=True)
class LinearPredictor:
    """Linear predictor: labels (k,), weights (k, d) and offsets (k,). The class with the largest score wins."""

    labels: Labels
    weights: Features
    offsets: Features

    def decision(self, X: Features) -> Features:
        """Return the scores, float64, shape (n, k)."""
        scores: Features = X @ self.weights.T + self.offsets
        return scores

    def predict(self, X: Features) -> Labels:
        """Return class indices for features of shape (n, d)."""
        chosen: Labels = self.labels[np.argmax(self.decision(X), axis=1)]
        return chosen

    def predict_proba(self, X: Features) -> Features:
        """Return the probability of each class, shape (n, classes): the softmax of the scores."""
        return by_class_index(self.decision(X), self.labels)

    def export(self) -> Exported:
        """Return the arrays."""
        return Exported({"labels": self.labels, "weights": self.weights, "offsets": self.offsets})

    @classmethod
    def rebuild(cls, exported: Exported) -> LinearPredictor:
        """Return the predictor of an export."""
        return cls(**exported.arrays)


def by_class_index(log_posteriors: Features, labels: Labels) -> Features:
    """Return probabilities with a column for each class index up to the largest label; absent classes have 0.

    Args:
        log_posteriors: up to a constant for each row, shape (n, k).
        labels: the class index of each column, shape (k,).
    """
    probabilities = np.zeros((len(log_posteriors), int(labels.max()) + 1))
    probabilities[:, labels] = scipy.special.softmax(log_posteriors, axis=1)
    return probabilities


class LinearWorkspace:
    """Workspace with the training examples, and with the examples of both splits."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._train = train
        self._both = train.followed_by(validation)

    def fit(self, params: Params) -> LinearPredictor:
        """Fit on the training examples."""
        return fit_linear(self._train, _shrinkage(params))

    def refit(self, params: Params) -> LinearPredictor:
        """Fit on training and validation examples together."""
        return fit_linear(self._both, _shrinkage(params))


def _shrinkage(params: Params) -> float | None:
    shrinkage = params.get("shrinkage")
    assert shrinkage is None or isinstance(shrinkage, float)
    return shrinkage


def fit_linear(examples: Examples, shrinkage: float | None = None) -> LinearPredictor:
    """Fit LDA to examples of shape (n, d).

    Args:
        examples: the examples.
        shrinkage: shrinkage of each class's covariance towards its mean variance, as in scikit-learn; None for the
            shrinkage of Ledoit and Wolf on the standardised class.

    Raises:
        PointError: there are fewer than two classes.
    """
    labels, counts = np.unique(examples.y, return_counts=True)
    if len(labels) < 2:
        raise PointError("the examples are all of one class")
    n, d = examples.X.shape
    means = np.stack([examples.X[examples.y == label].mean(axis=0) for label in labels])
    priors = counts / n
    factor, diagonal = covariance_factors(examples.X, examples.y, labels, means, shrinkage)
    if d <= n or diagonal.min() <= np.finfo(float).eps * diagonal.max():
        covariance = factor.T @ factor
        covariance.flat[:: d + 1] += diagonal
        weights = scipy.linalg.lstsq(covariance, means.T)[0].T
    else:
        weights = _woodbury(factor, diagonal, means.T).T
    offsets = -0.5 * np.einsum("kd,kd->k", means, weights) + np.log(priors)
    return LinearPredictor(labels.astype(np.int64), weights, offsets)


def covariance_factors(
    X: Features, y: Labels, labels: Labels, means: Features, fixed: float | None
) -> tuple[Features, Features]:
    """Return the factors of the pooled covariance U' U + diag(A).

    Returns:
        U of shape (n, d) and A of shape (d,).
    """
    n, d = X.shape
    factor = np.empty_like(X)
    diagonal = np.zeros(d)
    start = 0
    for label, mean in zip(labels, means, strict=True):
        centred = X[y == label] - mean
        size = len(centred)
        prior = size / n
        if fixed is not None:
            factor[start : start + size] = np.sqrt(prior * (1.0 - fixed) / size) * centred
            diagonal += prior * fixed * float(np.mean(centred**2))
            start += size
            continue
        deviation = np.sqrt(np.mean(centred**2, axis=0))
        # As in scikit-learn's StandardScaler, a feature that is constant up to rounding is not scaled.
        constant = deviation**2 <= size * np.finfo(float).eps * deviation**2 + (size * mean * np.finfo(float).eps) ** 2
        deviation[constant] = 1.0
        shrinkage, variance = ledoit_wolf(centred / deviation)
        factor[start : start + size] = np.sqrt(prior * (1.0 - shrinkage) / size) * centred
        diagonal += prior * shrinkage * variance * deviation**2
        start += size
    return factor, diagonal


def ledoit_wolf(Z: Features) -> tuple[float, float]:
    """Return shrinkage and mean variance of centred examples (Ledoit & Wolf, 2004, section 3.2) from n x n products.

    The squared entries of Z' Z and of Z Z' have the same sum, and the entries of (Z^2)' (Z^2) sum to the sum of the
    squared row sums of Z^2.

    Args:
        Z: shape (n, d), centred.

    Returns:
        the shrinkage in [0, 1] and the mean variance.
    """
    n, d = Z.shape
    squared = Z**2
    variance = float(squared.sum() / (n * d))
    if d == 1:
        return 0.0, variance
    gram = Z @ Z.T if n <= d else Z.T @ Z
    off = float(np.sum(gram**2)) / n**2
    beta = (float(np.sum(squared.sum(axis=1) ** 2)) / n - off) / (d * n)
    delta = (off - d * variance**2) / d
    beta = min(beta, delta)
    return (0.0 if beta == 0.0 else beta / delta), variance


def _woodbury(factor: Features, diagonal: Features, B: Features) -> Features:
    scaled = factor / diagonal
    inner = scaled @ factor.T
    inner.flat[:: len(inner) + 1] += 1.0
    solved = scipy.linalg.solve(inner, scaled @ B, assume_a="pos")
    solution: Features = B / diagonal[:, None] - scaled.T @ solved
    return solution
