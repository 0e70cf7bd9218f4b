"""The points of a search: those of a grid, the best of several, and what a fitted one predicts."""

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
    """The points of the grid in the order that settles ties: keys sorted, the last key fastest."""
    keys = sorted(spec.search_space)
    return tuple(
        dict(zip(keys, values, strict=True)) for values in itertools.product(*(spec.search_space[k] for k in keys))
    )


def best_point(points: tuple[Point, ...]) -> Point | None:
    """The first point of the highest score; None when none could be fitted."""
    best: Point | None = None
    for point in points:
        if point.score is not None and (best is None or best.score is None or point.score > best.score):
            best = point
    return best


def fit_and_predict(fit: Callable[[Params], Predictor], params: Params, examples: Examples) -> NDArray[Any]:
    """Fits a point and predicts, without the library's warnings of slow convergence, which the paper's grids abound in.

    Raises:
        PointError: the point cannot be fitted.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kind = np.int64 if examples.n_classes else np.float64
        predicted: NDArray[Any] = np.asarray(fit(params).predict(examples.X), dtype=kind)
    return predicted
