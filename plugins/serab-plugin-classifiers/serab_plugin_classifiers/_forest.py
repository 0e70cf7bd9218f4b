"""Random forests: one that no depth limit has touched is the same for every larger limit."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from serab_core.types import Examples, Exported, PointError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from numpy.typing import NDArray

    from serab_core.types import Features, Labels, Params


TREES = 100
STAGES = (25, 50, 75, TREES)


def allowed_threads() -> int:
    """Threads that this process may use: what serab gave its worker, or all cores."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(os.environ.get("OMP_NUM_THREADS") or cores))


@dataclass(frozen=True, slots=True)
class ForestPredictor:
    """The trees' nodes, one tree after the other.

    Attributes:
        starts: the first node of each tree, and the end of the last.
        left, right: children, counted within the tree; a leaf has -1.
        feature, threshold: a node sends float32 values up to its threshold to the left.
        shares: of each class at each node, shape (nodes, k).
    """

    labels: Labels
    starts: Labels
    left: Labels
    right: Labels
    feature: Labels
    threshold: Features
    shares: Features

    @classmethod
    def of(cls, forest: RandomForestClassifier) -> ForestPredictor:
        """The nodes of a fitted forest."""
        trees = [tree.tree_ for tree in forest.estimators_]

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(tree, name) for tree in trees])

        shares = np.concatenate([tree.value[:, 0, :] for tree in trees])
        return cls(
            labels=forest.classes_.astype(np.int64),
            starts=np.cumsum([0] + [tree.node_count for tree in trees]),
            left=joined("children_left"),
            right=joined("children_right"),
            feature=joined("feature"),
            threshold=joined("threshold"),
            shares=shares,
        )

    @classmethod
    def rebuild(cls, exported: Exported) -> ForestPredictor:
        """From its arrays."""
        return cls(**exported.arrays)

    def export(self) -> Exported:
        """Its arrays."""
        return Exported({name: getattr(self, name) for name in self.__slots__})

    def predict(self, X: Features) -> Labels:
        """Class indices for features of shape (n, d): the mean of the trees' class shares, its first maximum."""
        values = X.astype(np.float32)
        total = np.zeros((len(X), len(self.labels)))
        rows = np.arange(len(X))
        for start, end in zip(self.starts[:-1], self.starts[1:], strict=True):
            left, right = self.left[start:end], self.right[start:end]
            node = np.zeros(len(X), np.int64)
            while (inner := left[node] >= 0).any():
                here = node[inner]
                low = values[rows[inner], self.feature[start + here]] <= self.threshold[start + here]
                node[inner] = np.where(low, left[here], right[here])
            total += self.shares[start + node]
        best: Labels = self.labels[(total / (len(self.starts) - 1)).argmax(axis=1)]
        return best


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

    def refit(self, params: Params) -> ForestPredictor:
        """Fits on training and validation examples together."""
        *_, forest = self._grow(self._both, params, (TREES,))
        return ForestPredictor.of(forest)

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
