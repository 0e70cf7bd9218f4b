"""Small data sets for the checks of classifiers and regressors."""

from __future__ import annotations

import numpy as np

from serab_core.types import Examples


def blobs(seed: int, dims: int, spread: float = 1.5) -> Examples:
    """Return three classes of 20 points around centres that are `4 * spread / sqrt(dims)` from 0 along every axis."""
    centres = np.sign(np.random.RandomState(99).standard_normal((3, dims))) * (4.0 / np.sqrt(dims)) * spread
    rng = np.random.RandomState(seed)
    y = np.repeat(np.arange(3), 20)
    return Examples(centres[y] + rng.standard_normal((60, dims)), y.astype(np.int64), 3)


def slopes(seed: int, dims: int, noise: float = 0.2) -> Examples:
    """Return sixty points and a target of about 1 to 5, linear in the direction of the largest variance."""
    direction = np.random.RandomState(99).standard_normal(dims)
    direction /= np.linalg.norm(direction)
    rng = np.random.RandomState(seed)
    along = rng.standard_normal(60)
    X = 3.0 * along[:, None] * direction + 0.5 * rng.standard_normal((60, dims))
    return Examples(X, 3.0 + along + noise * rng.standard_normal(60), 0)
