"""Embeddings of several layers: each classifier selects one layer by its validation score, like a parameter."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core.types import Point

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serab_core.types import Features, Params, Predictions

    Tuned = tuple[tuple[Point, ...], Point | None, Predictions | None]

LAYER = "layer"
"""Name of the layer in the parameters of a point."""


def columns(layers: Sequence[str], layer: str, dim: int) -> slice:
    """Return the columns of a layer in embeddings with `dim` columns."""
    width = dim // len(layers)
    begin = layers.index(layer) * width
    return slice(begin, begin + width)


def best_layer(features: Features, layers: Sequence[str], tune: Callable[[Features, str], Tuned]) -> Tuned:
    """Tune on each layer, and select the first layer with the highest validation score.

    Args:
        features: shape (n, layers x width).
        layers: the names of the layers.
        tune: tunes on the features of one layer.

    Returns:
        every point of every layer, the chosen one, and its test predictions; points have the layer as a parameter.
    """
    points: list[Point] = []
    best: Point | None = None
    test: Predictions | None = None
    for layer in layers:
        tuned, chosen, predictions = tune(features[:, columns(layers, layer, features.shape[1])], layer)
        points += [_with(point, layer) for point in tuned]
        if chosen is not None and chosen.score is not None and (best is None or chosen.score > (best.score or 0.0)):
            best, test = _with(chosen, layer), predictions
    return tuple(points), best, test


def without_layer(params: Params) -> Params:
    """Return the parameters of the classifier itself."""
    return {name: value for name, value in params.items() if name != LAYER}


def _with(point: Point, layer: str) -> Point:
    return replace(point, params={LAYER: layer, **point.params})
