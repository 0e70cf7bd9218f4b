"""Results over folds: the pooled predictions of all folds, and the scores of each fold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from serab_core.score.outcome import probability_table, scores_of
from serab_core.types import CHOSEN_IN_EACH_FOLD, SPLITS, ClassifierOutcome, FoldResult, Predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import Fold, Task, TaskResult


@dataclass(frozen=True, slots=True)
class Pooled:
    """The pooled outcomes of the classifiers, and the name of the one that the protocol reports."""

    outcomes: tuple[ClassifierOutcome, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class FoldSummary:
    """The scores of one metric over the folds of a result.

    Attributes:
        mean: the unweighted mean over folds.
        deviation: the standard deviation between folds (ddof 1); None for one fold.
        error: the standard error of the mean over folds, deviation / sqrt(folds); None for one fold. Folds share
            training speakers, and random draws share test speakers, so it is a description and no interval.
        low, high: the lowest and the highest score.
    """

    folds: int
    mean: float
    deviation: float | None
    error: float | None
    low: float
    high: float


def pool_outcomes(
    outcomes: Sequence[Sequence[ClassifierOutcome]], chosen: Sequence[ClassifierOutcome], prefixes: Sequence[str]
) -> Pooled:
    """Return each classifier's outcome over all folds, and that of the classifiers chosen in each fold.

    A pooled outcome has no points; its validation score is the mean over folds. A classifier that could not be fitted
    in one of the folds has no predictions.

    Args:
        outcomes: for each fold, in the order of the classifiers.
        chosen: the chosen outcome of each fold.
        prefixes: for each fold, the text before its utterance ids.
    """
    whole = tuple(
        _pool(of_folds[0].classifier, of_folds[0].title, of_folds, prefixes) for of_folds in zip(*outcomes, strict=True)
    )
    names = {outcome.classifier for outcome in chosen}
    if len(names) == 1:
        return Pooled(whole, chosen[0].classifier)
    each = _pool(CHOSEN_IN_EACH_FOLD, "chosen in each fold", chosen, prefixes)
    return Pooled((*whole, each), CHOSEN_IN_EACH_FOLD)


def fold_result(
    fold: Fold,
    task: Task,
    outcomes: Sequence[ClassifierOutcome],
    chosen: ClassifierOutcome,
    prefix: str,
    pooled: Predictions,
) -> FoldResult:
    """Return the result of one fold.

    Args:
        fold: the fold.
        task: the task with the splits of the fold.
        outcomes: in the order of the classifiers.
        chosen: the outcome that the protocol chooses.
        prefix: the text before the utterance ids of this fold.
        pooled: the predictions of all folds, from which the scores are computed.
    """
    assert chosen.test is not None
    ids = tuple(f"{prefix}{identifier}" for identifier in chosen.test.ids)
    return FoldResult(
        name=fold.name,
        test_speakers=fold.test_speakers,
        counts={split: task.count(split) for split in SPLITS},
        chosen=chosen.classifier,
        params={outcome.classifier: outcome.params for outcome in outcomes},
        validation={outcome.classifier: outcome.validation for outcome in outcomes},
        test=ids,
        scores=scores_of(select_predictions(pooled, ids)),
    )


def fold_summary(result: TaskResult, metric: str) -> FoldSummary | None:
    """Return the mean and spread of a metric over the folds; None without folds, or if a fold lacks the metric."""
    values = [fold.scores[metric] for fold in result.folds if metric in fold.scores]
    if not values or len(values) < len(result.folds):
        return None
    deviation = stdev(values) if len(values) > 1 else None
    error = None if deviation is None else deviation / math.sqrt(len(values))
    return FoldSummary(len(values), fmean(values), deviation, error, min(values), max(values))


def fold_summaries(result: TaskResult) -> dict[str, FoldSummary]:
    """Return the mean and spread of each metric over the folds; empty without folds."""
    summaries = {metric: fold_summary(result, metric) for metric in result.scores}
    return {metric: summary for metric, summary in summaries.items() if summary is not None}


def select_predictions(test: Predictions, ids: Sequence[str]) -> Predictions:
    """Return the predictions of some utterances, in the given order. KeyError for an unknown id."""
    place = {identifier: at for at, identifier in enumerate(test.ids)}
    return _rows(test, [place[identifier] for identifier in ids])


def _rows(test: Predictions, rows: Sequence[int]) -> Predictions:
    """Return the predictions at some places, in this order."""
    table = probability_table(test)[list(rows)].tobytes() if test.probabilities else b""
    ids, truth, predicted = (tuple(values[row] for row in rows) for values in (test.ids, test.truth, test.predicted))
    return Predictions(ids, truth, predicted, test.labels, table)  # type: ignore[arg-type]


def _pool(name: str, title: str, outcomes: Sequence[ClassifierOutcome], prefixes: Sequence[str]) -> ClassifierOutcome:
    tests = [outcome.test for outcome in outcomes if outcome.test is not None]
    if len(tests) < len(outcomes):
        return ClassifierOutcome(name, title, (), None, None, None, {})
    ids = [f"{prefix}{identifier}" for prefix, test in zip(prefixes, tests, strict=True) for identifier in test.ids]
    with_probabilities = all(test.probabilities for test in tests) and len({test.labels for test in tests}) == 1
    joined = Predictions(
        tuple(ids),
        tuple(value for test in tests for value in test.truth),  # type: ignore[arg-type]
        tuple(value for test in tests for value in test.predicted),  # type: ignore[arg-type]
        tests[0].labels if with_probabilities else (),
        b"".join(test.probabilities for test in tests) if with_probabilities else b"",
    )
    pooled = _rows(joined, sorted(range(len(ids)), key=lambda place: ids[place]))
    validation = fmean(outcome.validation for outcome in outcomes if outcome.validation is not None)
    return ClassifierOutcome(name, title, (), {}, validation, pooled, scores_of(pooled))
