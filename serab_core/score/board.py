"""Everything that is said of several extractors at once: scores with intervals, means, and who is better than whom."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from serab_core.score.aggregate import Mean, enters, means
from serab_core.score.bootstrap import DRAWS, Draws, Interval, drawn
from serab_core.score.compare import Overall, compare_overall, holm, tie_groups
from serab_core.score.metrics import macro_f1
from serab_core.score.published import Published, published_for
from serab_core.score.scored import Scored, scored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class Cell:
    """One extractor on one task.

    Attributes:
        result: what is stored.
        test: the chosen classifier's predictions.
        draws: scores of drawn test splits.
        macro_f1: in [0, 1].
    """

    result: TaskResult
    test: Scored
    draws: Draws
    macro_f1: float

    @property
    def accuracy(self) -> Interval:
        """The interval of the accuracy."""
        return self.draws.interval("accuracy")

    @property
    def uar(self) -> Interval:
        """The interval of the unweighted average recall."""
        return self.draws.interval("uar")


@dataclass(frozen=True, slots=True)
class Row:
    """One extractor.

    Attributes:
        cells: by task.
        tasks: those that enter its means.
        accuracy, uar: UM, WM and GM; none where no task enters.
        group: among those that have all ranked tasks; None for the others.
        published: what the paper prints for this model.
    """

    extractor: str
    cells: Mapping[str, Cell]
    tasks: tuple[str, ...]
    accuracy: tuple[Mean, ...]
    uar: tuple[Mean, ...]
    group: int | None
    published: Published | None


@dataclass(frozen=True, slots=True)
class Versus:
    """Two ranked extractors, and how sure it is that they differ."""

    first: str
    second: str
    overall: Overall
    corrected: float


@dataclass(frozen=True, slots=True)
class Board:
    """A leaderboard.

    Attributes:
        protocol: how every score was made.
        tasks: all tasks that anybody has, the suite's first.
        ranked: tasks over which extractors are ranked: those of the suite that anybody has whole. Where there are none,
            all tasks are, and no means are given.
        suite: how many tasks the benchmark has.
        rows: ranked extractors by their mean, then the others.
        versus: every pair of ranked extractors.
    """

    protocol: str
    tasks: tuple[str, ...]
    ranked: tuple[str, ...]
    suite: int
    rows: tuple[Row, ...]
    versus: tuple[Versus, ...]


def make_board(results: Sequence[TaskResult], suite: Sequence[str], protocol: str, draws: int = DRAWS) -> Board:
    """Puts results of one protocol together.

    Args:
        results: at most one for each extractor and task.
        suite: the benchmark's tasks, in order.
        protocol: its name.
        draws: of each interval.
    """
    cells: dict[str, dict[str, Cell]] = {}
    for result in results:
        test = scored(result)
        cell = Cell(result, test, drawn(test, draws), macro_f1(test.truth, test.predicted))
        cells.setdefault(result.extractor, {})[result.task] = cell
    known = {result.task for result in results}
    tasks = (*(task for task in suite if task in known), *sorted(known - set(suite)))
    whole = {result.task for result in results if enters(result)}
    ranked = tuple(task for task in suite if task in whole) or tasks
    complete = [
        name
        for name, own in cells.items()
        if all(task in own and (enters(own[task].result) or not whole & set(suite)) for task in ranked)
    ]
    order = sorted(complete, key=lambda name: (-_mean(cells[name], ranked), name))
    versus = _versus(cells, order, ranked)
    apart = {frozenset((one.first, one.second)): one.corrected for one in versus}
    groups = tie_groups(order, apart)
    rest = sorted(set(cells) - set(order), key=lambda name: (-len(cells[name]), name))
    rows = [_row(name, cells[name], suite, groups.get(name)) for name in (*order, *rest)]
    return Board(protocol, tasks, ranked, len(suite), tuple(rows), versus)


def _versus(cells: Mapping[str, Mapping[str, Cell]], order: Sequence[str], tasks: Sequence[str]) -> tuple[Versus, ...]:
    pairs = list(combinations(order, 2))
    overall = []
    for first, second in pairs:
        tests = {task: (cells[first][task].test, cells[second][task].test) for task in tasks}
        overall.append(compare_overall(tests))
    corrected = holm([one.p for one in overall])
    return tuple(Versus(*pair, one, p) for pair, one, p in zip(pairs, overall, corrected, strict=True))


def _mean(cells: Mapping[str, Cell], tasks: Sequence[str]) -> float:
    return sum(cells[task].result.accuracy for task in tasks) / len(tasks)


def _row(name: str, cells: Mapping[str, Cell], suite: Sequence[str], group: int | None) -> Row:
    own = {task: cells[task] for task in suite if task in cells and enters(cells[task].result)}

    def of(metric: Literal["accuracy", "uar"]) -> tuple[Mean, ...]:
        if not own:
            return ()
        return means(
            {task: getattr(cell.result, metric) for task, cell in own.items()},
            {task: cell.draws for task, cell in own.items()},
            {task: cell.result.counts["test"] for task, cell in own.items()},
            metric,
        )

    return Row(name, cells, tuple(own), of("accuracy"), of("uar"), group, published_for(name))
