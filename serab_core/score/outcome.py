"""Outcomes of classifiers: the search, the refit and the predictions of the test split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.score.metrics import accuracy, continuous_scores, uar
from serab_core.types import ClassifierOutcome

if TYPE_CHECKING:
    from serab_core.types import ClassifierSpec, Point, Predictions


def build_outcome(
    spec: ClassifierSpec,
    points: tuple[Point, ...],
    best: Point | None,
    test: Predictions | None,
    *,
    continuous: bool,
) -> ClassifierOutcome:
    """Return the outcome of one classifier on one task.

    Args:
        spec: the classifier.
        points: all points of its search.
        best: the chosen point; None if no point could be fitted.
        test: the predictions of the test split after the refit.
        continuous: the target is a number, so there is no accuracy.
    """
    return ClassifierOutcome(
        classifier=spec.name,
        title=spec.title,
        points=points,
        params=dict(best.params) if best else None,
        validation=best.score if best else None,
        test=test,
        accuracy=accuracy(test.truth, test.predicted) if test and not continuous else None,
        uar=uar(test.truth, test.predicted) if test and not continuous else None,
        scores=continuous_scores(test.truth, test.predicted) if test and continuous else {},
    )
