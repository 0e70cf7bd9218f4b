"""Optimism: the increase of a score when the classifier is selected on the test split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.types import CHOSEN_IN_EACH_FOLD

if TYPE_CHECKING:
    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class Optimism:
    """One extractor on one task.

    Attributes:
        chosen: the classifier with the best validation score, the first of equals.
        accuracy: its test accuracy.
        best: the classifier with the best test accuracy, the first of equals; the script released by the authors of
            SERAB reports it, or an earlier one whose accuracy is the same after rounding to 0.1 %.
        claimed: its test accuracy.
    """

    extractor: str
    task: str
    chosen: str
    accuracy: float
    best: str
    claimed: float

    @property
    def gain(self) -> float:
        """The test-selected accuracy minus the validation-selected accuracy, in [0, 1]."""
        return self.claimed - self.accuracy


def optimism(result: TaskResult) -> Optimism:
    """Compare the classifier with the best validation score to the one with the best test score.

    Over folds, the classifiers that validation chose in each fold are compared to the one classifier with the best
    score on all test speakers.

    ValueError for a result without a fitted classifier.
    """
    fitted = [outcome for outcome in result.outcomes if outcome.validation is not None and "accuracy" in outcome.scores]
    chosen = result.outcome() if result.folds else max(fitted, key=lambda outcome: outcome.validation or 0.0)
    one_classifier = [outcome for outcome in fitted if outcome.classifier != CHOSEN_IN_EACH_FOLD]
    best = max(one_classifier, key=lambda outcome: outcome.scores["accuracy"])
    return Optimism(
        result.extractor, result.task, chosen.title, chosen.scores["accuracy"], best.title, best.scores["accuracy"]
    )
