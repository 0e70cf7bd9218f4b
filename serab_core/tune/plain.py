"""A workspace for any estimator with `fit` and `predict`. Points share no work: each is fitted from the start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.types import Examples, PointError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.types import Params, Predictor, Prepare, Workspace


class PlainWorkspace:
    """A workspace that fits a new estimator at every point.

    Args:
        make: builds the unfitted estimator from the point's parameters and the seed.
        train, validation: the examples.
        seed: the seed of the protocol.
    """

    def __init__(self, make: Callable[[Params, int], Any], train: Examples, validation: Examples, seed: int) -> None:
        self._make, self._train, self._validation, self._seed = make, train, validation, seed

    def fit(self, params: Params) -> Predictor:
        """Fit on the training examples. Raises PointError if the estimator fails."""
        return self._fitted(params, self._train)

    def refit(self, params: Params) -> Predictor:
        """Fit on the training examples, then the validation examples. Raises PointError if the estimator fails."""
        return self._fitted(params, self._train.followed_by(self._validation))

    def _fitted(self, params: Params, examples: Examples) -> Predictor:
        estimator = self._make(params, self._seed)
        try:
            fitted: Predictor = estimator.fit(examples.X, examples.y)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise PointError(" ".join(str(error).split())) from error
        return fitted


def estimator_workspace(make: Callable[[Params, int], Any]) -> Prepare:
    """Return the `prepare` function of a classifier that consists of a scikit-learn estimator only.

    Args:
        make: `make(params, seed)` returns an unfitted estimator.
    """

    def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
        return PlainWorkspace(make, train, validation, seed)

    return prepare
