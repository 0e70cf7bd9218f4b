"""The leaderboard as a table for the terminal. It never cuts names of extractors; it wraps or transposes instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.report.board_text import has_probe, score_columns
from serab_core.report.tables import interval_text, percent, print_by_extractor, print_continuous, table, width_of
from serab_core.score.metrics import METRICS
from serab_core.store.identity import DataIdentity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from serab_core.report.board import LeaderboardData

    Column = tuple[str, list[str]]  # the head, and a cell for each row


def print_board(console: Console, data: LeaderboardData, *, every_task: bool, classes: bool = False) -> None:
    """Print a leaderboard: the means, and the score on each task if the terminal is wide enough.

    Args:
        console: the console.
        data: the leaderboard.
        every_task: show every task, even if the terminal is narrow.
        classes: show the recall of each class of each task in place of one score.
    """
    board = data.board
    metric = METRICS[board.metric]
    title = f"{metric.head}{', recall of each class' if classes else ''}, {board.protocol}"
    if board.rows:
        means, tasks = _columns(data, classes=classes)
        _print_columns(console, data, title, means, tasks, every_task=every_task or classes)
    if board.other_data:
        heads = ("Extractor", "Task", "Data", metric.head, "95 %")
        rows = []
        for cell in board.other_data:
            result = cell.result
            data_digest = DataIdentity.of(result).short
            score = metric.text(cell.score(board.metric)) + data.mark(result)
            interval = interval_text(cell.interval(board.metric), board.metric)
            rows.append((data.title(result), result.task, data_digest, score, interval))
        print_by_extractor(console, heads, rows, right=heads[3:4], title="On other data: in no mean, not ranked")
    targets = data.continuous
    if targets.rows or targets.other_data:
        cells = [cell for row in targets.rows for cell in row.cells.values()]
        results = [cell.result for cell in (*cells, *targets.other_data)]
        groups = {row.title: str(row.group) for row in targets.rows if row.group is not None}
        print_continuous(console, [(data.title(r), r, data.mark(r)) for r in results], groups)
    for notice in data.notices:
        console.print(notice, style="dim", highlight=False, soft_wrap=False)


def _columns(data: LeaderboardData, *, classes: bool) -> tuple[list[Column], list[Column]]:
    """Return the columns besides the name: first group, means and the paper's figure, then the tasks."""
    board, rows = data.board, data.board.rows
    metric = METRICS[board.metric]
    means: list[Column] = [("Group", [str(row.group or "-") for row in rows])]
    if any(len(row.letters) > 1 for row in rows):  # groups alone would hide overlaps
        means.append(("Letters", [row.letters for row in rows]))
    if any(row.tasks for row in rows):
        um = [next(iter(row.means(board.metric)), None) for row in rows]
        means += [
            ("UM", [metric.text(mean.value) if mean else "-" for mean in um]),
            ("95 %", [interval_text(mean.interval, board.metric) if mean else "" for mean in um]),
            ("Tasks", [f"{len(row.tasks)} of {board.suite}" for row in rows]),
        ]
    if has_probe(board):
        means.append(("Probe", [metric.text(row.probe(board.metric, board.ranked)) for row in rows]))
    if board.metric == "accuracy" and any(row.published for row in rows):
        means.append(("Paper, 9 tasks", [percent(row.published.um) if row.published else "" for row in rows]))
    tasks: list[Column] = []
    for column in score_columns(board, classes=classes):
        cells = [row.cells.get(column.task) for row in rows]
        tasks.append((column.head, [column.text(c) + data.mark(c.result) if c else "" for c in cells]))
    return means, [column for column in tasks if any(column[1])]


def _print_columns(
    console: Console,
    data: LeaderboardData,
    title: str,
    means: Sequence[Column],
    tasks: Sequence[Column],
    *,
    every_task: bool,
) -> None:
    """Print one table if it fits; else without tasks, if there are means; else in blocks or transposed."""
    names = [row.title for row in data.board.rows]
    has_means = len(means) > 1 and means[1][0] == "UM"
    paper = [column for column in means if column[0].startswith("Paper")]
    others = [column for column in means if column not in paper]
    whole = _upright(names, [*others, *tasks, *paper], title)
    brief = _upright(names, means, title)
    if width_of(console, whole) <= console.width:
        console.print(whole)
    elif has_means and not every_task and width_of(console, brief) <= console.width:
        console.print(brief)
    else:
        columns = [*others, *tasks, *paper] if every_task or not has_means else means
        blocks = _blocks(console, names, columns, title)
        turned = _turned_blocks(console, names, columns, title)
        fits = all(width_of(console, block) <= console.width for block in blocks)
        if fits and len(blocks) * (len(names) + 4) < len(turned) * (len(columns) + 4):
            for block in blocks:
                console.print(block)
            return
        for block, name in turned:
            if name:
                console.print(name, style="bold", highlight=False, soft_wrap=True)
            console.print(block)


def _upright(names: Sequence[str], columns: Sequence[Column], title: str) -> Table:
    group, *rest = columns if columns and columns[0][0] == "Group" else (("", []), *columns)
    heads = [*(["Group"] if group[1] else []), "Extractor", *(head for head, _ in rest)]
    shown = table(*heads, right=[head for head in heads if head not in ("Extractor", "95 %")], title=title)
    for column in shown.columns:
        column.no_wrap = True
    for place, name in enumerate(names):
        first = [group[1][place]] if group[1] else []
        shown.add_row(*first, name, *(cells[place] for _, cells in rest))
    return shown


def _blocks(console: Console, names: Sequence[str], columns: Sequence[Column], title: str) -> list[Table]:
    """Split the columns into tables of all extractors, each with as many columns as fit."""
    blocks: list[list[Column]] = [[]]
    for column in columns:
        if blocks[-1] and width_of(console, _upright(names, [*blocks[-1], column], title)) > console.width:
            blocks.append([])
        blocks[-1].append(column)
    return [_upright(names, block, title) for block in blocks]


def _turned_blocks(
    console: Console, names: Sequence[str], columns: Sequence[Column], title: str
) -> list[tuple[Table, str]]:
    """Return transposed tables, with a row for each column and as many extractors side by side as fit.

    A name that is wider than the terminal stands above its table, and the terminal wraps it.
    """
    blocks: list[list[int]] = []
    for place in range(len(names)):
        if blocks and width_of(console, _turned(names, columns, [*blocks[-1], place], title)) <= console.width:
            blocks[-1].append(place)
        else:
            blocks.append([place])
    tables = []
    for block in blocks:
        shown = _turned(names, columns, block, title)
        if width_of(console, shown) > console.width:
            tables.append((_turned([""] * len(names), columns, block, title), names[block[0]]))
        else:
            tables.append((shown, ""))
    return tables


def _turned(names: Sequence[str], columns: Sequence[Column], places: Sequence[int], title: str) -> Table:
    shown = table("", *(names[place] for place in places), title=title)
    for column in shown.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for head, cells in columns:
        shown.add_row(head, *(cells[place] for place in places))
    return shown
