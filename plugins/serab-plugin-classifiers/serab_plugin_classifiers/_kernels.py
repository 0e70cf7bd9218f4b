"""Support vector machines over one matrix of inner products, which every kernel, C and class weight shares.

libsvm also computes a radial kernel from inner products: exp(-gamma (x.x + y.y - 2 x.y)). So the Gram matrix of all
training and validation examples is sufficient for the whole grid and for the refit. It grows with the square of the
number of examples. If it would be too large, libsvm computes rows of it when it needs them.
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

MAX_SHARED = 6_000
"""Maximum number of examples for a shared matrix: 288 MB, at most four of them. Every corpus of SERAB has fewer."""
CACHE_MB = 200  # MB of kernel rows that libsvm caches where there are more examples
_BLOCK = 1 << 23  # kernel values per block of predicted utterances: 64 MB of float64


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel: linear, or radial.

    Attributes:
        gamma: parameter of exp(-gamma |x - y|^2); None for the inner product.
    """

    gamma: float | None

    @classmethod
    def named(cls, name: str, factor: float, X: Features) -> Kernel:
        """Return the kernel: `linear`, or radial with `factor` times scikit-learn's gamma "scale" for X (n, d)."""
        return cls(None if name == "linear" else factor / (X.shape[1] * X.var()))

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments of scikit-learn's SVC and SVR that make libsvm compute the kernel from features."""
        parameters = {"kernel": "linear"} if self.gamma is None else {"kernel": "rbf", "gamma": self.gamma}
        return {**parameters, "cache_size": CACHE_MB}

    def of(self, inner: Features, left: Features, right: Features) -> Features:
        """Return the kernel matrix, from inner products (m, n) and the squared norms of both sides, (m,) and (n,)."""
        if self.gamma is None:
            return inner
        squares = left[:, None] + right[None, :]
        squares -= 2.0 * inner
        squares *= -self.gamma
        return np.exp(squares, out=squares)


@dataclass(frozen=True, slots=True)
class KernelPredictor:
    """Predictor of a fitted machine.

    Attributes:
        machine: scikit-learn's SVC on a precomputed kernel.
        kernel: the kernel.
        known: the examples that the machine was fitted on.
        validation: the validation examples.
        against_validation: kernel values between validation and known examples, or None.
    """

    machine: SVC
    kernel: Kernel
    known: Features
    validation: Features
    against_validation: Features | None

    def predict(self, X: Features) -> Labels:
        """Return class indices for features of shape (n, d)."""
        values = self.against_validation if X is self.validation else None
        if values is None:
            values = self.kernel.of(X @ self.known.T, _squares(X), _squares(self.known))
        labels: Labels = self.machine.predict(values)
        return labels

    def export(self) -> Exported:
        """Return the machine as plain data, without the validation examples."""
        return VotingPredictor.of(self.machine, self.kernel, self.known).export()


@dataclass(frozen=True, slots=True)
class VotingPredictor:
    """Predictor of a support vector machine without libsvm. Every pair of classes votes; most votes win.

    On a tie, the first class wins.

    Attributes:
        labels: class indices, shape (k,).
        vectors: support vectors, shape (m, d), sorted by class.
        counts: number of support vectors of each class.
        coefficients: shape (k - 1, m). The pair i < j uses row j - 1 in the columns of class i, and row i in those of
            class j.
        offsets: offsets of the pairs (0, 1), (0, 2), ..., (k - 2, k - 1).
        kernel: the kernel.
    """

    labels: Labels
    vectors: Features
    counts: Labels
    coefficients: Features
    offsets: Features
    kernel: Kernel

    @classmethod
    def rebuild(cls, exported: Exported) -> VotingPredictor:
        """Return the predictor of an export."""
        return cls(**exported.arrays, kernel=Kernel(exported.settings["gamma"]))

    @classmethod
    def of(cls, machine: SVC, kernel: Kernel, known: Features) -> VotingPredictor:
        """Return the predictor of a fitted machine of scikit-learn.

        Args:
            machine: the fitted SVC.
            kernel: its kernel.
            known: the features that it was fitted on, shape (n, d).
        """
        sign = -1.0 if len(machine.classes_) == 2 else 1.0  # for two classes scikit-learn inverts libsvm's signs
        return cls(
            labels=machine.classes_.astype(np.int64),
            vectors=known[machine.support_],
            counts=machine.n_support_.astype(np.int64),
            coefficients=sign * machine.dual_coef_,
            offsets=sign * machine.intercept_,
            kernel=kernel,
        )

    def export(self) -> Exported:
        """Return the arrays, and the gamma of the kernel."""
        names = ("labels", "vectors", "counts", "coefficients", "offsets")
        return Exported({name: getattr(self, name) for name in names}, {"gamma": self.kernel.gamma})

    def predict(self, X: Features) -> Labels:
        """Return class indices for features of shape (n, d)."""
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
    """Workspace that computes the Gram matrix of all examples once, if there are not too many.

    Args:
        train, validation: labelled examples.
        seed: seed of libsvm, which uses it for probabilities only.
    """

    def __init__(self, train: Examples, validation: Examples, seed: int) -> None:
        self._train, self._validation, self._seed = train, validation, seed
        self._both = train.followed_by(validation)
        self._inner: Features | None = self._both.X @ self._both.X.T if len(self._both.y) <= MAX_SHARED else None
        self._values: tuple[str, Kernel, Features] | None = None

    def fit(self, params: Params) -> KernelPredictor | VotingPredictor:
        """Fit on the training examples. Raises PointError for a single class."""
        return self._fitted("train", self._train, params)

    def refit(self, params: Params) -> KernelPredictor | VotingPredictor:
        """Fit on training and validation examples together. Raises PointError for a single class."""
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
        """Return the kernel matrix of all examples. The last radial matrix is cached."""
        if kernel.gamma is None:
            return inner
        if self._values is None or self._values[:2] != (which, kernel):
            self._values = None  # free its memory before the next matrix is computed
            squares = np.diagonal(inner)
            self._values = (which, kernel, kernel.of(inner, squares, squares))
        return self._values[2]
