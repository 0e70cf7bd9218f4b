"""The types of the documents that `serab eval` prints about a run."""

from __future__ import annotations

from typing import Literal

import msgspec

from serab_core.documents.reports import ErrorDocument, Names, Params, Scores
from serab_core.score.bootstrap import Interval
from serab_core.score.classes import ClassScore
from serab_core.score.folds import FoldSummary
from serab_core.score.margins import Choice, FoldChoices
from serab_core.score.seeds import SeedSummary
from serab_core.store.result_documents import Count, Fraction, ProfileDocument
from serab_core.types import ProtocolSpec


class FailedPoint(msgspec.Struct, frozen=True):
    """A point of a search that could not be fitted."""

    params: Params
    reason: str


class RunOutcome(msgspec.Struct, frozen=True):
    """The outcome of one classifier; the result's file has all points and predictions."""

    classifier: str
    params: Params | None
    validation: float | None
    accuracy: Fraction | None
    uar: Fraction | None
    scores: Scores
    points: Count
    failed_points: tuple[FailedPoint, ...]


class RunFold(msgspec.Struct, frozen=True):
    """One fold: its test speakers, the classifier that was chosen in it, and the scores on it."""

    name: str
    test_speakers: Names
    counts: dict[str, Count]
    chosen: str
    params: Params
    validation: float | None
    scores: Scores


class RunResult(msgspec.Struct, frozen=True):
    """The score of one extractor on one task.

    Attributes:
        target: the continuous target; null for classes.
        accuracy, uar: as in `scores`; null for a continuous target.
        probe: the test score of LDA alone, by the metric by which the protocol selects; null without LDA.
        choice: the margin of the choice between classifiers, and the runners-up; null for a result with folds.
        fold_choices: in how many folds the choice depends on one utterance; null for a result without folds.
        seeds: the scores under several seeds, and their range; null without results under other seeds.
        file: the file of the whole result, with predictions and provenance.
        folds: the folds, if the protocol has several; `scores` and `intervals` are then over all folds together.
        over_folds: the mean and spread of the scores of the folds, by metric.
    """

    extractor: str
    task: str
    language: str
    protocol: str
    variant: str
    counts: dict[str, Count]
    target: str | None
    accuracy: Fraction | None
    uar: Fraction | None
    scores: Scores
    intervals: dict[str, Interval]
    classes: dict[str, ClassScore]
    chosen: str
    params: Params
    probe: float | None
    choice: Choice | None
    fold_choices: FoldChoices | None
    seeds: SeedSummary | None
    classifiers: tuple[RunOutcome, ...]
    synthetic: bool
    partial: bool
    cautions: Names
    splits: str
    faulty: bool
    reused: bool
    key: str
    file: str
    folds: tuple[RunFold, ...]
    over_folds: dict[str, FoldSummary]
    profile: ProfileDocument = ProfileDocument()


class Aggregate(msgspec.Struct, frozen=True):
    """The mean of an extractor over the tasks of the suite; null without a task."""

    extractor: str
    kind: Literal["UM"]
    of: Count
    tasks: Names
    missing: Names
    accuracy: Fraction | None
    uar: Fraction | None
    macro_recall: Fraction | None


class FailureDocument(msgspec.Struct, frozen=True):
    """An evaluation that failed."""

    extractor: str
    task: str
    error: ErrorDocument


class EvalDocument(msgspec.Struct, frozen=True):
    """What `serab eval` prints: a summary of one run."""

    schema: Literal["serab.eval/2"]
    protocol: ProtocolSpec
    extractors: Names
    tasks: Names
    results: tuple[RunResult, ...]
    aggregates: tuple[Aggregate, ...]
    failures: tuple[FailureDocument, ...]
    missing_tasks: Names
    notices: Names
