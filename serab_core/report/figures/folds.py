"""The figure of folds: the score of every fold, their mean, and the score with one split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.report.figures.plots import ROW, WIDE, axis_marks, label_width, metric_name, shortened
from serab_core.report.figures.svg import Svg, Theme, score_axis
from serab_core.report.folds import one_split_score
from serab_core.score.folds import fold_summary
from serab_core.score.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from serab_core.score.board import Board
    from serab_core.types import TaskResult


def folds_plot(board: Board, task: str, one_split: Mapping[Any, TaskResult], theme: Theme) -> str:
    """Return a plot of the folds of each extractor on one task; "" if no result on the task has folds.

    Args:
        board: the leaderboard.
        task: the task.
        one_split: results under the protocol with one split.
        theme: the colours.
    """
    rows = [(row, row.cells[task].result) for row in board.rows if task in row.cells and row.cells[task].result.folds]
    if not rows:
        return ""
    metric = METRICS[board.metric]
    singles = [one_split_score(one_split, result, metric.name) for _, result in rows]
    values = [fold.scores[metric.name] for _, result in rows for fold in result.folds]
    values += [value for value in singles if value is not None]
    left = label_width([row.extractor for row, _ in rows])
    drawing = Svg(WIDE, 46 + ROW * len(rows), f"{metric_name(metric)} of every fold on {task}", theme)
    axis, marks = score_axis(min(values), max(values), left, WIDE - 60, metric.bounds)
    axis_marks(drawing, axis, marks, 20, 30 + ROW * len(rows), metric)
    for place, ((row, result), single) in enumerate(zip(rows, singles, strict=True)):
        y = 30 + ROW * place + ROW / 2
        drawing.text(left - 12, y + 4.5, shortened(row.extractor), theme.ink, anchor="end")
        for fold in result.folds:
            value = fold.scores[metric.name]
            drawing.dot(axis.at(value), y, theme.mark, 4.5, f"fold {fold.name}: {metric.text(value)}", 0.45)
        summary = fold_summary(result, metric.name)
        if summary is not None:
            drawing.line(axis.at(summary.mean), y - 8, axis.at(summary.mean), y + 8, theme.mark, 2.5)
            drawing.text(WIDE - 52, y + 4.5, metric.text(summary.mean), theme.ink, bold=True)
        if single is not None:
            drawing.dot(axis.at(single), y, theme.second, 5, f"one split: {metric.text(single)}")
    unit = " %" if metric.percent else ""
    title = f"{metric_name(metric)}{unit} of each fold, and their mean"
    title += (
        "; in the other colour, the one split of another protocol"
        if any(value is not None for value in singles)
        else ""
    )
    drawing.text(left, 12, title, theme.soft, size=12)
    return drawing.rendered()
