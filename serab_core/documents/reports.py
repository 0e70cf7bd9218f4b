"""The types of the documents that commands print about results: runs, leaderboards and comparisons."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from serab_core.score.bootstrap import Interval
from serab_core.score.classes import ClassScore
from serab_core.score.compare import Overall, Test
from serab_core.score.fairness import SexGap, SpeakerGap
from serab_core.score.folds import FoldSummary
from serab_core.store.result_documents import Count, Fraction

Params: TypeAlias = dict[str, Any]
Names: TypeAlias = tuple[str, ...]
Scores: TypeAlias = dict[str, float]
"""Scores by metric. The names of metrics are in `serab_core.score.metrics`."""


class ScoreFields(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each metric of the task: of classes, or of a continuous target."""

    accuracy: float | msgspec.UnsetType = msgspec.UNSET
    uar: float | msgspec.UnsetType = msgspec.UNSET
    macro_recall: float | msgspec.UnsetType = msgspec.UNSET
    macro_f1: float | msgspec.UnsetType = msgspec.UNSET
    weighted_f1: float | msgspec.UnsetType = msgspec.UNSET
    kappa: float | msgspec.UnsetType = msgspec.UNSET
    top2: float | msgspec.UnsetType = msgspec.UNSET
    ece: float | msgspec.UnsetType = msgspec.UNSET
    log_loss: float | msgspec.UnsetType = msgspec.UNSET
    ccc: float | msgspec.UnsetType = msgspec.UNSET
    pearson: float | msgspec.UnsetType = msgspec.UNSET
    rmse: float | msgspec.UnsetType = msgspec.UNSET


class ErrorDocument(msgspec.Struct, frozen=True):
    """An error, as every command prints it with --json."""

    schema: Literal["serab.error/1"]
    error: str
    what: str
    where: str | None
    next_step: str | None
    exit_code: int
    traceback: str = ""
    suggestions: tuple[str, ...] = ()


class MeanDocument(msgspec.Struct, frozen=True):
    """A mean over tasks, with the weight of each task."""

    value: float
    interval: Interval
    weights: dict[str, float]


class CellDocument(ScoreFields, frozen=True, kw_only=True):
    """The score of a row on the data of the task's column, with the intervals of the shown metrics.

    Attributes:
        probe: the score of LDA alone by the leaderboard's metric; null without LDA.
    """

    accuracy_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    uar_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    macro_recall_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    macro_f1_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    weighted_f1_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    kappa_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    ccc_interval: Interval | msgspec.UnsetType = msgspec.UNSET
    classes: dict[str, ClassScore]
    target: str | None
    classifier: str
    probe: float | None
    test_utterances: Count
    synthetic: bool
    partial: bool
    faulty: bool
    imported: str
    key: str
    dataset_digest: str


class FoldedCellDocument(CellDocument, frozen=True, kw_only=True):
    """The score of a row, with its folds if the protocol has several.

    Attributes:
        folds: the scores of each fold by metric.
        over_folds: their mean and spread.
        one_split: the score of the metric of the leaderboard under the protocol with one split; null if it was not
            evaluated.
    """

    folds: dict[str, Scores] | msgspec.UnsetType = msgspec.UNSET
    over_folds: dict[str, FoldSummary] | msgspec.UnsetType = msgspec.UNSET
    one_split: float | msgspec.UnsetType | None = msgspec.UNSET


class OtherDataDocument(CellDocument, frozen=True, kw_only=True):
    """A score on other data than the data of the task's column."""

    extractor: str
    name: str
    fingerprint: str
    task: str
    audio_digest: str


class LeaderboardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an extractor.

    Attributes:
        extractor: the unique label of the row.
        letters: rows that share no letter differ significantly.
        dim: the dimension of the embeddings.
        probe: the mean of LDA alone over `tasks`, or without such tasks its score on the only ranked task.
        accuracy, uar, macro_f1, weighted_f1, kappa, ccc: means of the shown metrics by kind: UM, WM or GM.
    """

    extractor: str
    name: str
    fingerprint: str
    current: bool
    installed: bool
    group: int | None
    letters: str
    dim: Count | None
    tasks: Names
    accuracy: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    uar: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    macro_recall: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    macro_f1: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    weighted_f1: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    kappa: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    ccc: dict[str, MeanDocument] | msgspec.UnsetType = msgspec.UNSET
    probe: float | None
    published_um: Fraction | None
    scores: dict[str, FoldedCellDocument]


class PairDocument(msgspec.Struct, frozen=True):
    """The difference between the means of two rows, by the leaderboard's metric; p is null if speakers are too few."""

    first: str
    second: str
    difference: float
    interval: Interval | None
    p: Fraction | None
    p_holm: Fraction | None
    test: Test


