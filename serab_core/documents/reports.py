"""The types of the documents that commands print about results: runs, leaderboards and comparisons."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from serab_core.score.bootstrap import Interval
from serab_core.score.compare import Overall, Test
from serab_core.score.fairness import Group, SexGap, SpeakerGap
from serab_core.store.result_documents import Count, Fraction, ProfileDocument
from serab_core.types import ProtocolSpec

Metric: TypeAlias = Literal["accuracy", "uar"]
Params: TypeAlias = dict[str, Any]
Names: TypeAlias = tuple[str, ...]
Difference: TypeAlias = Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]
"""A difference between two scores, in [-1, 1]."""


class ErrorDocument(msgspec.Struct, frozen=True):
    """An error, as every command prints it with --json."""

    schema: Literal["serab.error/1"]
    error: str
    what: str
    where: str | None
    next_step: str | None
    exit_code: int
    traceback: str = ""


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
    points: Count
    failed_points: tuple[FailedPoint, ...]


class _RunResult(msgspec.Struct, frozen=True, kw_only=True):
    extractor: str
    task: str
    protocol: str
    variant: str
    counts: dict[str, Count]
    chosen: str
    params: Params
    synthetic: bool
    partial: bool
    cautions: Names
    splits: str
    faulty: bool
    reused: bool
    key: str
    file: str
    profile: ProfileDocument = ProfileDocument()


class RunResult(_RunResult, frozen=True, kw_only=True):
    """The score of one extractor on one task."""

    language: str
    accuracy: Fraction
    uar: Fraction
    classifiers: tuple[RunOutcome, ...]


class RunContinuous(_RunResult, frozen=True, kw_only=True):
    """The score of one extractor on one continuous target."""

    target: str
    scores: dict[str, float]
    ccc_interval: Interval


class Aggregate(msgspec.Struct, frozen=True):
    """The mean of an extractor over the tasks of the suite; null without a task."""

    extractor: str
    kind: Literal["UM"]
    of: Count
    tasks: Names
    missing: Names
    accuracy: Fraction | None
    uar: Fraction | None


class FailureDocument(msgspec.Struct, frozen=True):
    """An evaluation that failed."""

    extractor: str
    task: str
    error: ErrorDocument


class EvalDocument(msgspec.Struct, frozen=True):
    """What `serab eval` prints: a summary of one run."""

    schema: Literal["serab.eval/1"]
    protocol: ProtocolSpec
    extractors: Names
    tasks: Names
    results: tuple[RunResult, ...]
    continuous: tuple[RunContinuous, ...]
    aggregates: tuple[Aggregate, ...]
    failures: tuple[FailureDocument, ...]
    missing_tasks: Names
    notices: Names


class MeanDocument(msgspec.Struct, frozen=True):
    """A mean over tasks, with the weight of each task."""

    value: Fraction
    interval: Interval
    weights: dict[str, float]


class _Cell(msgspec.Struct, frozen=True, kw_only=True):
    accuracy: Fraction
    accuracy_interval: Interval
    uar: Fraction
    uar_interval: Interval
    macro_f1: Fraction
    classifier: str
    test_utterances: Count
    synthetic: bool
    partial: bool
    faulty: bool
    imported: str
    key: str
    dataset_digest: str


class CellDocument(_Cell, frozen=True, kw_only=True):
    """The score of a row on the data of the task's column."""


class OtherDataDocument(_Cell, frozen=True, kw_only=True):
    """A score on other data than the data of the task's column."""

    extractor: str
    name: str
    fingerprint: str
    task: str
    audio_digest: str


class LeaderboardRow(msgspec.Struct, frozen=True):
    """One version of an extractor.

    Attributes:
        extractor: the unique label of the row.
        letters: rows that share no letter differ significantly.
        accuracy, uar: the means by kind: UM, WM or GM.
    """

    extractor: str
    name: str
    fingerprint: str
    current: bool
    installed: bool
    group: int | None
    letters: str
    tasks: Names
    accuracy: dict[str, MeanDocument]
    uar: dict[str, MeanDocument]
    published_um: Fraction | None
    scores: dict[str, CellDocument]


