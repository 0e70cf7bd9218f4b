"""Random forests with the same trees as scikit-learn 1.9, grown by compiled kernels. Grid points share trees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from serab_core.plugin import Examples, Exported, PointError, free_cores
from serab_plugin_classifiers._family import KERNELS

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from serab_core.plugin import Features, Labels, Params


TREES = 100  # trees of a forest, as in the paper
STAGES = (10, 30, TREES)  # sizes of the partial fits that a tuner may stop at
_SEEDS = np.iinfo(np.int32).max  # upper bound of a tree's seed, as in scikit-learn


@cache
def _kernels() -> Any:
    with KERNELS.compiling():
        from serab_plugin_classifiers import _tree_kernels

    return _tree_kernels


class Tree(NamedTuple):
    """A grown tree. Node i sends values of `feature[i]` up to `threshold[i]` to `left[i]`; a leaf has -1."""

    left: Labels
    right: Labels
    feature: Labels
    threshold: Features
    shares: Features
    depth: int


@dataclass(frozen=True, slots=True)
class ForestPredictor:
    """Predictor of a forest. The arrays hold the nodes of all trees, one tree after the other.

    Attributes:
        labels: class indices, shape (k,).
        starts: first node of each tree, and the end of the last tree.
        left, right: children, as indices within the tree; a leaf has -1.
        feature, threshold: a node sends float32 values up to its threshold to the left.
        shares: fraction of each class at each node, shape (nodes, k).
    """

    labels: Labels
    starts: Labels
    left: Labels
    right: Labels
    feature: Labels
    threshold: Features
    shares: Features

    @classmethod
    def of(cls, trees: Sequence[Tree], labels: Labels) -> ForestPredictor:
        """Return the forest of these trees."""
        starts = np.cumsum([0] + [len(tree.left) for tree in trees])
        return cls(labels, starts, *(np.concatenate(columns) for columns in list(zip(*trees, strict=True))[:5]))

    @classmethod
    def rebuild(cls, exported: Exported) -> ForestPredictor:
        """Return the forest of an export."""
        return cls(**exported.arrays)

    def export(self) -> Exported:
        """Return the arrays of the forest."""
        return Exported({name: getattr(self, name) for name in self.__slots__})

    def totals(self, X: Features) -> Features:
        """Return the sum over trees of the class fractions at the leaves of the rows, shape (n, k)."""
        total = np.zeros((len(X), len(self.labels)))
        nodes = (self.starts, self.left, self.right, self.feature, self.threshold, self.shares)
        _kernels().vote(np.ascontiguousarray(X, np.float32), *(np.ascontiguousarray(array) for array in nodes), total)
        return total

    def predict(self, X: Features) -> Labels:
        """Return class indices for features of shape (n, d): the largest mean class fraction; a tie gives the first."""
        best: Labels = self.labels[self._fractions(X).argmax(axis=1)]
        return best

    def predict_proba(self, X: Features) -> Features:
        """Return the mean over trees of the class fractions, with a column for each class index; shape (n, classes)."""
        fractions = self._fractions(X)
        probabilities = np.zeros((len(X), int(self.labels.max()) + 1))
        probabilities[:, self.labels] = fractions / fractions.sum(axis=1, keepdims=True)
        return probabilities

    def _fractions(self, X: Features) -> Features:
        return self.totals(X) / (len(self.starts) - 1)


class ForestWorkspace:
    """Workspace that grows a tree again only for a depth limit that changes the tree.

    A tree whose deepest leaf lies above the limit is the same for every higher limit: a node at the limit becomes a
    leaf without a search for a split, so no random number is drawn. On a small corpus, most trees are therefore grown
    for two or three of the grid's five limits only.
    """

    def __init__(self, train: Examples, validation: Examples, seed: int) -> None:
        self._train = _Data(train)
        self._both = train.followed_by(validation)
        self._seed = seed
        self._untouched: dict[Hashable, list[Tree | None]] = {}

    def fit(self, params: Params) -> ForestPredictor:
        """Fit on the training examples. Raises PointError for features that are not finite."""
        limit = _limit(params)
        rest = tuple(sorted((name, value) for name, value in params.items() if name != "max_depth"))
        known = self._untouched.setdefault(rest, [None] * TREES)
        wanted = [number for number, tree in enumerate(known) if tree is None or tree.depth >= limit]
        grown = dict(zip(wanted, self._train.grow(params, wanted, self._seed), strict=True))
        trees = []
        for number, tree in enumerate(known):
            current = grown.get(number) or tree
            assert current is not None
            trees.append(current)
            if tree is None and current.depth < limit:
                known[number] = current
        return ForestPredictor.of(trees, self._train.labels)

    def refit(self, params: Params) -> ForestPredictor:
        """Fit on training and validation examples together. Raises PointError for features that are not finite."""
        data = _Data(self._both)
        return ForestPredictor.of(data.grow(params, range(TREES), self._seed), data.labels)

    def partial_fits(self, params: Params) -> Iterator[ForestPredictor]:
        """Yield forests of 10, 30 and 100 trees; each contains the trees of the one before."""
        trees: list[Tree] = []
        for size in STAGES:
            trees += self._train.grow(params, range(len(trees), size), self._seed)
            yield ForestPredictor.of(trees, self._train.labels)


def _limit(params: Params) -> int:
    limit = params["max_depth"]
    assert isinstance(limit, int)
    return limit


class _Data:
    """Examples, and the ranks of each feature, which all trees share."""

    def __init__(self, examples: Examples) -> None:
        self._X = np.asarray(examples.X, np.float32)
        self.labels, self._y = np.unique(examples.y, return_inverse=True)

    @cached_property
    def _ranked(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
        """By feature, shape (d, n): the rank of each sample, the sample of each rank, and the value of each rank."""
        if not np.isfinite(self._X).all():
            raise PointError("features are not finite")
        columns = np.ascontiguousarray(self._X.T)
        order = np.argsort(columns, axis=1, kind="stable").astype(np.int32)
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(order.shape[1], dtype=np.int32)[None], axis=1)
        return ranks, order, np.take_along_axis(columns, order, axis=1)

    def grow(self, params: Params, numbers: Sequence[int], seed: int) -> list[Tree]:
        """Return the trees with these numbers. Each tree has a seed of its own, so it can be grown alone."""
        seeds = np.random.RandomState(seed).randint(_SEEDS, size=TREES)
        probabilities = self._probabilities if params["class_weight"] == "balanced" else None
        min_samples = int(params["min_samples_split"] or 2)
        arguments = (len(self.labels), max(1, int(np.sqrt(self._X.shape[1]))), _limit(params), min_samples)
        data = self._ranked
        kernels = _kernels()

        def grow_tree(number: int) -> Tree:
            tree_seed = int(seeds[number])
            n = len(self._y)
            draws = np.random.RandomState(tree_seed)
            drawn = (
                draws.randint(0, n, n) if probabilities is None else draws.choice(n, n, replace=True, p=probabilities)
            )
            weights = np.bincount(drawn, minlength=n)
            state = np.random.RandomState(tree_seed).randint(0, _SEEDS) or 1
            max_nodes = 2 * n + 1
            left, right, feature = (np.empty(max_nodes, np.int64) for _ in range(3))
            threshold, leaves = np.empty(max_nodes), np.empty((max_nodes, len(self.labels)))
            nodes = (left, right, feature, threshold, leaves)
            count = kernels.grow(*data, self._y, weights, *arguments, np.uint32(state), *nodes)
            return Tree(
                left=left[:count].copy(),
                right=right[:count].copy(),
                feature=feature[:count].copy(),
                threshold=threshold[:count].copy(),
                shares=leaves[:count].copy(),
                depth=int(left[count]),
            )

        if len(numbers) < 2 or free_cores() == 1:
            return [grow_tree(number) for number in numbers]
        with ThreadPoolExecutor(free_cores()) as pool:
            return list(pool.map(grow_tree, numbers))

    @cached_property
    def _probabilities(self) -> Features:
        """Probability of drawing each example when classes are balanced."""
        weights = (len(self._y) / (len(self.labels) * np.bincount(self._y)))[self._y]
        probabilities: Features = weights / weights.sum()
        return probabilities
