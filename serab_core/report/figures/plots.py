"""The figures: means with intervals, size, throughput, subset bias, optimism, speakers and confusion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from serab_core.report.figures.svg import Axis, Svg, Theme, score_axis
from serab_core.score.fairness import by_speaker
from serab_core.score.metrics import METRICS, confusion
from serab_core.score.optimism import optimism

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.board import Board, Cell
    from serab_core.score.metrics import Metric
    from serab_core.score.subsets import Size

ROW = 26  # px; height of a row
WIDE = 720.0  # px; width of a figure, that of a text column on the page
_LONGEST = 36  # characters of a name; longer names would leave no room for the figure
_NAMED = 12  # points; with more, only points on the line have visible names, the others show theirs under the pointer


def forest(board: Board, theme: Theme) -> str:
    """Return a plot of each extractor's mean, or its score on the only task, with its interval and its group."""
    rows = [row for row in board.rows if row.group is not None]
    points = []
    for row in rows:
        means = row.means(board.metric)
        if means:
            points.append((row, means[0].value, means[0].interval))
        else:
            values = [row.cells[task].score(board.metric) for task in board.ranked]
            reaches = [row.cells[task].interval(board.metric) for task in board.ranked]
            points.append((row, sum(values) / len(values), reaches[0]))
    left = label_width([row.extractor for row in rows])
    metric = METRICS[board.metric]
    name, unit = metric_name(metric), " %" if metric.percent else ""
    quantity = f"UM of {name}" if any(row.tasks for row in rows) else name
    drawing = Svg(WIDE, 46 + ROW * len(points), f"{quantity} of each extractor with its 95 % interval", theme)
    lows, highs = [reach.low for *_, reach in points], [reach.high for *_, reach in points]
    axis, marks = score_axis(min(lows, default=0), max(highs, default=1), left, WIDE - 60, metric.bounds)
    axis_marks(drawing, axis, marks, 20, 30 + ROW * len(points), metric)
    before = 0
    for place, (row, value, reach) in enumerate(points):
        y = 30 + ROW * place + ROW / 2
        if row.group != before and place:
            drawing.line(8, y - ROW / 2, WIDE - 8, y - ROW / 2, theme.soft, 1, "3 4")
        if row.group != before:
            drawing.text(10, y + 4, str(row.group), theme.soft, size=12)
        before = row.group or 0
        drawing.text(left - 12, y + 4.5, shortened(row.extractor), theme.ink, anchor="end")
        drawing.line(axis.at(reach.low), y, axis.at(reach.high), y, theme.mark, 2)
        hint = f"{row.extractor}: {metric.text(value)}{unit} ({metric.text(reach.low)} to {metric.text(reach.high)})"
        drawing.dot(axis.at(value), y, theme.mark, 5, hint)
        if row.published and board.metric == "accuracy":
            x = axis.at(row.published.um)
            if axis.begin <= x <= axis.end:
                drawing.dot(
                    x, y, theme.second, 4, f"{row.extractor} in the paper, nine tasks: {100 * row.published.um:.1f} %"
                )
        drawing.text(WIDE - 52, y + 4.5, metric.text(value), theme.ink, bold=True)
    drawing.text(left, 12, f"{quantity}{unit} with 95 % interval; groups on the left", theme.soft, size=12)
    return drawing.rendered()


def size_plot(board: Board, theme: Theme) -> str:
    """Return a plot of the score against the length of the embedding; shorter is better."""
    dims = {}
    for row in board.rows:
        dim = next(iter(row.cells.values())).result.provenance.get("fingerprint", {}).get("dim")
        if isinstance(dim, int):
            dims[row.extractor] = float(dim)
    return _against(
        board,
        dims,
        "numbers in an embedding",
        f"{metric_name(METRICS[board.metric])} against the length of the embedding",
        theme,
    )


def speed_plot(board: Board, speeds: Mapping[str, float], theme: Theme) -> str:
    """Return a plot of the score against throughput, in seconds of audio per second of one worker; more is better."""
    unit = "seconds of audio in a second, one worker"
    return _against(
        board,
        speeds,
        unit,
        f"{metric_name(METRICS[board.metric])} against the speed of embedding",
        theme,
        more_is_better=True,
    )


