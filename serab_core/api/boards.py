"""Leaderboards and comparisons as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serab_core.api.frames import as_html, as_text, data_frame
from serab_core.api.homes import use_home
from serab_core.data.protocols import default_protocol
from serab_core.errors import UsageError
from serab_core.report.board import load_leaderboard
from serab_core.report.board_table import print_board
from serab_core.report.comparisons import compare_document, detectable_text, print_comparison
from serab_core.report.tables import interval_text, probability
from serab_core.score.board import shown_metrics
from serab_core.score.metrics import METRICS

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pandas
    from rich.console import Console

    from serab_core.report.board import LeaderboardData
    from serab_core.score.board import Board, Row

SUITES = ("serab",)
_COLUMNS = ("group", "extractor", "task", "metric", "value", "low", "high", "is_mean")
_PAIR_COLUMNS = ("task", "metric", "first", "second", "difference", "p", "test", "speakers", "detectable")


@dataclass(frozen=True, slots=True, repr=False)
class Leaderboard:
    """A leaderboard: extractors in the order of their mean.

    Attributes:
        data: the data of the leaderboard.
    """

    data: LeaderboardData

    @property
    def metric(self) -> str:
        """The metric that extractors are ranked by, and that tables show."""
        return self._board.metric

    @property
    def _board(self) -> Board:
        """The board of classes; if it has no results, that of continuous targets."""
        return self.data.boards[0]

    @property
    def extractors(self) -> list[str]:
        """The extractors, the best one first."""
        return [row.extractor for row in self._board.rows]

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences that a reader of the results must know."""
        return self.data.notices

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each extractor and task, and for each mean over the suite.

        Returns:
            columns `group` (extractors whose difference from the best of a group is not significant share it),
            `extractor`, `task` (or the name of the mean: UM, WM, GM), `metric`, `value`, `low`, `high`, `is_mean`.

        Raises:
            UsageError: pandas is not installed.
        """
        rows: list[dict[str, Any]] = []
        for row, metrics in self._rows():
            for metric in metrics:
                scores = [(task, cell.score(metric), cell.interval(metric)) for task, cell in row.cells.items()]
                means = [(mean.kind, mean.value, mean.interval) for mean in row.means(metric)]
                for place, (name, value, interval) in enumerate([*scores, *means]):
                    values = (row.group, row.extractor, name, metric, value, interval.low, interval.high)
                    rows.append(dict(zip(_COLUMNS, (*values, place >= len(scores)), strict=True)))
        return data_frame(rows, _COLUMNS)

    def _rows(self) -> list[tuple[Row, tuple[str, ...]]]:
        return [(row, shown_metrics(board.metric, board.protocol)) for board in self.data.boards for row in board.rows]

    def __repr__(self) -> str:
        def show(console: Console) -> None:
            print_board(console, self.data, every_task=True)

        return as_text(show)

    def _repr_html_(self) -> str:
        board = self._board
        metric = METRICS[board.metric]
        heads = ["Group", "Extractor", "UM", "95 %", *board.tasks]
        rows = []
        for row in board.rows:
            mean = next(iter(row.means(board.metric)), None)
            means = ["", ""] if mean is None else [metric.text(mean.value), interval_text(mean.interval, board.metric)]
            cells = [row.cells.get(task) for task in board.tasks]
            scores = [metric.text(c.score(board.metric)) + self.data.mark(c.result) if c else "" for c in cells]
            rows.append([str(row.group or "-"), row.title, *means, *scores])
        return as_html(heads, rows, self.notices)


def build_leaderboard(
    home: str | os.PathLike[str] | None,
    extractors: Sequence[str],
    tasks: Sequence[str],
    *,
    suite: str,
    metric: str | None,
    protocol: str | None,
) -> Leaderboard:
    """Load a leaderboard; `Results.leaderboard` says what the arguments are."""
    if suite not in SUITES:
        raise UsageError(f"unknown suite {suite!r}", next_step=f"use one of {', '.join(SUITES)}")
    with use_home(home) as used:
        return Leaderboard(load_leaderboard(used, protocol or default_protocol(), extractors, tasks, metric=metric))


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Two extractors on one task.

    Attributes:
        metric: the metric of the scores; `ccc` for a continuous target.
        first: score of the first extractor.
        second: score of the second extractor.
        difference: first minus second.
        p: p-value of the test; None if there are too few speakers to test.
        test: `permutation` by speaker, `t over speakers`, or "" for none.
        speakers: number of test speakers.
        detectable: the smallest true difference that the test finds with about 80 % probability; None without a test.
    """

    task: str
    metric: str
    first: float
    second: float
    difference: float
    p: float | None
    test: str
    speakers: int
    detectable: float | None


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """A comparison of two extractors on the tasks for which both have results.

    Attributes:
        first: the first extractor.
        second: the second extractor.
        tasks: one comparison for each task.
            overall: the mean over the tasks of the benchmark: `difference`, `p`, `detectable`, `low` and `high`; None
            if none of the tasks belongs to the benchmark.
        document: the whole comparison, as plain values for JSON.
    """

    first: str
    second: str
    tasks: tuple[TaskComparison, ...]
    overall: Mapping[str, float | None] | None
    document: Mapping[str, Any]

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences that a reader of the comparison must know."""
        return tuple(self.document["notices"])

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each task. Raises UsageError without pandas."""
        return data_frame(
            [{name: getattr(comparison, name) for name in _PAIR_COLUMNS} for comparison in self.tasks], _PAIR_COLUMNS
        )

    def __repr__(self) -> str:
        def show(console: Console) -> None:
            print_comparison(console, self.document)

        return as_text(show)

    def _repr_html_(self) -> str:
        heads = ["Task", self.first, self.second, "Difference", "p", "Finds", "Test"]
        rows = []
        for comparison in self.tasks:
            metric = METRICS[comparison.metric]
            scores = [
                metric.text(comparison.first),
                metric.text(comparison.second),
                metric.signed(comparison.difference),
            ]
            finds = detectable_text(comparison.detectable, comparison.metric)
            test = comparison.test or "too few speakers"
            rows.append([comparison.task, *scores, probability(comparison.p), finds, test])
        return as_html(heads, rows, self.notices)


