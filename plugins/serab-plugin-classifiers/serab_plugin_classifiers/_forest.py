"""Random forests over the paper's grid: a forest that no depth limit has touched is the same for every larger limit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from serab_core.types import Examples, PointError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from serab_core.types import Params


def allowed_threads() -> int:
    """Threads that this process may use: what serab gave its worker, or all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(os.environ.get("OMP_NUM_THREADS") or cores))


class ForestWorkspace:
    """Grows the deepest forest of the grid first, and hands it out for every limit that its trees stay below.

    A node at the limit is a leaf without a look for a split, which takes no random number: the forests are the same
    where the deepest leaf lies *above* the limit.

    Args:
        deepest: the largest depth limit of the grid.
    """

    def __init__(self, train: Examples, validation: Examples, seed: int, deepest: int) -> None:
        self._train, self._seed, self._deepest = train, seed, deepest
        self._both = train.followed_by(validation)
        self._grown: dict[Hashable, tuple[RandomForestClassifier, int]] = {}

    def fit(self, params: Params) -> RandomForestClassifier:
        """Fits on the training examples."""
        limit = params["max_depth"]
        assert isinstance(limit, int)
        if limit > self._deepest:
            return self._grow(self._train, params)
        rest = tuple(sorted((name, value) for name, value in params.items() if name != "max_depth"))
        if rest not in self._grown:
            forest = self._grow(self._train, {**params, "max_depth": self._deepest})
            self._grown[rest] = forest, max(tree.get_depth() for tree in forest.estimators_)
        forest, depth = self._grown[rest]
        return forest if limit == self._deepest or depth < limit else self._grow(self._train, params)

    def refit(self, params: Params) -> RandomForestClassifier:
        """Fits on training and validation examples together."""
        return self._grow(self._both, params)

    def _grow(self, examples: Examples, params: Params) -> RandomForestClassifier:
        forest = RandomForestClassifier(
            n_estimators=100, n_jobs=allowed_threads(), random_state=self._seed, **dict(params)
        )
        try:
            forest.fit(examples.X, examples.y)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            raise PointError(" ".join(str(error).split())) from error
        forest.n_jobs = 1  # several threads would add the trees' votes in any order, and round differently
        return forest
