"""Classifiers that look at labels alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.plugin import ClassifierSpec, Exported

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Features, Labels, Params, Predictor, Workspace


@dataclass(frozen=True)
class Guess:
    """Guesses classes without a look at features.

    Attributes:
        counts: of each class's training examples.
        strategy: `most_frequent`, of equals the first, or `stratified`, each class as often as in training.
        seed: of the draws.
    """

    counts: Labels
    strategy: str
    seed: int

    def predict(self, X: Features) -> Labels:
        """Class indices, shape (len(X),)."""
        if self.strategy == "most_frequent":
            return np.full(len(X), int(self.counts.argmax()), np.int64)
        drawn = np.random.default_rng(self.seed).choice(len(self.counts), len(X), p=self.counts / self.counts.sum())
        return drawn.astype(np.int64)

    def export(self) -> Exported:
        """As plain data."""
        return Exported({"counts": self.counts}, {"strategy": self.strategy, "seed": self.seed})


class GuessWorkspace:
    """Counts classes.

    Args:
        strategy: of the guesses.
        train, validation: labelled examples.
        seed: of the draws.
    """

    def __init__(self, strategy: str, train: Examples, validation: Examples, seed: int) -> None:
        self._strategy, self._seed = strategy, seed
        self._train, self._both = train, train.followed_by(validation)

    def fit(self, params: Params) -> Predictor:
        """Of the training examples' classes."""
        return self._guess(self._train)

    def refit(self, params: Params) -> Predictor:
        """Of both parts' classes."""
        return self._guess(self._both)

    def _guess(self, examples: Examples) -> Guess:
        counts = np.bincount(examples.y, minlength=examples.n_classes)
        return Guess(counts, self._strategy, self._seed)


def rebuild(exported: Exported) -> Predictor:
    """The predictor of an exported one's arrays."""
    settings = exported.settings
    return Guess(exported.arrays["counts"], str(settings["strategy"]), int(settings["seed"]))


def spec_of(name: str, strategy: str, summary: str) -> ClassifierSpec:
    """The spec of a guess, which has no parameters; no protocol searches it."""

    def prepare(train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
        return GuessWorkspace(strategy, train, validation, seed)

    def reference(params: Params, seed: int) -> Any:
        from sklearn.dummy import DummyClassifier

        return DummyClassifier(strategy=strategy, random_state=seed)

    return ClassifierSpec(
        name=name,
        title=name.capitalize(),
        summary=summary,
        search_space={},
        prepare=prepare,
        rebuild=rebuild,
        reference=reference if strategy == "most_frequent" else None,  # draws are each generator's own
        order=90,
        expected_failures=dict.fromkeys(("classifier-learns", "classifier-learns-wide"), "it looks at labels alone"),
    )
