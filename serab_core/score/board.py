"""Leaderboards: scores with confidence intervals, means over tasks, and significant differences of extractors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

from serab_core.score.aggregate import Mean, enters, is_guess, means
from serab_core.score.bootstrap import DRAWS, Draws, Interval, task_draws
from serab_core.score.classes import ClassScore, class_scores_of
from serab_core.score.compare import Overall, compact_letters, compare_overall, holm, significance_groups
from serab_core.score.metrics import METRICS
from serab_core.score.probe import probe_score
from serab_core.score.published import Published, published_for
from serab_core.score.released import average_recall
from serab_core.store.identity import Catalogue, Version, make_catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.scored import Scored
    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class Cell:
    """One extractor on one task.

    Attributes:
        extractor: the label of its row.
        result: the stored result.
        test: the predictions of the chosen classifier.
        draws: scores of resampled test splits.
    """

    extractor: str
    result: TaskResult
    test: Scored
    draws: Draws

    def score(self, metric: str) -> float:
        """Return a score. KeyError for a metric that the result does not have."""
        return self.result.scores[metric]

    def interval(self, metric: str) -> Interval:
        """Return the interval of a metric that ranks."""
        return self.draws.interval(metric)

    def classes(self) -> dict[str, ClassScore]:
        """Return the scores of each class; nothing for a continuous target."""
        return {} if self.test.continuous else class_scores_of(self.test, self.draws.count)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One version of an extractor.

    Attributes:
        extractor: the unique label: the name, with some digits of the fingerprint if several versions are stored.
        title: the label as tables show it; if several versions are stored, the ranked one is marked.
        version: the name and the fingerprint.
        current: this version is ranked; other versions of the name follow it and are in no group.
        cells: the cell of each task, on the data of the task's column.
        tasks: the tasks in its means.
        group: the significance group, for current versions that have all ranked tasks; None for the others.
        letters: for the same versions; two versions share a letter if their difference is not significant.
        published: the figures of the paper for this model.
    """

    extractor: str
    title: str
    version: Version
    current: bool
    cells: Mapping[str, Cell]
    tasks: tuple[str, ...]
    group: int | None
    letters: str
    published: Published | None

    def means(self, metric: str) -> tuple[Mean, ...]:
        """Return UM, WM and GM of a metric over `tasks`; nothing if there are no tasks."""
        return _means(self, metric)

    def probe(self, metric: str, ranked: Sequence[str]) -> float | None:
        """Return the unweighted mean of the probe, LDA alone.

        Args:
            metric: the metric.
            ranked: the ranked tasks of the leaderboard.

        Returns:
            the mean over `tasks`, or without such tasks the score on the only ranked task; None if the probe has no
            score there.
        """
        tasks = self.tasks or (ranked if len(ranked) == 1 else ())
        scores = [probe_score(self.cells[task].result, metric) if task in self.cells else None for task in tasks]
        known = [score for score in scores if score is not None]
        return sum(known) / len(known) if known and len(known) == len(scores) else None


@lru_cache(4096)
def _means(row: Row, metric: str) -> tuple[Mean, ...]:
    cells = {task: row.cells[task] for task in row.tasks}
    if not cells:
        return ()
    return means(
        {task: cell.score(metric) for task, cell in cells.items()},
        {task: cell.draws for task, cell in cells.items()},
        {task: cell.result.counts["test"] for task, cell in cells.items()},
        metric,
    )


@dataclass(frozen=True, slots=True)
class Versus:
    """Two ranked extractors, and the test of their difference.

    Attributes:
        overall: the test of their means.
        corrected: its p-value, corrected for the number of pairs; None if there are too few speakers to test.
    """

    first: str
    second: str
    overall: Overall
    corrected: float | None


@dataclass(frozen=True, slots=True)
class Board:
    """A leaderboard.

    Attributes:
        protocol: the protocol of every score.
        metric: the metric that extractors are ranked, compared and grouped by.
        tasks: all tasks with a result, the tasks of the suite first.
        ranked: the tasks that extractors are ranked over: the suite's tasks with a result on the complete corpus. If
            there are none, all tasks are ranked, and there are no means.
        suite: number of tasks of the benchmark.
        rows: ranked extractors by their mean, then the other extractors, then other versions of extractors.
        versus: every pair of ranked extractors.
        other_data: results on other data than the task's column: they are in no mean and not ranked.
        catalogue: the rows and columns of the results.
    """

    protocol: str
    metric: str
    tasks: tuple[str, ...]
    ranked: tuple[str, ...]
    suite: int
    rows: tuple[Row, ...]
    versus: tuple[Versus, ...]
    other_data: tuple[Cell, ...]
    catalogue: Catalogue


