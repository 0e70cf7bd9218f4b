"""What choosing the classifier on the test set would have claimed (reference 0.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class Optimism:
    """One extractor on one task.

    Attributes:
        chosen: the classifier of the best validation score, the first of equals.
        accuracy: its own on test.
        best: the classifier of the best test accuracy, the first of equals: what the released script reports.
        claimed: its accuracy on test.
    """

    extractor: str
    task: str
    chosen: str
    accuracy: float
    best: str
    claimed: float

    @property
    def gain(self) -> float:
        """By how much the claim is higher, as a share; never negative."""
        return self.claimed - self.accuracy


def optimism(result: TaskResult) -> Optimism:
    """Holds the classifier that validation chooses against the one that is best on test.

    ValueError for a result without a fitted classifier.
    """
    fitted = [outcome for outcome in result.outcomes if outcome.validation is not None and outcome.accuracy is not None]
    chosen = max(fitted, key=lambda outcome: outcome.validation or 0.0)
    best = max(fitted, key=lambda outcome: outcome.accuracy or 0.0)
    return Optimism(
        result.extractor, result.task, chosen.title, chosen.accuracy or 0.0, best.title, best.accuracy or 0.0
    )
