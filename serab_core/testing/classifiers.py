"""Checks of a classifier."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from serab_core import plugins
from serab_core.testing.checks import Check, checker
from serab_core.tune.study import fit_and_predict, grid_points
from serab_core.types import Examples, PointError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serab_core.types import Labels

_PROTECTS = {
    "grid": "the protocol's search must be whole",
    "learns": "a classifier that cannot tell separated blobs apart tells nothing about an extractor",
    "learns-wide": "most tasks have fewer utterances than an embedding has dimensions",
    "repeatable": "a score must be the same when it is made again",
    "known-classes": "a prediction outside the task's classes cannot be scored",
}


def classifier_checks(name: str) -> Iterator[Check]:
    """The checks of the classifier called `name`."""

    def grid() -> None:
        points = grid_points(plugins.classifier(name))
        assert points, "the search space is empty"
        assert len({tuple(sorted(point.items(), key=str)) for point in points}) == len(points), "a point occurs twice"

    def best(train: Examples, validation: Examples) -> float:
        spec = plugins.classifier(name)
        workspace = spec.prepare(train, validation, seed=42)
        scores = []
        for point in grid_points(spec):
            try:
                scores.append(float(np.mean(fit_and_predict(workspace.fit, point, validation) == validation.y)))
            except PointError:
                continue
        assert scores, "no point of the grid could be fitted"
        return max(scores)

    def learns(dims: int) -> None:
        score = best(_blobs(0, dims), _blobs(1, dims))
        assert score >= 0.9, (
            f"the best point tells {100 * score:.0f} % of three separated blobs apart in {dims} dimensions"
        )

    def predictions(train: Examples, validation: Examples) -> Labels:
        """Of the first point that can be fitted."""
        spec = plugins.classifier(name)
        workspace = spec.prepare(train, validation, seed=42)
        for point in grid_points(spec):
            try:
                return fit_and_predict(workspace.refit, point, validation)
            except PointError:
                continue
        raise AssertionError("no point of the grid could be fitted")

    def repeatable() -> None:
        train, validation = _blobs(0, 20), _blobs(1, 20)
        first, second = predictions(train, validation), predictions(train, validation)
        assert np.array_equal(first, second), "the same fit gave two results"

    def known_classes() -> None:
        validation = _blobs(1, 6)
        predicted = predictions(_blobs(0, 6), validation)
        assert predicted.shape == validation.y.shape, f"predict returned shape {predicted.shape}"
        assert set(predicted.tolist()) <= {0, 1, 2}, f"predict returned {sorted(set(predicted.tolist()))}"

    check = checker("classifier", name, _PROTECTS, plugins.classifier(name).expected_failures)
    yield check("grid", grid, "declare every value once")
    yield check("learns", partial(learns, 6), "look for a swapped sign, label or axis")
    yield check("learns-wide", partial(learns, 200), "regularise, where there are fewer examples than dimensions")
    yield check("repeatable", repeatable, "pass the seed on to everything that is random")
    yield check("known-classes", known_classes, "return class indices, int64, one a row")


def _blobs(seed: int, dims: int) -> Examples:
    """Three blobs of 20 points a class, four deviations apart along every axis' sign pattern."""
    centres = np.sign(np.random.RandomState(99).standard_normal((3, dims))) * (4.0 / np.sqrt(dims)) * 1.5
    rng = np.random.RandomState(seed)
    y = np.repeat(np.arange(3), 20)
    return Examples(centres[y] + rng.standard_normal((60, dims)), y.astype(np.int64), 3)
