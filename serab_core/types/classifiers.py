"""What a classifier declares, and what its search works on."""

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
        n_classes: how many classes the task has; 0 for a continuous target.
    """

    X: Features
    y: NDArray[Any]
    n_classes: int

    def followed_by(self, other: Examples) -> Examples:
        """These examples and then the other ones, as the refit on train and validation takes them."""
        return Examples(np.concatenate([self.X, other.X]), np.concatenate([self.y, other.y]), self.n_classes)


class Predictor(Protocol):
    """A fitted classifier, or regressor."""

    def predict(self, X: Features, /) -> NDArray[Any]:
        """Class indices, or values of a continuous target, for features of shape (n, d)."""
        ...


class Workspace(Protocol):
    """Holds what all points of a search share. Both methods raise `PointError` for a point that cannot be fitted.

    A workspace may also have `stages(params)`, which yields predictors of growing quality, the last of which is that of
    `fit(params)`: a search that prunes then gives up on a poor point before its end.
    """

    def fit(self, params: Params, /) -> Predictor:
        """Fits on the training examples."""
        ...

    def refit(self, params: Params, /) -> Predictor:
        """Fits on training and validation examples together."""
        ...


class PointError(Exception):
    """A point of the search cannot be fitted; the message says why. It is recorded and the search goes on."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A fitted classifier as plain data.

    Attributes:
        arrays: numeric arrays by name.
        settings: whatever JSON can hold.
    """

    arrays: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)


class Prepare(Protocol):
    """Does the work that every point of a search shares."""

    def __call__(self, train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
        """Returns the workspace for one task."""
        ...


@dataclass(frozen=True, slots=True)
class Range:
    """A parameter's range in a wide search space.

    Attributes:
        low: its lower limit, which belongs to it.
        high: its upper limit, which belongs to it.
        log: sampled by its logarithm.
        integer: whole numbers only.
        when: another parameter and the value of it with which alone this one exists.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    when: tuple[str, GridValue] | None = None


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """Declares a classifier and the space it is searched over.

    Attributes:
        name: the public name.
        title: as tables show it.
        summary: one line for lists.
        search_space: candidate values by parameter. Grid order is keys sorted, the last key fastest.
        wide_space: what `--tuner tpe` searches: a range or candidate values by parameter; empty for `search_space`.
        trial_weight: of `--tuner tpe`'s trials each classifier gets a share by its parameters times this; below 1 for
            one whose points are slow.
        prepare: builds the workspace; heavy imports belong in here.
        rebuild: the predictor of what a fitted one's `export()` returned, an `Exported`; None for a classifier whose
            predictors cannot be exported.
        reference: an unfitted estimator, such as scikit-learn's, for a point's parameters and a seed; the checks
            hold each point's predictions against its. None where there is none.
        kind: `classes`, or `continuous` for a regressor, which predicts targets such as valence.
        order: its place among the protocol's classifiers, which settles ties.
        version: changes whenever its predictions do for another reason than those below.
        libraries: distributions whose version its predictions depend on.
        expected_failures: conformance checks that are known to fail, with the reason.
        code: the code that computes: `distribution`, `version` and `digest` of its files. Serab sets it.
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
    order: int = 100
    version: str = "1"
    libraries: tuple[str, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    code: Mapping[str, str] = field(default_factory=dict)
