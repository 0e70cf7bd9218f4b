"""Checks that a stored result is complete, and that its scores match its predictions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.metrics import accuracy, uar

if TYPE_CHECKING:
    from serab_core.types import ClassifierOutcome, ContinuousResult, TaskResult

_TOLERANCE = 1e-9  # a score is a ratio of counts, so rounding alone separates it from a recomputed one
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def result_fault(result: TaskResult) -> str:
    """Return the problem of a result, as text; "" for a valid result."""
    try:
        return _fields_fault(result) or _scores_fault(result)
    except _DAMAGE as error:
        return f"is incomplete ({type(error).__name__}: {error})"


def continuous_fault(result: ContinuousResult) -> str:
    """Return the problem of a result on a continuous target, as text; "" for a valid result."""
    try:
        fault = _fields_fault(result) or _predictions_fault(result, result.chosen)
        test = result.outcome(result.chosen).test
        if fault or test is None:
            return fault or "its chosen regressor has no predictions"
        missing = [name for name in ("ccc", "pearson", "rmse") if name not in result.scores]
        return f"it has no score {missing[0]!r}" if missing else ""
    except _DAMAGE as error:
        return f"is incomplete ({type(error).__name__}: {error})"


def _fields_fault(result: TaskResult | ContinuousResult) -> str:
    """Return the problem of the fields, whose types the store has already checked; "" for none."""
    if not result.extractor.strip():
        return "its extractor has no name"
    return "" if result.counts["test"] >= 1 else "it has no test utterances"


def _scores_fault(result: TaskResult) -> str:
    names = [outcome.classifier for outcome in result.outcomes]
    if len(set(names)) < len(names):
        return "it has two outcomes of one classifier"
    fault = next(filter(None, (_outcome_fault(result, outcome) for outcome in result.outcomes)), "")
    chosen = result.outcome(result.chosen)
    if fault:
        return fault
    if chosen.test is None or (chosen.accuracy, chosen.uar) != (result.accuracy, result.uar):
        return "its score is not that of its chosen classifier"
    return "" if chosen.validation is not None else "its chosen classifier has no validation score"


def _outcome_fault(result: TaskResult, outcome: ClassifierOutcome) -> str:
    name, test = outcome.classifier, outcome.test
    if test is None:
        return "" if outcome.accuracy is None and outcome.uar is None else f"{name} has scores and no predictions"
    fault = _predictions_fault(result, name)
    if fault:
        return fault
    numbers = {label: number for number, label in enumerate({*test.truth, *test.predicted})}
    truth, predicted = (np.array([numbers[label] for label in labels]) for labels in (test.truth, test.predicted))
    stored = {"accuracy": outcome.accuracy, "UAR": outcome.uar}
    computed = {"accuracy": accuracy(truth, predicted), "UAR": uar(truth, predicted)}
    for metric, value in stored.items():
        if value is None or not math.isclose(value, computed[metric], abs_tol=_TOLERANCE):
            return f"the {metric} of {name} is not that of its predictions"
    return ""


def _predictions_fault(result: TaskResult | ContinuousResult, classifier: str) -> str:
    test = result.outcome(classifier).test
    if test is None:
        return ""
    if not len(test.ids) == len(test.truth) == len(test.predicted) == len(set(test.ids)):
        return f"the predictions of {classifier} are not one for each utterance"
    if set(test.ids) - set(result.speakers):
        return "an utterance has no speaker"
    return ""
