"""The points of a search: the points of a grid, the best point, and the predictions of a fitted point."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from serab_core.types import ClassifierSpec, Examples, Params, Point, Predictor


def grid_points(spec: ClassifierSpec) -> tuple[Params, ...]:
    """Return the points of the grid in the order that settles ties: keys sorted, the last key varies fastest."""
    keys = sorted(spec.search_space)
    return tuple(
        dict(zip(keys, values, strict=True)) for values in itertools.product(*(spec.search_space[k] for k in keys))
    )


def best_point(points: tuple[Point, ...]) -> Point | None:
    """Return the first point with the highest score; None if no point could be fitted."""
    best: Point | None = None
    for point in points:
        if point.score is not None and (best is None or best.score is None or point.score > best.score):
            best = point
    return best


def fit_and_predict(fit: Callable[[Params], Predictor], params: Params, examples: Examples) -> NDArray[Any]:
    """Fit a point and predict, without the library's convergence warnings, of which the paper's grids cause many.

    Raises:
        PointError: the point cannot be fitted.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _predicted(fit(params), examples)


def fit_and_test(
    fit: Callable[[Params], Predictor], params: Params, examples: Examples
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Fit a point as `fit_and_predict` does; also return the probabilities of classes if the classifier gives them.

    Returns:
        predictions, shape (n,), and probabilities, float32, shape (n, n_classes), or None.

    Raises:
        PointError: the point cannot be fitted.
        ValueError: the probabilities have a wrong shape, are not in [0, 1], or do not sum to 1.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predictor = fit(params)
        predicted = _predicted(predictor, examples)
        give = getattr(predictor, "predict_proba", None)
        if give is None or not examples.n_classes:
            return predicted, None
        return predicted, probabilities_of(np.asarray(give(examples.X), np.float64), examples)


def probabilities_of(given: NDArray[np.float64], examples: Examples) -> NDArray[np.float32]:
    """Return the probabilities that a classifier gave, with a column for each class.

    ValueError for another number of rows, for more columns than classes, or for rows that are not probabilities.
    """
    rows, count = len(examples.X), examples.n_classes
    if given.ndim != 2 or len(given) != rows or given.shape[1] > count:
        raise ValueError(f"predict_proba returned shape {given.shape}, not ({rows}, {count})")
    if not (np.isfinite(given).all() and (given >= 0).all() and np.allclose(given.sum(axis=1), 1, atol=1e-6)):
        raise ValueError("predict_proba returned rows that are not probabilities: they must be >= 0 and sum to 1")
    table = np.zeros((rows, count), np.float32)
    table[:, : given.shape[1]] = given
    return table


def _predicted(predictor: Predictor, examples: Examples) -> NDArray[Any]:
    return np.asarray(predictor.predict(examples.X), dtype=np.int64 if examples.n_classes else np.float64)
