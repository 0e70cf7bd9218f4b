"""The declaration of a classifier, and the interfaces that its search uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from serab_core.types.arrays import Features, GridValue, Params


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled features.

    Attributes:
        X: float64, shape (n, d).
        y: class indices, int64, or a continuous target, float64; shape (n,).
        n_classes: number of classes of the task; 0 for a continuous target.
    """

    X: Features
    y: NDArray[Any]
    n_classes: int

    def followed_by(self, other: Examples) -> Examples:
        """Return these examples followed by the other ones, for the refit on training and validation examples."""
        return Examples(np.concatenate([self.X, other.X]), np.concatenate([self.y, other.y]), self.n_classes)


class Predictor(Protocol):
    """A fitted classifier, or regressor.

    A classifier may also have `predict_proba(X)`, which returns the probability of each class as float64 of shape
    (n, k): column i belongs to class index i. Classes without a column have the probability 0. Serab stores these
    probabilities for the test split, and computes the calibration error, log loss and top-2 accuracy from them.
    """

    def predict(self, X: Features, /) -> NDArray[Any]:
        """Return class indices, or values of a continuous target, for features of shape (n, d)."""
        ...


class Workspace(Protocol):
    """The data that all points of a search share. Both methods raise `PointError` for a point that cannot be fitted.

    A workspace may also have `partial_fits(params)`, which yields predictors of growing quality; the last one is the
    predictor of `fit(params)`. A search with pruning then stops the fit of a poor point early.
    """

    def fit(self, params: Params, /) -> Predictor:
        """Fit on the training examples."""
        ...

    def refit(self, params: Params, /) -> Predictor:
        """Fit on training and validation examples together."""
        ...


class PointError(Exception):
    """A point of the search cannot be fitted; the message says why. The search records it and continues."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A fitted classifier as plain data.

    Attributes:
        arrays: numeric arrays by name.
        settings: other values, which JSON must be able to hold.
    """

    arrays: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)


class Prepare(Protocol):
    """A function that does the work that all points of a search share."""

    def __call__(self, train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
        """Return the workspace for one task."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """The range of a parameter in a wide search space.

    Attributes:
        low: lower limit, inclusive.
        high: upper limit, inclusive.
        log: whether values are sampled on a logarithmic scale.
        integer: whether values are whole numbers.
        when: a condition, as another parameter and its value: this parameter exists only with that value.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    when: tuple[str, GridValue] | None = None


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """The declaration of a classifier and of its search space.

    Attributes:
        name: the public name.
        title: the name that tables show.
        summary: one line for lists.
        search_space: candidate values by parameter. The grid sorts the parameters by name; the last one varies fastest.
        wide_space: the space that `--tuner tpe` searches: a range or candidate values by parameter. Empty means that
            it searches `search_space`.
        trial_weight: weight of the classifier when `--tuner tpe` divides the trials among classifiers. A classifier
            gets trials in proportion to its number of parameters times this weight. Below 1 for slow classifiers.
        prepare: builds the workspace; import heavy libraries inside it.
        rebuild: builds a predictor from the `Exported` that a fitted predictor's `export()` returned; None for a
            classifier whose predictors cannot be exported.
        reference: returns an unfitted reference estimator, such as scikit-learn's, for the parameters of a point and a
            seed; the checks compare the predictions of each point with it. None if there is no reference.
        kind: `classes`, or `continuous` for a regressor, which predicts targets such as valence.
        uses_seed: whether the seed of `prepare` can change predictions. If False, an evaluation under another seed
            reuses the studies of the classifier.
        order: position among the classifiers of a protocol, which decides ties.
        version: change it whenever predictions change for a reason that the fields below do not record.
        libraries: distributions whose version affects predictions.
        expected_failures: conformance checks that are known to fail, with the reason.
        code: identity of the plugin's code: `distribution`, `version` and `digest` of its files. Serab sets it.
    """

    name: str
    title: str
    search_space: Mapping[str, Sequence[GridValue]]
    prepare: Prepare
    summary: str = ""
    wide_space: Mapping[str, Range | Sequence[GridValue]] = field(default_factory=dict)
    trial_weight: float = 1.0
    rebuild: Callable[[Exported], Predictor] | None = None
    reference: Callable[[Params, int], Any] | None = None
    kind: Literal["classes", "continuous"] = "classes"
    uses_seed: bool = True
    order: int = 100
    version: str = "1"
    libraries: tuple[str, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