def _against(
    board: Board, costs: Mapping[str, float], unit: str, title: str, theme: Theme, *, more_is_better: bool = False
) -> str:
    """Return a plot of the score against a cost on a logarithmic axis; a line joins the Pareto-optimal extractors."""
    points = []
    for row in board.rows:
        means = row.means(board.metric)
        value = means[0].value if means else None
        if value is None and row.group is not None:
            value = sum(row.cells[task].score(board.metric) for task in board.ranked) / len(board.ranked)
        if row.group is not None and value is not None and costs.get(row.extractor, 0.0) > 0.0:
            points.append((costs[row.extractor], value, row.extractor))
    drawing = Svg(WIDE, 330, title, theme)
    if not points:
        return drawing.rendered()
    metric = METRICS[board.metric]
    unit_of_score = " %" if metric.percent else ""
    drawing.text(56, 12, f"{metric_name(metric)}{unit_of_score}, the mean over tasks", theme.soft, size=12)
    values = [value for _, value, _ in points]
    up, marks = score_axis(min(values), max(values), 280, 24, metric.bounds)
    low, high = math.log10(min(c for c, *_ in points)), math.log10(max(c for c, *_ in points))
    across = Axis(low - 0.15, high + 0.35, 56, WIDE - 16)
    for mark in marks:
        drawing.line(across.begin, up.at(mark), across.end, up.at(mark), theme.grid)
        drawing.text(48, up.at(mark) + 4, _mark_text(mark, metric), theme.soft, size=12, anchor="end")
    for power in range(math.ceil(across.low), math.floor(across.high) + 1):
        x = across.at(power)
        drawing.line(x, up.begin, x, up.end, theme.grid)
        drawing.text(x, 298, f"{10.0**power:,g}", theme.soft, size=12, anchor="middle")
    drawing.text((across.begin + across.end) / 2, 320, unit, theme.soft, size=12, anchor="middle")
    front: list[tuple[float, float]] = []
    joined: set[str] = set()
    best = -math.inf
    for cost, value, name in sorted(points, key=lambda point: (-point[0] if more_is_better else point[0], -point[1])):
        if value > best:
            front.append((across.at(math.log10(cost)), up.at(value)))
            joined.add(name)
            best = value
    drawing.path(front, theme.second, 1.5)
    label_positions: list[tuple[float, float]] = []
    for cost, value, name in sorted(points, key=lambda point: -point[1]):
        x, y = across.at(math.log10(cost)), up.at(value)
        drawing.dot(x, y, theme.mark, 5, f"{name}: {metric.text(value)}{unit_of_score}, {cost:,.4g} {unit}")
        if len(points) > _NAMED and name not in joined:
            continue
        shown = y - 9  # above the line
        while any(abs(x - left) < 130 and abs(shown - above) < 13 for left, above in label_positions):
            shown += 13
        label_positions.append((x, shown))
        label = shortened(name)
        drawing.text(x + 4, shown, label, theme.ink, size=12, anchor="end" if x + 7 * len(label) > WIDE else "start")
    return drawing.rendered()


def subset_plot(sizes: Sequence[Size], theme: Theme) -> str:
    """Return a plot of how often pairs of extractors change places on subsets of k tasks, over all subsets of size k.

    Args:
        sizes: the subset bias by number of tasks.
        theme: the colours.
    """
    drawing = Svg(
        WIDE, 260, "Fraction of subsets on which pairs of extractors change places, by the number of tasks", theme
    )
    top = max([size.mean_flips for size in sizes] + [max(size.flips.values(), default=0.0) for size in sizes])
    up, marks = score_axis(0.0, max(top, 0.05), 210, 20)
    across = Axis(sizes[0].tasks - 0.3, sizes[-1].tasks + 0.3, 56, WIDE - 16)
    for mark in marks:
        drawing.line(across.begin, up.at(mark), across.end, up.at(mark), theme.grid)
        drawing.text(48, up.at(mark) + 4, f"{100 * mark:g}", theme.soft, size=12, anchor="end")
    for size in sizes:
        x = across.at(size.tasks)
        drawing.text(x, 228, str(size.tasks), theme.soft, size=12, anchor="middle")
        for (first, second), fraction in size.flips.items():
            drawing.dot(
                x, up.at(fraction), theme.mark, 3, f"{first}, {second}: {100 * fraction:.0f} % of {size.subsets}", 0.35
            )
    drawing.path([(across.at(size.tasks), up.at(size.mean_flips)) for size in sizes], theme.second, 2)
    drawing.text((across.begin + across.end) / 2, 250, "tasks used", theme.soft, size=12, anchor="middle")
    drawing.text(
        56, 12, "% of subsets in which a pair changes places; the line is the mean over pairs", theme.soft, size=12
    )
    return drawing.rendered()


def optimism_plot(board: Board, task: str, theme: Theme) -> str:
    """Return a plot of the accuracy on one task, with the classifier chosen on validation, and chosen on test."""
    labels = [row.extractor for row in board.rows if task in row.cells]
    rows = [optimism(row.cells[task].result) for row in board.rows if task in row.cells]
    left = label_width(labels)
    drawing = Svg(WIDE, 46 + ROW * len(rows), f"Optimism of choosing the classifier on test, on {task}", theme)
    values = [value for row in rows for value in (row.accuracy, row.claimed)]
    axis, marks = score_axis(min(values) - 0.02, max(values) + 0.02, left, WIDE - 70)
    axis_marks(drawing, axis, marks, 20, 30 + ROW * len(rows))
    for place, (label, row) in enumerate(zip(labels, rows, strict=True)):
        y = 30 + ROW * place + ROW / 2
        drawing.text(left - 12, y + 4.5, shortened(label), theme.ink, anchor="end")
        drawing.line(axis.at(row.accuracy), y, axis.at(row.claimed), y, theme.second, 2)
        drawing.dot(axis.at(row.claimed), y, theme.second, 5, f"{row.best}, chosen on test: {100 * row.claimed:.1f} %")
        drawing.dot(
            axis.at(row.accuracy), y, theme.mark, 5, f"{row.chosen}, chosen on validation: {100 * row.accuracy:.1f} %"
        )
        drawing.text(WIDE - 62, y + 4.5, f"{100 * row.gain:+.1f}" if row.gain else "0", theme.ink, bold=bool(row.gain))
    drawing.text(
        left, 12, "accuracy %: chosen on validation, and on test; the difference in points", theme.soft, size=12
    )
    return drawing.rendered()


