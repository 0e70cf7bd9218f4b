"""Regressors over one matrix of inner products: ridge regression in its dual form, and support vector regression.

Targets are standardised by those fitted on, so that a penalty and a margin mean the same for every target and scale.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.svm import SVR

from serab_core.types import Examples, Exported, PointError
from serab_plugin_classifiers._grids import MAX_ITER
from serab_plugin_classifiers._kernels import Kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from serab_core.types import Features, Params

    Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KernelRegressor:
    """Predicts mean + deviation * (k(x, known) @ coefficients + offset).

    Attributes:
        known: examples (m, d), less `centre`.
        coefficients: of each, (m,).
        centre: of the features, (d,); zeros where the kernel needs none.
    """

    known: Features
    coefficients: Values
    centre: Values
    offset: float
    mean: float
    deviation: float
    kernel: Kernel

    def predict(self, X: Features) -> Values:
        """Values of the target for features of shape (n, d)."""
        own = X - self.centre
        inner = own @ self.known.T
        values = self.kernel.of(inner, np.einsum("ij,ij->i", own, own), np.einsum("ij,ij->i", self.known, self.known))
        predicted: Values = self.mean + self.deviation * (values @ self.coefficients + self.offset)
        return predicted

    def export(self) -> Exported:
        """As plain data."""
        arrays = {"known": self.known, "coefficients": self.coefficients, "centre": self.centre}
        settings = {name: getattr(self, name) for name in ("offset", "mean", "deviation")}
        return Exported(arrays, {**settings, "gamma": self.kernel.gamma})

    @classmethod
    def rebuild(cls, exported: Exported) -> KernelRegressor:
        """From what `export` returned."""
        settings = dict(exported.settings)
        return cls(**exported.arrays, kernel=Kernel(settings.pop("gamma")), **settings)


def standardised(y: Values) -> tuple[Values, float, float]:
    """The targets in units of their deviation, their mean and deviation. Raises PointError for constant ones."""
    mean, deviation = float(y.mean()), float(y.std())
    if not deviation > 0.0:
        raise PointError("the target is the same for every utterance")
    return (y - mean) / deviation, mean, deviation


class RidgeWorkspace:
    """Decomposes the Gram matrix of centred features once; every alpha then costs a product."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._parts = {"train": train, "both": train.followed_by(validation)}
        self._decomposed: dict[str, tuple[Values, Values, Values, Features]] = {}

    def fit(self, params: Params) -> KernelRegressor:
        """Fits on the training examples. Raises PointError for a constant target."""
        return self._fitted("train", params)

    def refit(self, params: Params) -> KernelRegressor:
        """Fits on training and validation examples together. Raises PointError for a constant target."""
        return self._fitted("both", params)

    def _fitted(self, which: str, params: Params) -> KernelRegressor:
        examples = self._parts[which]
        y, mean, deviation = standardised(examples.y)
        if which not in self._decomposed:
            centre = examples.X.mean(axis=0)
            centred = examples.X - centre
            values, vectors = np.linalg.eigh(centred @ centred.T)
            self._decomposed[which] = (np.maximum(values, 0.0), vectors, centre, centred)
        values, vectors, centre, centred = self._decomposed[which]
        alpha = float(params["alpha"])  # type: ignore[arg-type]
        coefficients = vectors @ ((vectors.T @ y) / (values + alpha))
        return KernelRegressor(centred, coefficients, centre, 0.0, mean, deviation, Kernel(None))


class SvrWorkspace:
    """Multiplies all examples with each other once, for every kernel and C."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._train, self._both = train, train.followed_by(validation)
        self._inner: Features = self._both.X @ self._both.X.T

    def fit(self, params: Params) -> KernelRegressor:
        """Fits on the training examples. Raises PointError for a constant target."""
        return self._fitted(self._train, params)

    def refit(self, params: Params) -> KernelRegressor:
        """Fits on training and validation examples together. Raises PointError for a constant target."""
        return self._fitted(self._both, params)

    def _fitted(self, examples: Examples, params: Params) -> KernelRegressor:
        y, mean, deviation = standardised(examples.y)
        n, dim = examples.X.shape
        inner = self._inner[:n, :n]
        settings: dict[str, Any] = dict(params)
        name, factor = settings.pop("kernel"), settings.pop("gamma_by_scale", 1.0)
        kernel = Kernel(None if name == "linear" else factor / (dim * examples.X.var()))
        squares = np.diagonal(inner)
        machine = SVR(kernel="precomputed", max_iter=MAX_ITER, **settings)
        machine.random_state = 0  # libsvm draws nothing here, but scikit-learn would ask NumPy's global generator
        machine.fit(kernel.of(inner, squares, squares), y)
        known = examples.X[machine.support_]
        offset = float(machine.intercept_[0])
        return KernelRegressor(known, machine.dual_coef_[0], np.zeros(dim), offset, mean, deviation, kernel)
