"""Logistic regression by scikit-learn's recipe, in coordinates in which it is small.

scikit-learn minimises the mean weighted cross-entropy plus |W|^2 / (2 C sum of weights) with SciPy's L-BFGS-B from
zero, and stops when no entry of the gradient exceeds 1e-4 or when the loss falls by less than 64 float64 epsilons. With
fewer utterances than dimensions W stays in the span of the utterances, and L-BFGS takes the same steps in any
orthonormal basis of it, for it knows inner products alone. Only the stopping test looks at entries: it is taken in the
original coordinates, and only once the gradient is short enough for it to hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
import scipy.optimize

from serab_core.plugin import Examples, PointError
from serab_plugin_classifiers._linear import LinearPredictor

if TYPE_CHECKING:
    from serab_core.plugin import Features, Params

TOLERANCE = 1e-4
"""The largest entry of the gradient at which scikit-learn stops, by default."""
OPTIMUM = 1e-8
"""The same for the converged variant."""
LEAST_FALL = 64 * float(np.finfo(float).eps)
MAX_ITERATIONS = 10_000


class Coordinates:
    """Examples in an orthonormal basis of their span, where that has fewer dimensions; else as they are.

    Attributes:
        X: float64, shape (n, r); `turned` is the same, transposed: a BLAS multiplies narrow matrices best from either.
        basis: float64, shape (d, r); None for the coordinates themselves.
        dimensions: d.
    """

    def __init__(self, examples: Examples) -> None:
        n, self.dimensions = examples.X.shape
        self.basis: Features | None = None
        self.X: Features = examples.X
        if n < self.dimensions:
            self.basis, upper = scipy.linalg.qr(examples.X.T, mode="economic", check_finite=False)
            self.X = np.ascontiguousarray(upper.T)
        self.turned: Features = np.ascontiguousarray(self.X.T)
        self.labels, self.classes = np.unique(examples.y, return_inverse=True)

    def original(self, weights: Features) -> Features:
        """Vectors, shape (k, r), in the original coordinates, shape (k, d)."""
        return weights if self.basis is None else weights @ self.basis.T


class Problem:
    """One weighting of the classes: loss and gradient as SciPy wants them, and the stopping test.

    Args:
        data: the examples.
        balanced: weights that give each class the same say, as scikit-learn's `class_weight="balanced"`.
        C: inverse of the penalty.
    """

    def __init__(self, data: Coordinates, *, balanced: bool, C: float) -> None:
        self._data = data
        n, count = len(data.classes), len(data.labels)
        if count < 2:
            raise PointError("the training examples have one class only")
        sizes = np.bincount(data.classes)
        weights = (n / (count * sizes))[data.classes] if balanced else np.ones(n)
        self._weights = weights / weights.sum()
        self._penalty = 1.0 / (C * weights.sum())
        self.columns = 1 if count == 2 else count
        if count == 2:
            self._truth = (data.classes == 1).astype(float)[None, :]
        else:
            self._truth = np.zeros((count, n))
            self._truth[data.classes, np.arange(n)] = 1.0
        self.size = (data.X.shape[1] + 1) * self.columns
        self._gradient = np.zeros((data.X.shape[1] + 1, self.columns))

    def loss_and_gradient(self, flat: Features) -> tuple[float, Features]:
        """The loss, and its gradient by weights and, last, intercepts: both of shape ((r + 1) * columns,)."""
        weights = flat.reshape(-1, self.columns)
        # Utterances run along the second axis, so that what is summed over classes are whole rows.
        scores = np.ascontiguousarray((self._data.X @ weights[:-1]).T)
        scores += weights[-1][:, None]
        if self.columns == 1:
            losses = (np.logaddexp(0.0, scores) - self._truth * scores)[0]
            residual = np.exp(-np.logaddexp(0.0, -scores)) - self._truth
        else:
            scores -= scores.max(axis=0)
            chosen = np.einsum("kn,kn->n", self._truth, scores)
            residual = np.exp(scores, out=scores)
            totals = residual.sum(axis=0)
            losses = np.log(totals) - chosen
            residual /= totals
            residual -= self._truth
        residual *= self._weights
        gradient = np.empty_like(weights)
        np.matmul(self._data.turned, np.ascontiguousarray(residual.T), out=gradient[:-1])
        gradient[:-1] += self._penalty * weights[:-1]
        gradient[-1] = residual.sum(axis=1)
        self._gradient = gradient
        inner = weights[:-1].ravel()
        return float(self._weights @ losses) + 0.5 * self._penalty * float(inner @ inner), gradient.ravel()

    def has_converged(self, tolerance: float) -> bool:
        """Whether no entry of the last gradient exceeds the tolerance, in the original coordinates."""
        inner = self._gradient[:-1]
        if np.abs(self._gradient[-1]).max() > tolerance:
            return False
        # The largest entry for a class is at least the length over the root of its dimensions: most steps end here.
        if np.sqrt(np.einsum("rk,rk->k", inner, inner).max() / self._data.dimensions) > tolerance:
            return False
        return float(np.abs(self._data.original(inner.T)).max()) <= tolerance


def solve(problem: Problem, start: Features, *, tolerance: float = TOLERANCE, least: float = LEAST_FALL) -> Features:
    """Weights and, last, intercepts, flat.

    Args:
        problem: what to minimise.
        start: where from; zeros are scikit-learn's.
        tolerance: the largest entry of the gradient to stop at.
        least: the least relative fall of the loss to go on with.
    """

    def after_step(intermediate_result: scipy.optimize.OptimizeResult) -> None:
        if problem.has_converged(tolerance):
            raise StopIteration

    problem.loss_and_gradient(start)
    if problem.has_converged(tolerance):
        return start
    solution: Features = scipy.optimize.minimize(
        problem.loss_and_gradient,
        start,
        method="L-BFGS-B",
        jac=True,
        callback=after_step,
        options={"maxiter": MAX_ITERATIONS, "maxls": 50, "gtol": 0.0, "ftol": least},
    ).x
    return solution


class LogisticWorkspace:
    """Turns the training examples, and both splits together, once each."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._examples = {"train": train, "both": train.followed_by(validation)}
        self._data: dict[str, Coordinates] = {}

    def fit(self, params: Params) -> LinearPredictor:
        """Fits on the training examples. Raises PointError for a single class."""
        return self._fitted("train", params)

    def refit(self, params: Params) -> LinearPredictor:
        """Fits on training and validation examples together. Raises PointError for a single class."""
        return self._fitted("both", params)

    def _fitted(self, which: str, params: Params) -> LinearPredictor:
        if which not in self._data:
            self._data[which] = Coordinates(self._examples[which])
        C, balanced = params["C"], params["class_weight"] == "balanced"
        assert isinstance(C, float)
        data = self._data[which]
        problem = Problem(data, balanced=balanced, C=C)
        flat = self._solve(which, problem, C, balanced=balanced)
        weights = flat.reshape(-1, problem.columns)
        if problem.columns == 1:  # the score of the second class over the first one's zero
            weights = np.hstack([np.zeros_like(weights), weights])
        return LinearPredictor(data.labels.astype(np.int64), data.original(weights[:-1].T), weights[-1])

    def _solve(self, which: str, problem: Problem, C: float, *, balanced: bool) -> Features:
        """From a cold start at every point, as scikit-learn."""
        return solve(problem, np.zeros(problem.size))


class ConvergedWorkspace(LogisticWorkspace):
    """Solves to the optimum, each point from the nearest C that was solved for the same weighting."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        super().__init__(train, validation)
        self._solved: dict[tuple[str, bool], dict[float, Features]] = {}

    def _solve(self, which: str, problem: Problem, C: float, *, balanced: bool) -> Features:
        path = self._solved.setdefault((which, balanced), {})
        nearest = min(path, key=lambda other: abs(np.log(other / C)), default=None)
        start = np.zeros(problem.size) if nearest is None else path[nearest]
        path[C] = solve(problem, start, tolerance=OPTIMUM, least=0.0)
        return path[C]
