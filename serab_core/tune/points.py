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
        kind = np.int64 if examples.n_classes else np.float64
        predicted: NDArray[Any] = np.asarray(fit(params).predict(examples.X), dtype=kind)
    return predicted
