"""Regressors over one matrix of inner products: ridge regression, and support vector regression.

Targets are standardised by the fitted examples, so that a penalty or a margin has the same meaning for every target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.svm import SVR

from serab_core.plugin import Examples, Exported, PointError
from serab_plugin_classifiers._grids import MAX_ITER
from serab_plugin_classifiers._kernels import MAX_SHARED, Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from serab_core.plugin import Features, Params

    Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KernelRegressor:
    """Predictor mean + deviation * (k(x, known) @ coefficients + offset).

    Attributes:
        known: examples minus `centre`, shape (m, d).
        coefficients: coefficient of each example, shape (m,).
        centre: mean of the features, shape (d,); zeros where features are not centred.
        offset: offset on the standardised scale.
        mean, deviation: statistics of the target, which undo its standardisation.
        kernel: the kernel.
    """

    known: Features
    coefficients: Values
    centre: Values
    offset: float
    mean: float
    deviation: float
    kernel: Kernel

    def predict(self, X: Features) -> Values:
        """Return values of the target for features of shape (n, d)."""
        centred = X - self.centre
        inner = centred @ self.known.T
        values = self.kernel.of(
            inner, np.einsum("ij,ij->i", centred, centred), np.einsum("ij,ij->i", self.known, self.known)
        )
        predicted: Values = self.mean + self.deviation * (values @ self.coefficients + self.offset)
        return predicted

    def export(self) -> Exported:
        """Return the regressor as plain data."""
        arrays = {"known": self.known, "coefficients": self.coefficients, "centre": self.centre}
        settings = {name: getattr(self, name) for name in ("offset", "mean", "deviation")}
        return Exported(arrays, {**settings, "gamma": self.kernel.gamma})

    @classmethod
    def rebuild(cls, exported: Exported) -> KernelRegressor:
        """Return the regressor of an export."""
        arrays, settings = exported.arrays, exported.settings
        return cls(
            known=arrays["known"],
            coefficients=arrays["coefficients"],
            centre=arrays["centre"],
            offset=settings["offset"],
            mean=settings["mean"],
            deviation=settings["deviation"],
            kernel=Kernel(settings["gamma"]),
        )


def standardised(y: Values) -> tuple[Values, float, float]:
    """Return standardised targets, their mean and their deviation. Raises PointError for constant targets."""
    mean, deviation = float(y.mean()), float(y.std())
    if not deviation > 0.0:
        raise PointError("the target is the same for every utterance")
    return (y - mean) / deviation, mean, deviation


class RidgeWorkspace:
    """Workspace that decomposes the centred features once, so that each alpha costs one matrix product.

    The decomposition is over utterances or dimensions, whichever are fewer.
    """

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._examples = {"train": train, "both": train.followed_by(validation)}
        self._decomposed: dict[str, tuple[Values, Values, Values, Features]] = {}

    def fit(self, params: Params) -> KernelRegressor:
        """Fit on the training examples. Raises PointError for a constant target."""
        return self._fitted("train", params)

    def refit(self, params: Params) -> KernelRegressor:
        """Fit on training and validation examples together. Raises PointError for a constant target."""
        return self._fitted("both", params)

    def _fitted(self, which: str, params: Params) -> KernelRegressor:
        examples = self._examples[which]
        y, mean, deviation = standardised(examples.y)
        dual = len(y) <= examples.X.shape[1]
        if which not in self._decomposed:
            centre = examples.X.mean(axis=0)
            centred = examples.X - centre
            values, vectors = np.linalg.eigh(centred @ centred.T if dual else centred.T @ centred)
            self._decomposed[which] = (np.maximum(values, 0.0), vectors, centre, centred)
        values, vectors, centre, centred = self._decomposed[which]
        alpha = float(params["alpha"])  # type: ignore[arg-type]
        solved = vectors @ ((vectors.T @ (y if dual else centred.T @ y)) / (values + alpha))
        known, coefficients = (centred, solved) if dual else (solved[None, :], np.ones(1))
        return KernelRegressor(known, coefficients, centre, 0.0, mean, deviation, Kernel(None))


class SvrWorkspace:
    """Workspace that computes the Gram matrix of all examples once, if there are not too many."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._train, self._both = train, train.followed_by(validation)
        self._inner: Features | None = self._both.X @ self._both.X.T if len(self._both.y) <= MAX_SHARED else None

    def fit(self, params: Params) -> KernelRegressor:
        """Fit on the training examples. Raises PointError for a constant target."""
        return self._fitted(self._train, params)

    def refit(self, params: Params) -> KernelRegressor:
        """Fit on training and validation examples together. Raises PointError for a constant target."""
        return self._fitted(self._both, params)

    def _fitted(self, examples: Examples, params: Params) -> KernelRegressor:
        y, mean, deviation = standardised(examples.y)
        n, dim = examples.X.shape
        settings: dict[str, Any] = dict(params)
        kernel = Kernel.named(settings.pop("kernel"), settings.pop("gamma_by_scale", 1.0), examples.X)
        kernel_settings = kernel.settings if self._inner is None else {"kernel": "precomputed"}
        machine = SVR(max_iter=MAX_ITER, **kernel_settings, **settings)
        machine.random_state = (
            0  # libsvm uses no random numbers here; without a seed scikit-learn uses NumPy's global generator
        )
        if self._inner is None:
            machine.fit(examples.X, y)
        else:
            inner = self._inner[:n, :n]
            squares = np.diagonal(inner)
            machine.fit(kernel.of(inner, squares, squares), y)
        known = examples.X[machine.support_]
        offset = float(machine.intercept_[0])
        return KernelRegressor(known, machine.dual_coef_[0], np.zeros(dim), offset, mean, deviation, kernel)
