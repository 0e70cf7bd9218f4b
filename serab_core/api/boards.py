"""Leaderboards and comparisons as Python objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from serab_core.api.frames import as_html, as_text, data_frame
from serab_core.api.homes import use_home
from serab_core.data.protocols import default_protocol
from serab_core.errors import UsageError
from serab_core.report.board import load_leaderboard
from serab_core.report.board_table import print_board
from serab_core.report.comparisons import compare_document, print_comparison
from serab_core.report.tables import probability

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import pandas
    from rich.console import Console

    from serab_core.report.board import LeaderboardData

SUITES = ("serab",)
_METRICS = ("accuracy", "uar")
_COLUMNS = ("group", "extractor", "task", "metric", "value", "low", "high", "is_mean")
_PAIR_COLUMNS = ("task", "first", "second", "difference", "p", "test", "speakers")


@dataclass(frozen=True, slots=True, repr=False)
class Leaderboard:
    """A leaderboard: extractors in the order of their mean.

    Attributes:
        gathered: the data of the leaderboard.
        metric: the metric that tables show.
    """

    gathered: LeaderboardData
    metric: Literal["accuracy", "uar"]

    @property
    def extractors(self) -> list[str]:
        """The extractors, the best one first."""
        return [row.extractor for row in self.gathered.board.rows]

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences that a reader of the results must know."""
        return self.gathered.notices

    def to_dataframe(self) -> pandas.DataFrame:
        """Return a row for each extractor and task, and for each mean over the suite.

        Returns:
            columns `group` (extractors whose difference from the best of a group is not significant share it),
            `extractor`, `task` (or the name of the mean: UM, WM, GM), `metric`, `value`, `low`, `high`, `is_mean`.

        Raises:
            UsageError: pandas is not installed.
        """
        rows: list[dict[str, Any]] = []
        for row in self.gathered.board.rows:
            for metric in _METRICS:
                scores = [
                    (task, getattr(cell.result, metric), getattr(cell, metric)) for task, cell in row.cells.items()
                ]
                means = [(mean.kind, mean.value, mean.interval) for mean in getattr(row, metric)]
                for place, (name, value, interval) in enumerate([*scores, *means]):
                    values = (row.group, row.extractor, name, metric, value, interval.low, interval.high)
                    rows.append(dict(zip(_COLUMNS, (*values, place >= len(scores)), strict=True)))
        return data_frame(rows, _COLUMNS)

    def __repr__(self) -> str:
        def show(console: Console) -> None:
            print_board(console, self.gathered, self.metric, every_task=True)

        return as_text(show)

    def _repr_html_(self) -> str:
        board = self.gathered.board
        heads = ["Group", "Extractor", "UM", "95 %", *board.tasks]
        rows = []
        for row in board.rows:
            mean = next(iter(getattr(row, self.metric)), None)
            means = ["", ""] if mean is None else [_points(mean.value), _range(mean.interval)]
            cells = [row.cells.get(task) for task in board.tasks]
            scores = [
                _points(getattr(c.result, self.metric)) + self.gathered.mark(c.result) if c else "" for c in cells
            ]
            rows.append([str(row.group or "-"), row.title, *means, *scores])
        return as_html(heads, rows, self.notices)


def build_leaderboard(
    home: str | os.PathLike[str] | None,
    extractors: Sequence[str],
    tasks: Sequence[str],
    *,
    suite: str,
    metric: Literal["accuracy", "uar"] | None,
    protocol: str | None,
) -> Leaderboard:
    """Load a leaderboard; `Results.leaderboard` says what the arguments are."""
    if suite not in SUITES:
        raise UsageError(f"unknown suite {suite!r}", next_step=f"use one of {', '.join(SUITES)}")
    if metric is not None and metric not in _METRICS:
        raise UsageError(f"unknown metric {metric!r}", next_step=f"use one of {', '.join(_METRICS)}")
    with use_home(home) as used:
        data = load_leaderboard(
            used, protocol or default_protocol(), extractors, tasks, metric=metric, continuous_alone=True
        )
    return Leaderboard(data, data.board.metric)


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Two extractors on one task.

    Attributes:
        first: score of the first extractor, in [0, 1].
        second: score of the second extractor, in [0, 1].
        difference: first minus second.
        p: p-value of the test; None if there are too few speakers to test.
        test: `permutation` by speaker, `t over speakers`, or "" for none.
        speakers: number of test speakers.
    """

    task: str
    first: float
    second: float
    difference: float
    p: float | None
    test: str
    speakers: int


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """A comparison of two extractors on the tasks for which both have results.

    Attributes:
        first: the first extractor.
        second: the second extractor.
        tasks: one comparison for each task.
        overall: the mean over the tasks of the benchmark: `difference`, `low`, `high` and `p`; None if none of the
            tasks belongs to the benchmark.
        document: the whole comparison, as `serab compare --json` prints it.
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
        heads = ["Task", f"{self.first} %", f"{self.second} %", "Difference", "p", "Test"]
        rows = []
        for comparison in self.tasks:
            scores = [_points(comparison.first), _points(comparison.second), f"{100 * comparison.difference:+.1f}"]
            rows.append([comparison.task, *scores, probability(comparison.p), comparison.test or "too few speakers"])
        return as_html(heads, rows, self.notices)


def compare(
    first: str,
    second: str,
    tasks: str | Sequence[str] | None = None,
    *,
    protocol: str | None = None,
    metric: Literal["accuracy", "uar"] | None = None,
    home: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Compare two extractors on the same test utterances, by the results in a home.

    Args:
        first: name of an extractor.
        second: name of the extractor to compare it with.
        tasks: the tasks to compare; by default all for which both have results.
        protocol: the protocol; that of the settings by default.
        metric: the metric to compare; by default UAR under `strict`, else accuracy.
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
            task=task, first=comparison["first"], second=comparison["second"], difference=comparison["difference"],
            p=comparison["p"], test=comparison["test"], speakers=comparison["speakers"],
        )
        for task, comparison in document["tasks"].items()
    )  # fmt: skip
    overall = document["overall"]
    summary = None
    if overall is not None:
        interval = overall["interval"] or {"low": None, "high": None}
        summary = {key: overall[key] for key in ("difference", "p")} | {key: interval[key] for key in ("low", "high")}
    return Comparison(document["first"], document["second"], pairs, summary, document)


def _points(value: float) -> str:
    return f"{100 * value:.1f}"


def _range(interval: Any) -> str:
    return f"{100 * interval.low:.1f} to {100 * interval.high:.1f}"
