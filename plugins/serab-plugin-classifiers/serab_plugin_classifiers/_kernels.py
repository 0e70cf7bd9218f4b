"""Support vector machines over one matrix of inner products, shared by every kernel, C and class weight.

libsvm computes a radial kernel from inner products, too: exp(-gamma (x.x + y.y - 2 x.y)). So the Gram matrix of all
training and validation examples is all that the grid needs, and the refit's is the same matrix. It grows with the
square of the examples; where it would be too large, libsvm computes rows of it as it needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.svm import SVC

from serab_core.plugin import Examples, Exported, PointError
from serab_plugin_classifiers._grids import MAX_ITER

if TYPE_CHECKING:
    from serab_core.plugin import Features, Labels, Params

MOST_SHARED = 6_000
"""Examples whose matrix is made: 288 MB, of which there are four at most. Every corpus of SERAB has fewer."""
CACHE_MB = 200
"""Of rows, for libsvm where there are more."""
_BLOCK = 1 << 23
"""Kernel values at a time, while many utterances are predicted."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel: linear, or radial with a width.

    Attributes:
        gamma: of exp(-gamma |x - y|^2); None for the inner product.
    """

    gamma: float | None

    @classmethod
    def named(cls, name: str, factor: float, X: Features) -> Kernel:
        """`linear`, or radial with a multiple of scikit-learn's width "scale" for these features, shape (n, d)."""
        return cls(None if name == "linear" else factor / (X.shape[1] * X.var()))

    @property
    def settings(self) -> dict[str, Any]:
        """What tells it to libsvm, which then computes it from features."""
        parameters = {"kernel": "linear"} if self.gamma is None else {"kernel": "rbf", "gamma": self.gamma}
        return {**parameters, "cache_size": CACHE_MB}

    def of(self, inner: Features, left: Features, right: Features) -> Features:
        """Its matrix, from inner products (m, n) and the squared lengths of both sides, (m,) and (n,)."""
        if self.gamma is None:
            return inner
        squares = left[:, None] + right[None, :]
        squares -= 2.0 * inner
        squares *= -self.gamma
        return np.exp(squares, out=squares)


@dataclass(frozen=True, slots=True)
class KernelPredictor:
    """A fitted machine, the examples it knows, and kernel values against the validation examples, if there."""

    machine: SVC
    kernel: Kernel
    known: Features
    validation: Features
    against_validation: Features | None

    def predict(self, X: Features) -> Labels:
        """Class indices for features of shape (n, d)."""
        values = self.against_validation if X is self.validation else None
        if values is None:
            values = self.kernel.of(X @ self.known.T, _squares(X), _squares(self.known))
        labels: Labels = self.machine.predict(values)
        return labels

    def export(self) -> Exported:
        """Of the same machine without validation examples."""
        return VotingPredictor.of(self.machine, self.kernel, self.known).export()


