"""Outcomes of classifiers: the search, the refit and the scores of the predictions of the test split."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.metrics import CLASS_METRICS, METRICS, class_scores, continuous_scores, probability_scores
from serab_core.score.released import chosen_as_released
from serab_core.types import ClassifierOutcome

if TYPE_CHECKING:
    import numpy.typing as npt

    from serab_core.types import ClassifierSpec, Point, Predictions, TaskResult


def build_outcome(
    spec: ClassifierSpec, points: tuple[Point, ...], best: Point | None, test: Predictions | None
) -> ClassifierOutcome:
    """Return the outcome of one classifier on one task.

    Args:
        spec: the classifier.
        points: all points of its search.
        best: the chosen point; None if no point could be fitted.
        test: the predictions of the test split after the refit.
    """
    return ClassifierOutcome(
        classifier=spec.name,
        title=spec.title,
        points=points,
        params=dict(best.params) if best else None,
        validation=best.score if best else None,
        test=test,
        scores=scores_of(test) if test else {},
    )


def scores_of(test: Predictions) -> dict[str, float]:
    """Return every metric of predictions: of labels, or of values of a continuous target. ValueError for none."""
    if test.truth and not isinstance(test.truth[0], str):
        return continuous_scores(test.truth, test.predicted)
    scores = class_scores(test.truth, test.predicted)
    if test.probabilities:
        scores |= probability_scores(test.truth, test.predicted, test.labels, probability_table(test))
    return scores


def probability_table(test: Predictions) -> npt.NDArray[np.float32]:
    """Return the probabilities of predictions, shape (utterances, labels). ValueError for another number of values."""
    return np.frombuffer(test.probabilities, "<f4").reshape(len(test.ids), len(test.labels))


def main_score_text(result: TaskResult) -> str:
    """Return the main score of a result as text: `accuracy 71.4 %`, or `CCC 0.512` for a continuous target."""
    metric = METRICS["accuracy" if result.target is None else "ccc"]
    return f"{metric.title} {metric.text(result.scores[metric.name])}{' %' if metric.percent else ''}"


def complete(outcome: ClassifierOutcome) -> ClassifierOutcome:
    """Return an outcome with all metrics; files of earlier versions hold fewer.

    An outcome whose predictions have unequal lengths is returned unchanged; `result_fault` finds it.
    """
    test = outcome.test
    if test is None or ({*CLASS_METRICS} <= outcome.scores.keys() or not {*CLASS_METRICS} & outcome.scores.keys()):
        return outcome
    try:
        return replace(outcome, scores={**scores_of(test), **outcome.scores})
    except ValueError:
        return outcome


def complete_result(result: TaskResult) -> TaskResult:
    """Return a result whose outcomes have all metrics, as `complete` returns them, with the choice of this version."""
    outcomes = tuple(complete(outcome) for outcome in result.outcomes)
    name = chosen_as_released(result)
    chosen = next((outcome for outcome in outcomes if outcome.classifier == name), None)
    stored = result.scores if name == result.chosen else {}
    return replace(result, outcomes=outcomes, chosen=name, scores={**(chosen.scores if chosen else {}), **stored})
