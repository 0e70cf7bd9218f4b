"""Classifiers that use labels only, not features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.plugin import ClassifierSpec, Exported

if TYPE_CHECKING:
    from serab_core.plugin import Examples, Features, Labels, Params, Predictor, Workspace


@dataclass(frozen=True)
class Guess:
    """Predictor that guesses classes without using features.

    Attributes:
        counts: number of training examples of each class.
        strategy: `most_frequent` (the first class on a tie), or `stratified` (random classes with the frequencies of
            the training examples).
        seed: seed of the random draws.
    """

    counts: Labels
    strategy: str
    seed: int

    def predict(self, X: Features) -> Labels:
        """Return class indices, shape (len(X),)."""
        if self.strategy == "most_frequent":
            return np.full(len(X), int(self.counts.argmax()), np.int64)
        drawn = np.random.default_rng(self.seed).choice(len(self.counts), len(X), p=self.counts / self.counts.sum())
        return drawn.astype(np.int64)

    def export(self) -> Exported:
        """Return the predictor as plain data."""
        return Exported({"counts": self.counts}, {"strategy": self.strategy, "seed": self.seed})


class GuessWorkspace:
    """Workspace that counts classes.

    Args:
        strategy: strategy of the guesses.
        train, validation: labelled examples.
        seed: seed of the random draws.
    """

    def __init__(self, strategy: str, train: Examples, validation: Examples, seed: int) -> None:
        self._strategy, self._seed = strategy, seed
        self._train, self._both = train, train.followed_by(validation)

    def fit(self, params: Params) -> Predictor:
        """Return a guess from the classes of the training examples."""
        return self._guess(self._train)

    def refit(self, params: Params) -> Predictor:
        """Return a guess from the classes of the training and validation examples."""
        return self._guess(self._both)

    def _guess(self, examples: Examples) -> Guess:
        counts = np.bincount(examples.y, minlength=examples.n_classes)
        return Guess(counts, self._strategy, self._seed)


def rebuild(exported: Exported) -> Predictor:
    """Return the predictor of an export."""
    settings = exported.settings
    return Guess(exported.arrays["counts"], str(settings["strategy"]), int(settings["seed"]))


def spec_of(name: str, strategy: str, summary: str) -> ClassifierSpec:
    """Return the spec of a guess. It has no parameters, and no protocol searches it."""

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
        reference=reference
        if strategy == "most_frequent"
        else None,  # scikit-learn's draws come from another random generator
        order=90,
        expected_failures=dict.fromkeys(("classifier-learns", "classifier-learns-wide"), "it uses labels only"),
    )
