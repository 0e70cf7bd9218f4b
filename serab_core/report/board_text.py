"""A leaderboard as rows of text, for tables, CSV files and LaTeX."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from serab_core.report.cautions import FOOTNOTES, task_cautions
from serab_core.score.metrics import METRICS
from serab_core.score.probe import shows_probe
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from serab_core.score.board import Board, Cell, Row
    from serab_core.types import TaskResult

_MARKS = "".join(FOOTNOTES)
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


def board_rows(
    board: Board, mark_of: Callable[[TaskResult], str] | None = None, *, classes: bool = False
) -> list[list[str]]:
    """Return a leaderboard as rows of text, head first, for CSV and LaTeX.

    Args:
        board: the leaderboard.
        classes: a column for the recall of each class of each task, in place of a column for each task.
        mark_of: for readers, returns the signs of `FOOTNOTES` after a score. Without it, for programs, there are five
            more columns: the metric, the letters of significant differences, the tasks with a fault, the cautions, and
            the score of the probe.
    """
    columns = score_columns(board, classes=classes)
    head = [
        "group",
        "extractor",
        "UM",
        "UM low",
        "UM high",
        "WM",
        "GM",
        "tasks",
        *(column.head for column in columns),
    ]
    head += [] if mark_of else ["metric", "letters", "faulty tasks", "cautions", "probe"]
    rows, text = [head], METRICS[board.metric].text
    for row in board.rows:
        means = {mean.kind: mean for mean in row.means(board.metric)}
        um = means.get("UM")
        numbers = [text(um.value), text(um.interval.low), text(um.interval.high)] if um else ["", "", ""]
        others = [text(means[kind].value) if kind in means else "" for kind in ("WM", "GM")]
        scores = [_cell_text(column, row, mark_of) for column in columns]
        if mark_of is None:
            probe = row.probe(board.metric, board.ranked)
            results = [row.cells[task].result for task in board.tasks if task in row.cells]
            scores += [
                board.metric,
                row.letters,
                "; ".join(r.task for r in results if r.faulty),
                " ".join(task_cautions(results)),
                "" if probe is None else text(probe),
            ]
        rows.append(
            [
                str(row.group or ""),
                row.extractor,
                *numbers,
                *others,
                f"{len(row.tasks)}/{board.suite}",
                *scores,
            ]
        )
    return rows


def as_latex(rows: Sequence[Sequence[str]], notices: Sequence[str] = ()) -> str:
    """Return rows as a LaTeX table for booktabs, with the best score of each column in bold, and notices as comments.

    Args:
        rows: what `board_rows` returned.
        notices: sentences.
    """
    head, *body = rows
    best = []
    for column in range(len(head)):
        values = [row[column].rstrip(_MARKS) for row in body]
        numbers = [value for value in values if _NUMBER.fullmatch(value)] if column > 1 else []
        best.append(max(numbers, key=float) if numbers and head[column] not in ("group", "UM low", "UM high") else None)
    lines = [rf"\begin{{tabular}}{{rl{'r' * (len(head) - 2)}}}", r"\toprule", _latex_row(head), r"\midrule"]
    for row in body:
        cells = [
            rf"\textbf{{{_tex(cell)}}}" if cell and cell.rstrip(_MARKS) == top else _tex(cell)
            for cell, top in zip(row, best, strict=True)
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join(
        [*lines, r"\bottomrule", r"\end{tabular}", *(f"% {escape_line(' '.join(n.split()))}" for n in notices), ""]
    )


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_tex(cell) for cell in cells) + r" \\"


def _tex(text: str) -> str:
    """Escape the special characters of LaTeX."""
    special = {"†": r"$^{\dagger}$", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in escape_line(text))


def has_probe(board: Board) -> bool:
    """Return whether a row has a score of the probe beside those of other classifiers."""
    rows = [row for row in board.rows if row.probe(board.metric, board.ranked) is not None]
    return any(shows_probe(cell.result) for row in rows for cell in row.cells.values())


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A column of scores: of one task, or of one class of a task.

    Attributes:
        head: the head of the column.
        task: the task.
        text: returns a cell's score as text; "" if it has none.
    """

    head: str
    task: str
    text: Callable[[Cell], str]


def score_columns(board: Board, *, classes: bool) -> list[ScoreColumn]:
    """Return the columns of a leaderboard: a task each or, with `classes`, the recall of a class of a task each."""
    metric = METRICS[board.metric]
    if not classes:
        return [ScoreColumn(task, task, lambda cell: metric.text(cell.score(metric.name))) for task in board.tasks]
    return [
        ScoreColumn(f"{task} {label}", task, partial(_recall_text, label=label))
        for task in board.tasks
        for label in _labels(board, task)
    ]


def _labels(board: Board, task: str) -> list[str]:
    tests = [row.cells[task].test for row in board.rows if task in row.cells]
    return sorted({label for test in tests for label in test.truth.tolist()})


def _recall_text(cell: Cell, label: str) -> str:
    mask = cell.test.truth == label
    return METRICS["uar"].text(float(cell.test.right[mask].mean())) if mask.any() else ""


def _cell_text(column: ScoreColumn, row: Row, mark_of: Callable[[TaskResult], str] | None) -> str:
    cell = row.cells.get(column.task)
    return "" if cell is None else column.text(cell) + (mark_of(cell.result) if mark_of else "")
