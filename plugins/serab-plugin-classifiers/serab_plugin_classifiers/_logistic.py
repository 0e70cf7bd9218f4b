"""Logistic regression with scikit-learn's algorithm, in an orthonormal basis of the utterances' span.

scikit-learn minimises the mean weighted cross-entropy plus |W|^2 / (2 C sum of weights) with SciPy's L-BFGS-B from
zero. It stops when no entry of the gradient exceeds 1e-4, or when the loss falls by less than 64 float64 epsilons. With
fewer utterances than dimensions, W stays in the span of the utterances. L-BFGS uses inner products only, so it takes
the same steps in any orthonormal basis of that span. Only the stopping test uses single entries of the gradient: it is
computed in the original coordinates, and only when the norm of the gradient is small enough for the test to succeed.
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

TOLERANCE = 1e-4  # largest entry of the gradient at which scikit-learn stops by default
OPTIMUM = 1e-8  # the same, for the converged variant
MIN_DECREASE = 64 * float(np.finfo(float).eps)  # relative decrease of the loss at which scikit-learn stops
MAX_ITERATIONS = 10_000  # as in the released code


class Coordinates:
    """Examples in an orthonormal basis of their span, if it has fewer dimensions; otherwise the original examples.

    Attributes:
        X: coordinates, float64, shape (n, r).
        transposed: X transposed and contiguous, for fast products with either layout.
        basis: float64, shape (d, r); None for the original coordinates.
        dimensions: d.
        labels, classes: class indices, and the position of each example's class among them.
    """

    def __init__(self, examples: Examples) -> None:
        n, self.dimensions = examples.X.shape
        self.basis: Features | None = None
        self.X: Features = examples.X
        if n < self.dimensions:
            self.basis, upper = scipy.linalg.qr(examples.X.T, mode="economic", check_finite=False)
            self.X = np.ascontiguousarray(upper.T)
        self.transposed: Features = np.ascontiguousarray(self.X.T)
        self.labels, self.classes = np.unique(examples.y, return_inverse=True)

    def original(self, weights: Features) -> Features:
        """Return vectors of shape (k, r) in the original coordinates, shape (k, d)."""
        return weights if self.basis is None else weights @ self.basis.T


class Problem:
    """The optimisation problem for one C and one class weighting: loss, gradient and stopping test.

    Args:
        data: the examples.
        balanced: whether each class has the same total weight, as with scikit-learn's `class_weight="balanced"`.
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
        """Return the loss and its gradient, shape ((r + 1) * columns,), for weights followed by intercepts."""
        weights = flat.reshape(-1, self.columns)
        # Utterances run along the second axis, so that sums over classes add whole rows.
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
        np.matmul(self._data.transposed, np.ascontiguousarray(residual.T), out=gradient[:-1])
        gradient[:-1] += self._penalty * weights[:-1]
        gradient[-1] = residual.sum(axis=1)
        self._gradient = gradient
        inner = weights[:-1].ravel()
        return float(self._weights @ losses) + 0.5 * self._penalty * float(inner @ inner), gradient.ravel()

    def has_converged(self, tolerance: float) -> bool:
        """Return whether no entry of the last gradient exceeds the tolerance, in the original coordinates."""
        inner = self._gradient[:-1]
        if np.abs(self._gradient[-1]).max() > tolerance:
            return False
        # The largest entry is at least the norm divided by the root of the dimensions, so most calls end here.
        if np.sqrt(np.einsum("rk,rk->k", inner, inner).max() / self._data.dimensions) > tolerance:
            return False
        return float(np.abs(self._data.original(inner.T)).max()) <= tolerance


def solve(
    problem: Problem, start: Features, *, tolerance: float = TOLERANCE, min_decrease: float = MIN_DECREASE
) -> Features:
    """Return the solution: weights followed by intercepts, flat.

    Args:
        problem: the problem to minimise.
        start: starting point; scikit-learn starts from zeros.
        tolerance: largest entry of the gradient at which to stop.
        min_decrease: relative decrease of the loss below which to stop.
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
        options={"maxiter": MAX_ITERATIONS, "maxls": 50, "gtol": 0.0, "ftol": min_decrease},
    ).x
    return solution


class LogisticWorkspace:
    """Workspace that computes the coordinates of the training examples, and of both splits together, once each."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._examples = {"train": train, "both": train.followed_by(validation)}
        self._data: dict[str, Coordinates] = {}

    def fit(self, params: Params) -> LinearPredictor:
        """Fit on the training examples. Raises PointError for a single class."""
        return self._fitted("train", params)

    def refit(self, params: Params) -> LinearPredictor:
        """Fit on training and validation examples together. Raises PointError for a single class."""
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
        if problem.columns == 1:  # two classes: the score of the first class is zero
            weights = np.hstack([np.zeros_like(weights), weights])
        return LinearPredictor(data.labels.astype(np.int64), data.original(weights[:-1].T), weights[-1])

    def _solve(self, which: str, problem: Problem, C: float, *, balanced: bool) -> Features:
        """Solve from zeros at every grid point, as scikit-learn does."""
        return solve(problem, np.zeros(problem.size))


class ConvergedWorkspace(LogisticWorkspace):
    """Workspace that solves to the optimum, starting from the solution for the nearest C with the same weighting."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        super().__init__(train, validation)
        self._solved: dict[tuple[str, bool], dict[float, Features]] = {}

    def _solve(self, which: str, problem: Problem, C: float, *, balanced: bool) -> Features:
        path = self._solved.setdefault((which, balanced), {})
        nearest = min(path, key=lambda other: abs(np.log(other / C)), default=None)
        start = np.zeros(problem.size) if nearest is None else path[nearest]
        path[C] = solve(problem, start, tolerance=OPTIMUM, min_decrease=0.0)
        return path[C]