def compare(
    first: str,
    second: str,
    tasks: str | Sequence[str] | None = None,
    *,
    protocol: str | None = None,
    metric: str | None = None,
    home: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Compare two extractors on the same test utterances, by the results in a home.

    Args:
        first: name of an extractor.
        second: name of the extractor to compare it with.
        tasks: the tasks to compare; by default all for which both have results.
        protocol: the protocol; that of the settings by default.
        metric: the metric to compare, as in `Results.leaderboard`; by default UAR under `strict`, else accuracy.
            Continuous targets are compared by CCC.
        home: the home; that of the settings by default.

    Raises:
        UsageError: an extractor has no result, or the two have no task in common.

    Examples:
        >>> run = serab.evaluate(["mfcc-stats", "chance"], tasks=["demo"], progress=False)
        >>> serab.compare("mfcc-stats", "chance", tasks="demo").tasks[0].difference > 0
        True
    """
    names = [tasks] if isinstance(tasks, str) else list(tasks or ())
    with use_home(home) as used:
        data = load_leaderboard(used, protocol or default_protocol(), [first, second], names, metric=metric)
        document = compare_document(data, *data.asked)
    pairs = tuple(
        TaskComparison(
            task=task, metric=comparison["metric"],
            first=comparison["first"], second=comparison["second"], difference=comparison["difference"],
            p=comparison["p"], test=comparison["test"], speakers=comparison["speakers"],
            detectable=comparison["detectable"],
        )
        for task, comparison in document["tasks"].items()
    )  # fmt: skip
    overall = document["overall"]
    summary = None
    if overall is not None:
        interval = overall["interval"] or {"low": None, "high": None}
        summary = {key: overall[key] for key in ("difference", "p", "detectable")}
        summary |= {key: interval[key] for key in ("low", "high")}
    return Comparison(document["first"], document["second"], pairs, summary, document)
