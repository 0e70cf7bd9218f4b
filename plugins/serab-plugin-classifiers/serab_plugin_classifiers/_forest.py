"""Random forests of scikit-learn's own trees, each grown once for all the depth limits that do not touch it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from serab_core import free_cores
from serab_core.types import Examples, Exported, PointError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from numpy.typing import NDArray

    from serab_core.types import Features, Labels, Params


TREES = 100
STAGES = (10, 30, TREES)


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


@dataclass(frozen=True, slots=True)
class TreesPredictor:
    """Trees that were put together: the mean of their class shares decides, summed in their order."""

    trees: Sequence[DecisionTreeClassifier]
    labels: Labels

    def shares(self, X: Features) -> Features:
        """The mean of the trees' class shares, shape (n, k)."""
        values = np.ascontiguousarray(X, np.float32)
        total = np.zeros((len(X), len(self.labels)))
        for tree in self.trees:
            total += tree.tree_.predict(values)
        total /= len(self.trees)
        return total

    def predict(self, X: Features) -> Labels:
        """Class indices for features of shape (n, d)."""
        best: Labels = self.labels[self.shares(X).argmax(axis=1)]
        return best


class ForestWorkspace:
    """Grows each tree anew only for a depth limit that touches it.

    A tree whose deepest leaf lies *above* its limit is the same for every limit that it stays below: a node at the
    limit is a leaf without a look for a split, which takes no random number. So of the grid's five limits most trees
    need two or three. Trees have seeds of their own, drawn by the forest, and can be grown alone.
    """

    def __init__(self, train: Examples, validation: Examples, seed: int) -> None:
        self._train, self._seed = train, seed
        self._both = train.followed_by(validation)
        self._untouched: dict[Hashable, _Family] = {}

    def fit(self, params: Params) -> TreesPredictor:
        """Fits on the training examples. Raises PointError where scikit-learn cannot."""
        limit = params["max_depth"]
        assert isinstance(limit, int)
        rest = tuple(sorted((name, value) for name, value in params.items() if name != "max_depth"))
        if rest not in self._untouched:
            *_, forest = self._grow(self._train, params, (TREES,))
            self._untouched[rest] = _Family(self._train, forest, limit)
        family = self._untouched[rest]
        return TreesPredictor(family.limited(limit), family.labels)

    def refit(self, params: Params) -> ForestPredictor:
        """Fits on training and validation examples together. Raises PointError where scikit-learn cannot."""
        *_, forest = self._grow(self._both, params, (TREES,))
        return ForestPredictor.of(forest)

    def stages(self, params: Params) -> Iterator[RandomForestClassifier]:
        """Forests of 10, 30 and 100 trees, each the one before with more."""
        return self._grow(self._train, params, STAGES)

    def _grow(self, examples: Examples, params: Params, sizes: tuple[int, ...]) -> Iterator[RandomForestClassifier]:
        """Grows one forest to each of these sizes: the trees are those of a forest grown to the last at once."""
        X = np.ascontiguousarray(examples.X, np.float32)  # what it makes of them itself
        forest = RandomForestClassifier(warm_start=len(sizes) > 1, random_state=self._seed, **dict(params))
        for size in sizes:
            forest.set_params(n_estimators=size, n_jobs=free_cores())
            try:
                forest.fit(X, examples.y)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
                raise PointError(" ".join(str(error).split())) from error
            forest.n_jobs = 1  # several threads would add the trees' votes in any order, and round differently
            yield forest


class _Family:
    """The trees of one forest under all depth limits."""

    def __init__(self, examples: Examples, forest: RandomForestClassifier, limit: int) -> None:
        self.labels = forest.classes_.astype(np.int64)
        self._X = np.ascontiguousarray(examples.X, np.float32)
        self._y = np.searchsorted(forest.classes_, examples.y)
        self._counts = [np.bincount(indices, minlength=len(self._y)) for indices in forest.estimators_samples_]
        self._params = forest.estimators_[0].get_params()
        del self._params["max_depth"], self._params["random_state"]
        self._seeds = [tree.random_state for tree in forest.estimators_]
        self._grown = {limit: list(forest.estimators_)}
        self._untouched = [tree if tree.get_depth() < limit else None for tree in forest.estimators_]

    def limited(self, limit: int) -> list[DecisionTreeClassifier]:
        """The trees under a depth limit."""
        if limit in self._grown:
            return self._grown[limit]
        with ThreadPoolExecutor(free_cores()) as pool:
            trees = list(pool.map(lambda number: self._tree(number, limit), range(len(self._counts))))
        self._grown[limit] = trees
        self._untouched = [
            known or (tree if tree.get_depth() < limit else None)
            for known, tree in zip(self._untouched, trees, strict=True)
        ]
        return trees

    def _tree(self, number: int, limit: int) -> DecisionTreeClassifier:
        known = self._untouched[number]
        if known is not None and known.get_depth() < limit:
            return known
        tree = DecisionTreeClassifier(**self._params, max_depth=limit, random_state=self._seeds[number])
        # What scikit-learn would look at again for each tree holds the interpreter's lock.
        with config_context(assume_finite=True, skip_parameter_validation=True):
            return tree.fit(self._X, self._y, sample_weight=self._counts[number], check_input=False)