class PairDocument(msgspec.Struct, frozen=True):
    """The difference between the means of two rows, by the leaderboard's metric; p is null if speakers are too few."""

    first: str
    second: str
    difference: Difference
    interval: Interval | None
    p: Fraction | None
    p_holm: Fraction | None
    test: Test


class ContinuousRow(msgspec.Struct, frozen=True):
    """A score on a continuous target."""

    extractor: str
    name: str
    fingerprint: str
    other_data: bool
    dataset_digest: str
    task: str
    target: str
    scores: dict[str, float]
    ccc_interval: Interval
    regressor: str
    synthetic: bool
    partial: bool
    faulty: bool
    key: str


class LeaderboardDocument(msgspec.Struct, frozen=True):
    """What `serab leaderboard` prints.

    Attributes:
        metric: the metric by which rows are ranked and compared.
        ranked_over: the tasks of the mean that ranks the rows.
        suite: the number of tasks in the suite.
    """

    schema: Literal["serab.leaderboard/2"]
    protocol: str
    metric: Metric
    tasks: Names
    ranked_over: Names
    suite: Count
    rows: tuple[LeaderboardRow, ...]
    other_data: tuple[OtherDataDocument, ...]
    comparisons: tuple[PairDocument, ...]
    continuous: tuple[ContinuousRow, ...]
    notices: Names


class TaskComparison(msgspec.Struct, frozen=True):
    """Two extractors on one task, by the document's metric.

    Attributes:
        only_first, only_second: utterances that only one of the two classified correctly.
        p: null if there are too few speakers for a test.
        smallest_p: the smallest p-value that the test can have with these speakers.
    """

    first: Fraction
    second: Fraction
    other_data: bool
    difference: Difference
    only_first: Count
    only_second: Count
    p: Fraction | None
    test: Test
    speakers: Count
    smallest_p: Fraction | None
    mcnemar: Fraction


class ComparisonDocument(msgspec.Struct, frozen=True):
    """What `serab compare` prints."""

    schema: Literal["serab.comparison/2"]
    protocol: str
    metric: Metric
    first: str
    second: str
    tasks: dict[str, TaskComparison]
    overall: Overall | None
    suite: Count
    notices: Names


class Spread(msgspec.Struct, frozen=True):
    """The spread of the mean of an extractor over all subsets of one size."""

    lowest: Fraction
    highest: Fraction
    deviation: Fraction


class Flip(msgspec.Struct, frozen=True):
    """The share of subsets in which the order of two extractors differs from their order over all tasks."""

    first: str
    second: str
    share: Fraction


class SizeDocument(msgspec.Struct, frozen=True):
    """All subsets of one number of tasks."""

    tasks: Count
    subsets: Count
    extractors: dict[str, Spread]
    flips: tuple[Flip, ...]
    mean_flips: Fraction
    equal_flips: Fraction


class BiasDocument(msgspec.Struct, frozen=True):
    """What `serab bias` prints: the spread of means over subsets of the tasks."""

    schema: Literal["serab.bias/2"]
    protocol: str
    metric: Metric
    left_out: Names
    tasks: Names
    suite: Count
    sizes: tuple[SizeDocument, ...]
    notices: Names


class OptimismRow(msgspec.Struct, frozen=True):
    """The accuracy by selection on validation, and the accuracy that selection on test would have claimed."""

    extractor: str
    task: str
    chosen: str
    accuracy: Fraction
    best: str
    claimed: Fraction
    gain: Difference
    enters: bool
    other_data: bool


class OptimismDocument(msgspec.Struct, frozen=True):
    """What `serab optimism` prints; `enters` marks the rows of the mean."""

    schema: Literal["serab.optimism/1"]
    protocol: str
    rows: tuple[OptimismRow, ...]
    mean_gain: Difference | None
    notices: Names


class TaskFairness(msgspec.Struct, frozen=True):
    """The scores of an extractor on one task, by speaker and by sex."""

    accuracy: Fraction
    other_data: bool
    speakers: tuple[Group, ...]
    sexes: tuple[Group, ...]
    speaker_gap: SpeakerGap | None
    sex_gap: SexGap | None


class FairnessDocument(msgspec.Struct, frozen=True):
    """What `serab fairness` prints."""

    schema: Literal["serab.fairness/1"]
    protocol: str
    extractor: str
    tasks: dict[str, TaskFairness]
    notices: Names
