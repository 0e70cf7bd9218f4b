"""Checks that a stored result is complete, and that its scores are those of its predictions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.score.metrics import accuracy, uar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serab_core.types import ClassifierOutcome, ContinuousResult, TaskResult

_TOLERANCE = 1e-9  # a score is a ratio of counts, so rounding alone separates it from a recomputed one
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


def result_fault(result: TaskResult) -> str:
    """What is wrong with a result, in words; "" for nothing."""
    try:
        return _fields_fault(result, (result.imported,)) or _scores_fault(result)
    except _DAMAGE as error:
        return f"is incomplete ({type(error).__name__}: {error})"


def continuous_fault(result: ContinuousResult) -> str:
    """What is wrong with a result on a continuous target, in words; "" for nothing."""
    try:
        fault = _fields_fault(result, (result.target,)) or _predictions_fault(result, result.chosen)
        test = result.outcome(result.chosen).test
        if fault or test is None:
            return fault or "its chosen regressor has no predictions"
        values = (*test.truth, *test.predicted, *(result.scores[name] for name in ("ccc", "pearson", "rmse")))
        return "" if all(_is_finite(value) for value in values) else "a value in it is no number"
    except _DAMAGE as error:
        return f"is incomplete ({type(error).__name__}: {error})"


def _fields_fault(result: TaskResult | ContinuousResult, names: Iterable[Any]) -> str:
    """What is wrong with the fields that tables and reports print."""
    provenance = result.provenance
    tables = (result.counts, provenance, result.speakers, result.sexes, result.profile)
    if not all(isinstance(table, dict) for table in tables):
        return "a table in it is no table"
    nested = [provenance.get(name, {}) for name in ("fingerprint", "dataset", "protocol")]
    if not all(isinstance(table, dict) for table in nested):
        return "a table in its provenance is no table"
    _, dataset, protocol = nested
    texts = [result.extractor, result.task, result.protocol, result.language, result.variant, result.chosen]
    texts += [result.key, result.splits, *names, *result.cautions, *(outcome.title for outcome in result.outcomes)]
    texts += [provenance.get(name, "") for name in ("summary", "licence", "citation")]
    texts += [dataset.get(name, "") for name in ("digest", "audio_digest", "title", "licence", "citation")]
    texts += [*protocol.get("classifiers", ()), *provenance.get("command", ())]
    texts += [*result.speakers.values(), *result.sexes.values()]
    if not all(isinstance(text, str) for text in texts) or not result.extractor.strip():
        return "a name in it is no word"
    if not all(isinstance(flag, bool) for flag in (result.synthetic, result.partial, result.faulty)):
        return "a mark in it is neither true nor false"
    counts = result.counts
    if not all(type(count) is int and count >= 0 for count in counts.values()) or counts["test"] < 1:
        return "a count in it is no count"
    if not all(outcome.params is None or isinstance(outcome.params, dict) for outcome in result.outcomes):
        return "the parameters of a classifier are no table"
    if any(not _is_finite(seconds) for seconds in (result.profile["seconds"] if result.profile else {}).values()):
        return "a time in its profile is no number"
    return ""


def _scores_fault(result: TaskResult) -> str:
    fault = next(filter(None, (_outcome_fault(result, outcome) for outcome in result.outcomes)), "")
    chosen = result.outcome(result.chosen)
    if fault:
        return fault
    if chosen.test is None or (chosen.accuracy, chosen.uar) != (result.accuracy, result.uar):
        return "its score is not that of its chosen classifier"
    return "" if chosen.validation is not None else "its chosen classifier has no validation score"


def _outcome_fault(result: TaskResult, outcome: ClassifierOutcome) -> str:
    name, test = outcome.classifier, outcome.test
    if outcome.validation is not None and not _is_finite(outcome.validation):
        return f"the validation score of {name} is no number"
    if test is None:
        return "" if outcome.accuracy is None and outcome.uar is None else f"{name} has scores and no predictions"
    fault = _predictions_fault(result, name)
    if fault:
        return fault
    if {*map(type, test.truth), *map(type, test.predicted)} - {str}:
        return f"a label in the predictions of {name} is no word"
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
    return f"an utterance id of {classifier} is no word" if {*map(type, test.ids)} - {str} else ""


def _is_finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
