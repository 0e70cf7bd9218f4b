"""QDA with a singular value decomposition of each class, which all regularisations share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg

from serab_core.plugin import Examples, Exported, PointError
from serab_plugin_classifiers._linear import by_class_index

if TYPE_CHECKING:
    from serab_core.plugin import Features, Labels, Params


@dataclass(frozen=True, slots=True)
class ClassShape:
    """A class: its mean (d,), principal axes (d, r), variances along them (r,) and log prior, with r = min(n, d)."""

    label: int
    mean: Features
    axes: Features
    variances: Features
    log_prior: float


@dataclass(frozen=True, slots=True)
class QuadraticPredictor:
    """Predictor of QDA with one regularisation.

    The variances become (1 - reg) * s^2 / (n - 1) + reg. Directions outside the span of a class's examples do not count
    for that class. This is the definition of scikit-learn 0.24 (Hastie et al., Elements of Statistical Learning,
    section 4.3, with shrinkage towards the identity as in 4.3.1), also for collinear classes.
    """

    shapes: tuple[ClassShape, ...]
    reg_param: float

    def decision(self, X: Features) -> Features:
        """Return log posteriors up to a constant, float64, shape (n, classes)."""
        columns = []
        for shape in self.shapes:
            scaled = (1.0 - self.reg_param) * shape.variances + self.reg_param
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                projected = (X - shape.mean) @ (shape.axes * scaled**-0.5)
                columns.append(-0.5 * (np.sum(projected**2, axis=1) + np.sum(np.log(scaled))) + shape.log_prior)
        return np.stack(columns, axis=1)

    def predict(self, X: Features) -> Labels:
        """Return class indices for features of shape (n, d).

        Raises:
            PointError: a decision value is not finite, for example because a class has a direction without variance.
        """
        chosen: Labels = self._labels[np.argmax(self._finite_decision(X), axis=1)]
        return chosen

    def predict_proba(self, X: Features) -> Features:
        """Return the probability of each class, shape (n, classes). Raises PointError as `predict` does."""
        return by_class_index(self._finite_decision(X), self._labels)

    @property
    def _labels(self) -> Labels:
        return np.array([shape.label for shape in self.shapes], dtype=np.int64)

    def _finite_decision(self, X: Features) -> Features:
        decision = self.decision(X)
        if not np.isfinite(decision).all():
            raise PointError(f"decision values are not finite at reg_param={self.reg_param}")
        return decision

    def export(self) -> Exported:
        """Return the arrays. Those of class i have the names `mean.i`, `axes.i` and `variances.i`."""
        arrays = {
            f"{name}.{i}": getattr(shape, name)
            for i, shape in enumerate(self.shapes)
            for name in ("mean", "axes", "variances")
        }
        settings = {
            "labels": [shape.label for shape in self.shapes],
            "log_priors": [shape.log_prior for shape in self.shapes],
            "reg_param": self.reg_param,
        }
        return Exported(arrays, settings)

    @classmethod
    def rebuild(cls, exported: Exported) -> QuadraticPredictor:
        """Return the predictor of an export."""
        a, settings = exported.arrays, exported.settings
        shapes = tuple(
            ClassShape(label, a[f"mean.{i}"], a[f"axes.{i}"], a[f"variances.{i}"], log_prior)
            for i, (label, log_prior) in enumerate(zip(settings["labels"], settings["log_priors"], strict=True))
        )
        return cls(shapes, settings["reg_param"])


class QuadraticWorkspace:
    """Workspace that decomposes the classes of the training examples, and of both splits together, once each."""

    def __init__(self, train: Examples, validation: Examples) -> None:
        self._train = train
        self._both = train.followed_by(validation)
        self._shapes: dict[str, tuple[ClassShape, ...]] = {}

    def fit(self, params: Params) -> QuadraticPredictor:
        """Fit on the training examples. Raises PointError for a class with one utterance."""
        return self._fitted("train", self._train, params)

    def refit(self, params: Params) -> QuadraticPredictor:
        """Fit on training and validation examples together. Raises PointError for a class with one utterance."""
        return self._fitted("both", self._both, params)

    def _fitted(self, which: str, examples: Examples, params: Params) -> QuadraticPredictor:
        if which not in self._shapes:
            self._shapes[which] = tuple(_shape(examples, int(label)) for label in np.unique(examples.y))
        reg_param = params["reg_param"]
        assert isinstance(reg_param, float)
        return QuadraticPredictor(self._shapes[which], reg_param)


def _shape(examples: Examples, label: int) -> ClassShape:
    members = examples.X[examples.y == label]
    if len(members) == 1:
        raise PointError(f"class {label} has one utterance only; its covariance needs at least two")
    mean = members.mean(axis=0)
    _, values, axes = scipy.linalg.svd(members - mean, full_matrices=False)
    return ClassShape(
        label=label,
        mean=mean,
        axes=axes.T,
        variances=values**2 / (len(members) - 1),
        log_prior=float(np.log(len(members) / len(examples.y))),
    )