def make_board(
    results: Sequence[TaskResult],
    suite: Sequence[str],
    protocol: str,
    draws: int = DRAWS,
    catalogue: Catalogue | None = None,
    metric: str = "accuracy",
) -> Board:
    """Build a leaderboard from results of one protocol.

    Args:
        results: results that have the metric; at most one for each version of an extractor, task and data, the oldest
            first.
        suite: the benchmark's tasks, in order.
        protocol: the name of the protocol.
        draws: number of draws of each interval.
        catalogue: the rows and columns; by default those of the results.
        metric: the metric that extractors are ranked, compared and grouped by.
    """
    catalogue = catalogue or make_catalogue(results)
    cells: dict[Version, dict[str, Cell]] = {}
    other_data = []
    for result in results:
        version = Version.of(result)
        tested = task_draws(result, draws)
        cell = Cell(catalogue.labels[version], result, tested.test, tested)
        on_column = catalogue.on_column(result) and result.task not in cells.get(version, {})
        if on_column:
            cells.setdefault(version, {})[result.task] = cell
        else:
            other_data.append(cell)
    known = {result.task for result in results}
    tasks = (*(task for task in suite if task in known), *sorted(known - set(suite)))
    current = {version: row for version, row in cells.items() if version in catalogue.current}
    whole = {task for row in current.values() for task, cell in row.items() if enters(cell.result)}
    shared = tuple(task for task in tasks if any(task in row for row in current.values()))
    ranked = tuple(task for task in suite if task in whole) or shared
    complete = [
        version
        for version, row in current.items()
        if all(task in row and (enters(row[task].result) or not whole & set(suite)) for task in ranked)
    ]
    order = sorted(complete, key=lambda version: (-_mean(cells[version], ranked, metric), version))
    versus = _versus(cells, order, ranked, catalogue, metric)
    # A difference without a test does not count as significant.
    corrected = {
        frozenset((pair.first, pair.second)): 1.0 if pair.corrected is None else pair.corrected for pair in versus
    }
    names = [catalogue.labels[version] for version in order]
    groups, letters = significance_groups(names, corrected), compact_letters(names, corrected)
    rest = sorted(set(cells) - set(order), key=lambda version: (version not in current, -len(cells[version]), version))
    rows = [_row(version, cells[version], suite, groups, letters, catalogue) for version in (*order, *rest)]
    return Board(protocol, metric, tasks, ranked, len(suite), tuple(rows), versus, tuple(other_data), catalogue)


def shown_metrics(metric: str, protocol: str = "") -> tuple[str, ...]:
    """Return the metrics whose means and intervals documents give: for classes accuracy, UAR, and `metric`.

    Under the protocol `serab-released` the macro recall of the released script is added.
    """
    if METRICS[metric].kind == "continuous":
        return (metric,)
    return tuple(dict.fromkeys(("accuracy", "uar", average_recall(protocol), metric)))


def subset_scores(board: Board) -> dict[str, dict[str, float]]:
    """Return the scores for subset bias, by the board's metric; extractors that guess are excluded.

    Returns:
        for each extractor that has every ranked task, its score on each of them, in [0, 1].
    """
    return {
        row.extractor: {task: row.cells[task].score(board.metric) for task in board.ranked}
        for row in board.rows
        if row.group is not None and not any(is_guess(row.cells[task].result) for task in board.ranked)
    }


def _versus(
    cells: Mapping[Version, Mapping[str, Cell]],
    order: Sequence[Version],
    tasks: Sequence[str],
    catalogue: Catalogue,
    metric: str,
) -> tuple[Versus, ...]:
    pairs = list(combinations(order, 2))
    overall = []
    for first, second in pairs:
        tests = {task: (cells[first][task].test, cells[second][task].test) for task in tasks}
        overall.append(compare_overall(tests, metric))
    tested = [place for place, comparison in enumerate(overall) if comparison.p is not None]
    values = holm([overall[place].p or 0.0 for place in tested])
    by_place = dict(zip(tested, values, strict=True))
    corrected = [by_place.get(place) for place in range(len(overall))]
    labels = catalogue.labels
    return tuple(
        Versus(labels[first], labels[second], comparison, p)
        for (first, second), comparison, p in zip(pairs, overall, corrected, strict=True)
    )


def _mean(cells: Mapping[str, Cell], tasks: Sequence[str], metric: str) -> float:
    return sum(cells[task].score(metric) for task in tasks) / len(tasks)


def _row(
    version: Version,
    cells: Mapping[str, Cell],
    suite: Sequence[str],
    groups: Mapping[str, int],
    letters: Mapping[str, str],
    catalogue: Catalogue,
) -> Row:
    label = catalogue.labels[version]
    return Row(
        extractor=label,
        title=catalogue.title(version),
        version=version,
        current=version in catalogue.current,
        cells=cells,
        tasks=tuple(task for task in suite if task in cells and enters(cells[task].result)),
        group=groups.get(label),
        letters=letters.get(label, ""),
        published=published_for(version.name),
    )
