"""Checks that a stored result is complete, and that its scores match its predictions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.folds import select_predictions
from serab_core.score.metrics import METRICS
from serab_core.score.outcome import probability_table, scores_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serab_core.types import ClassifierOutcome, Predictions, TaskResult

_TOLERANCE = 1e-9  # the order of sums differs between machines; rounding alone separates a score from a recomputed one
_REQUIRED = {False: ("accuracy", "uar"), True: ("ccc", "pearson", "rmse")}  # by whether the target is continuous
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def result_fault(result: TaskResult) -> str:
    """Return the problem of a result, as text; "" for a valid result."""
    try:
        return _fields_fault(result) or _scores_fault(result) or _folds_fault(result)
    except _DAMAGE as error:
        return f"is incomplete ({type(error).__name__}: {error})"


def _fields_fault(result: TaskResult) -> str:
    """Return the problem of the fields, whose types the store has already checked; "" for none."""
    if not result.extractor.strip():
        return "its extractor has no name"
    if result.target is not None and not result.target.strip():
        return "its continuous target has no name"
    return "" if result.counts["test"] >= 1 else "it has no test utterances"


def _scores_fault(result: TaskResult) -> str:
    names = [outcome.classifier for outcome in result.outcomes]
    if len(set(names)) < len(names):
        return "it has two outcomes of one classifier"
    fault = next(filter(None, (_outcome_fault(result, outcome) for outcome in result.outcomes)), "")
    chosen = result.outcome()
    if fault:
        return fault
    if chosen.test is None or dict(result.scores) != dict(chosen.scores):
        return "its score is not that of its chosen classifier"
    return "" if chosen.validation is not None else "its chosen classifier has no validation score"


def _folds_fault(result: TaskResult) -> str:
    """Return the problem of the folds; "" for none, or if the result has none."""
    test = result.outcome().test
    if not result.folds or test is None:
        return ""
    tested = [identifier for fold in result.folds for identifier in fold.test]
    if len(tested) != len(test.ids) or set(tested) != set(test.ids):
        return "its folds do not test each of its utterances once"
    for fold in result.folds:
        if {result.speakers[identifier] for identifier in fold.test} - set(fold.test_speakers):
            return f"fold {fold.name} tests a speaker that is not one of its test speakers"
        if fold.chosen not in fold.params:
            return f"fold {fold.name} has no outcome of its chosen classifier"
        fault = _metrics_fault(fold.scores, scores_of(select_predictions(test, fold.test)), f"fold {fold.name}")
        if fault:
            return fault
    return ""


def _outcome_fault(result: TaskResult, outcome: ClassifierOutcome) -> str:
    name, test = outcome.classifier, outcome.test
    if test is None:
        return f"{name} has scores and no predictions" if outcome.scores else ""
    fault = _predictions_fault(result, test, name)
    if fault:
        return fault
    missing = [metric for metric in _REQUIRED[result.target is not None] if metric not in outcome.scores]
    if missing:
        return f"{name} has no score {missing[0]!r}"
    return _metrics_fault(outcome.scores, scores_of(test), name)


def _metrics_fault(stored: Mapping[str, float], computed: Mapping[str, float], name: str) -> str:
    """Return the difference between stored and recomputed scores; "" for none."""
    unknown = sorted(stored.keys() - computed.keys())
    if unknown:
        return f"{name} has a score {unknown[0]!r} that its predictions do not give"
    for metric, value in computed.items():
        if not math.isclose(stored.get(metric, value), value, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
            return f"the {METRICS[metric].title} of {name} is not that of its predictions"
    return ""


def _predictions_fault(result: TaskResult, test: Predictions, classifier: str) -> str:
    if not len(test.ids) == len(test.truth) == len(test.predicted) == len(set(test.ids)):
        return f"the predictions of {classifier} are not one for each utterance"
    if set(test.ids) - set(result.speakers):
        return "an utterance has no speaker"
    if len(set(test.labels)) < len(test.labels):
        return f"the probabilities of {classifier} have two columns of one class"
    if test.probabilities:
        table = probability_table(test)
        whole = table.sum(axis=1)
        if not (np.isfinite(table).all() and (table >= 0).all() and np.allclose(whole, 1, atol=1e-3)):
            return f"the probabilities of {classifier} do not sum to 1"
    return ""