def speaker_plot(board: Board, task: str, theme: Theme) -> str:
    """Return a plot of the accuracy of each extractor on one task, by speaker."""
    rows = [row for row in board.rows if task in row.cells]
    left = label_width([row.extractor for row in rows])
    drawing = Svg(WIDE, 46 + ROW * len(rows), f"Accuracy by speaker on {task}", theme)
    groups = [by_speaker(row.cells[task].test) for row in rows]
    scores = [[group.scores["accuracy"] for group in speakers] for speakers in groups]
    values = [value for row_scores in scores for value in row_scores]
    axis, marks = score_axis(min(values), max(values), left, WIDE - 60)
    axis_marks(drawing, axis, marks, 20, 30 + ROW * len(rows))
    for place, (row, speakers, accuracies) in enumerate(zip(rows, groups, scores, strict=True)):
        y = 30 + ROW * place + ROW / 2
        drawing.text(left - 12, y + 4.5, shortened(row.extractor), theme.ink, anchor="end")
        drawing.line(axis.at(accuracies[0]), y, axis.at(accuracies[-1]), y, theme.grid, 2)
        for group, value in zip(speakers, accuracies, strict=True):
            hint = f"speaker {group.name}: {100 * value:.1f} % of {group.utterances}"
            drawing.dot(axis.at(value), y, theme.mark, 4.5, hint, 0.6)
        whole = axis.at(row.cells[task].score("accuracy"))
        drawing.line(whole, y - 8, whole, y + 8, theme.second, 2.5)
        drawing.text(WIDE - 52, y + 4.5, f"{100 * (accuracies[-1] - accuracies[0]):.0f}", theme.ink)
    drawing.text(left, 12, "accuracy % of each speaker, and of all; the gap in points", theme.soft, size=12)
    return drawing.rendered()


def confusion_plot(cell: Cell, theme: Theme) -> str:
    """Return a confusion matrix: true classes as rows, predicted classes as columns, in percent of the row."""
    labels = sorted(set(cell.test.truth.tolist()) | set(cell.test.predicted.tolist()))
    counts = confusion(cell.test.truth, cell.test.predicted, labels)
    side, left, top = 44, label_width(labels), 30
    result = cell.result
    drawing = Svg(
        left + side * len(labels) + 20, top + side * len(labels) + 70, f"{result.extractor} on {result.task}", theme
    )
    for row, label in enumerate(labels):
        drawing.text(left - 8, top + side * row + side / 2 + 4, label, theme.ink, size=12, anchor="end")
        whole = max(1, int(counts[row].sum()))
        for column, predicted in enumerate(labels):
            fraction = counts[row, column] / whole
            colour = theme.mark if row == column else theme.second
            x, y = left + side * column, top + side * row
            drawing.box(x + 1, y + 1, side - 2, side - 2, colour, round(0.04 + 0.5 * fraction, 3))
            if counts[row, column]:
                drawing.text(
                    x + side / 2, y + side / 2 + 4, f"{100 * fraction:.0f}", theme.ink, size=12, anchor="middle"
                )
            if row == 0:
                drawing.text(
                    x + side / 2,
                    top + side * len(labels) + 16 + 14 * (column % 2),
                    predicted,
                    theme.ink,
                    size=11,
                    anchor="middle",
                )
    drawing.text(left, 14, "true (row), predicted (column), % of the row", theme.soft, size=12)
    return drawing.rendered()


def axis_marks(
    drawing: Svg, axis: Axis, marks: Sequence[float], top: float, bottom: float, metric: Metric = METRICS["accuracy"]
) -> None:
    """Draw the lines and numbers of a horizontal axis of scores."""
    for mark in marks:
        x = axis.at(mark)
        drawing.line(x, top, x, bottom, drawing.theme.grid)
        drawing.text(x, bottom + 14, _mark_text(mark, metric), drawing.theme.soft, size=12, anchor="middle")


def _mark_text(mark: float, metric: Metric) -> str:
    return f"{100 * mark:g}" if metric.percent else f"{mark:.3g}"


def metric_name(metric: Metric) -> str:
    """Return the title of a metric, with a capital letter."""
    return metric.title[0].upper() + metric.title[1:]


def shortened(name: str) -> str:
    """Return a name that fits next to a figure; an ellipsis replaces the middle of a long name."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-(_LONGEST // 2 - 1) :]}"


def label_width(names: Sequence[str]) -> float:
    """Return the width in px that names need."""
    return min(300.0, 46 + 7.4 * max((len(name) for name in names), default=4))