class ChanceOnTest(msgspec.Struct, frozen=True):
    """The highest scores on a test split that can be expected of a guess.

    Attributes:
        classes: their number.
        uar: one divided by this number.
        test_majority: the most frequent class of the test split.
        test_share: its fraction of the test split, which is the highest accuracy of a guess.
    """

    classes: Count
    uar: Fraction
    test_majority: str
    test_share: Fraction


class BoardFields(msgspec.Struct, frozen=True, kw_only=True):
    """The ranking of the results on classes, or on continuous targets.

    Attributes:
        metric: the metric by which rows are ranked and compared.
        ranked_over: the tasks of the mean that ranks the rows.
        suite: the number of tasks in the suite.
        chance: what guessing scores on the test split of each task with classes.
    """

    metric: str
    tasks: Names
    ranked_over: Names
    suite: Count
    chance: dict[str, ChanceOnTest]
    rows: tuple[LeaderboardRow, ...]
    other_data: tuple[OtherDataDocument, ...]
    comparisons: tuple[PairDocument, ...]


class LeaderboardDocument(BoardFields, frozen=True, kw_only=True):
    """What `serab leaderboard` prints: the ranking by classes, and in `continuous` that by continuous targets."""

    schema: Literal["serab.leaderboard/2"]
    protocol: str
    continuous: BoardFields
    notices: Names


class TaskComparison(msgspec.Struct, frozen=True):
    """Two extractors on one task.

    Attributes:
        metric: the metric of `first`, `second` and `difference`.
        only_first, only_second: utterances that only one of the two classified correctly.
        p: null if there are too few speakers for a test.
        smallest_p: the smallest p-value that a permutation test can have with these speakers.
        mcnemar: the p-value of McNemar's test over utterances; null for a continuous target.
        detectable: the smallest true difference that the test finds with about 80 % probability; null without a test.
    """

    metric: str
    first: float
    second: float
    other_data: bool
    difference: float
    only_first: Count
    only_second: Count
    p: Fraction | None
    test: Test
    speakers: Count
    smallest_p: Fraction | None
    mcnemar: Fraction | None
    detectable: float | None


class ComparisonDocument(msgspec.Struct, frozen=True):
    """What `serab compare` prints."""

    schema: Literal["serab.comparison/2"]
    protocol: str
    metric: str
    first: str
    second: str
    tasks: dict[str, TaskComparison]
    overall: Overall | None
    suite: Count
    notices: Names


class Spread(msgspec.Struct, frozen=True):
    """The spread of the mean of an extractor over all subsets of one size."""

    lowest: float
    highest: float
    deviation: float


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
    metric: str
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
    gain: float
    enters: bool
    other_data: bool


class OptimismDocument(msgspec.Struct, frozen=True):
    """What `serab optimism` prints; `enters` marks the rows of the mean."""

    schema: Literal["serab.optimism/1"]
    protocol: str
    rows: tuple[OptimismRow, ...]
    mean_gain: float | None
    notices: Names


class GroupDocument(ScoreFields, frozen=True, kw_only=True):
    """A speaker, or the speakers of one sex."""

    name: str
    utterances: Count
    speakers: Count


class TaskFairness(ScoreFields, frozen=True, kw_only=True):
    """The scores of an extractor on one task, by speaker and by sex; `metric` is that of the gaps."""

    metric: str
    other_data: bool
    speakers: tuple[GroupDocument, ...]
    sexes: tuple[GroupDocument, ...]
    speaker_gap: SpeakerGap | None
    sex_gap: SexGap | None


class FairnessDocument(msgspec.Struct, frozen=True):
    """What `serab fairness` prints."""

    schema: Literal["serab.fairness/2"]
    protocol: str
    extractor: str
    tasks: dict[str, TaskFairness]
    notices: Names