@dataclass(frozen=True, slots=True)
class VotingPredictor:
    """A machine that was read back: every pair of classes votes, and the first class with the most votes wins.

    Attributes:
        vectors: support vectors (m, d), sorted by class; `counts` of each.
        coefficients: (k - 1, m); row j - 1 of class i's columns, and row i of class j's, belong to the pair i < j.
        offsets: of the pairs (0, 1), (0, 2), ..., (k - 2, k - 1).
    """

    labels: Labels
    vectors: Features
    counts: Labels
    coefficients: Features
    offsets: Features
    kernel: Kernel

    @classmethod
    def rebuild(cls, exported: Exported) -> VotingPredictor:
        """From its arrays."""
        return cls(**exported.arrays, kernel=Kernel(exported.settings["gamma"]))

    @classmethod
    def of(cls, machine: SVC, kernel: Kernel, known: Features) -> VotingPredictor:
        """A machine of libsvm's: its support vectors, and its coefficients and offsets of each pair of classes.

        Args:
            known: the features that it was fitted on, shape (n, d).
        """
        sign = -1.0 if len(machine.classes_) == 2 else 1.0  # for two classes scikit-learn turns libsvm's signs round
        return cls(
            labels=machine.classes_.astype(np.int64),
            vectors=known[machine.support_],
            counts=machine.n_support_.astype(np.int64),
            coefficients=sign * machine.dual_coef_,
            offsets=sign * machine.intercept_,
            kernel=kernel,
        )

    def export(self) -> Exported:
        """Its arrays, and its kernel's width."""
        names = ("labels", "vectors", "counts", "coefficients", "offsets")
        return Exported({name: getattr(self, name) for name in names}, {"gamma": self.kernel.gamma})

    def predict(self, X: Features) -> Labels:
        """Class indices for features of shape (n, d)."""
        squares = _squares(self.vectors)
        rows = max(1, _BLOCK // max(1, len(self.vectors)))
        blocks = [self._winners(X[begin : begin + rows], squares) for begin in range(0, len(X), rows)]
        return np.concatenate(blocks) if blocks else np.zeros(0, np.int64)

    def _winners(self, X: Features, squares: Features) -> Labels:
        values = self.kernel.of(X @ self.vectors.T, _squares(X), squares)
        ends = np.cumsum(self.counts)
        columns = [slice(end - count, end) for count, end in zip(self.counts, ends, strict=True)]
        votes = np.zeros((len(X), len(self.labels)), np.int64)
        for (i, j), offset in zip(combinations(range(len(self.labels)), 2), self.offsets, strict=True):
            decision = values[:, columns[i]] @ self.coefficients[j - 1, columns[i]]
            decision += values[:, columns[j]] @ self.coefficients[i, columns[j]] + offset
            votes[np.arange(len(X)), np.where(decision > 0, i, j)] += 1
        winners: Labels = self.labels[votes.argmax(axis=1)]
        return winners


def _squares(X: Features) -> Features:
    squares: Features = np.einsum("ij,ij->i", X, X)
    return squares


class KernelWorkspace:
    """Multiplies all examples with each other once, where they are not too many.

    Args:
        seed: of libsvm, which uses it for probabilities only.
    """

    def __init__(self, train: Examples, validation: Examples, seed: int) -> None:
        self._train, self._validation, self._seed = train, validation, seed
        self._both = train.followed_by(validation)
        self._inner: Features | None = self._both.X @ self._both.X.T if len(self._both.y) <= MOST_SHARED else None
        self._values: tuple[str, Kernel, Features] | None = None

    def fit(self, params: Params) -> KernelPredictor | VotingPredictor:
        """Fits on the training examples. Raises PointError for a single class."""
        return self._fitted("train", self._train, params)

    def refit(self, params: Params) -> KernelPredictor | VotingPredictor:
        """Fits on training and validation examples together. Raises PointError for a single class."""
        return self._fitted("both", self._both, params)

    def _fitted(self, which: str, examples: Examples, params: Params) -> KernelPredictor | VotingPredictor:
        settings: dict[str, Any] = dict(params)
        kernel = Kernel.named(settings.pop("kernel"), settings.pop("gamma_by_scale", 1.0), examples.X)
        settings |= {"max_iter": MAX_ITER, "random_state": self._seed}
        try:
            if self._inner is None:
                machine = SVC(**kernel.settings, **settings).fit(examples.X, examples.y)
                return VotingPredictor.of(machine, kernel, examples.X)
            n, values = len(examples.y), self._matrix(which, kernel, self._inner)
            machine = SVC(kernel="precomputed", **settings).fit(values[:n, :n], examples.y)
        except ValueError as error:
            raise PointError(" ".join(str(error).split())) from error
        against = values[n:, :n] if which == "train" else None
        return KernelPredictor(machine, kernel, examples.X, self._validation.X, against)

    def _matrix(self, which: str, kernel: Kernel, inner: Features) -> Features:
        """The kernel over all examples; the last radial one is kept."""
        if kernel.gamma is None:
            return inner
        if self._values is None or self._values[:2] != (which, kernel):
            self._values = None  # its memory is needed for the next
            squares = np.diagonal(inner)
            self._values = (which, kernel, kernel.of(inner, squares, squares))
        return self._values[2]
