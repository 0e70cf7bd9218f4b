"""Random forests: one that no depth limit has touched is the same for every larger limit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from serab_core.types import Examples, PointError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from serab_core.types import Params


TREES = 100
STAGES = (25, 50, 75, TREES)


def allowed_threads() -> int:
    """Threads that this process may use: what serab gave its worker, or all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(os.environ.get("OMP_NUM_THREADS") or cores))


class ForestWorkspace:
    """Keeps forests whose trees all end above their depth limit, and hands them out for every limit that allows them.

    A node at the limit is a leaf without a look for a split, which takes no random number: the forests are the same
    where the deepest leaf lies *above* the limit.
    """

    def __init__(self, train: Examples, validation: Examples, seed: int) -> None:
        self._train, self._seed = train, seed
        self._both = train.followed_by(validation)
        self._untouched: dict[Hashable, tuple[RandomForestClassifier, int]] = {}

    def fit(self, params: Params) -> RandomForestClassifier:
        """Fits on the training examples."""
        *_, forest = self._forests(params, (TREES,))
        return forest

    def refit(self, params: Params) -> RandomForestClassifier:
        """Fits on training and validation examples together."""
        *_, forest = self._grow(self._both, params, (TREES,))
        return forest

    def stages(self, params: Params) -> Iterator[RandomForestClassifier]:
        """Forests of 25, 50, 75 and 100 trees, each the one before with more; at once the last, where it is kept."""
        return self._forests(params, STAGES)

    def _forests(self, params: Params, sizes: tuple[int, ...]) -> Iterator[RandomForestClassifier]:
        limit = params["max_depth"]
        assert isinstance(limit, int)
        rest = tuple(sorted((name, value) for name, value in params.items() if name != "max_depth"))
        kept, depth = self._untouched.get(rest, (None, 0))
        if kept is not None and depth < limit:
            yield kept
            return
        forest = None
        for forest in self._grow(self._train, params, sizes):
            yield forest
        assert forest is not None
        depth = max(tree.get_depth() for tree in forest.estimators_)
        if depth < limit:
            self._untouched[rest] = forest, depth

    def _grow(self, examples: Examples, params: Params, sizes: tuple[int, ...]) -> Iterator[RandomForestClassifier]:
        """Grows one forest to each of these sizes: the trees are those of a forest grown to the last at once."""
        forest = RandomForestClassifier(warm_start=len(sizes) > 1, random_state=self._seed, **dict(params))
        for size in sizes:
            forest.set_params(n_estimators=size, n_jobs=allowed_threads())
            try:
                forest.fit(examples.X, examples.y)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                raise PointError(" ".join(str(error).split())) from error
            forest.n_jobs = 1  # several threads would add the trees' votes in any order, and round differently
            yield forest
