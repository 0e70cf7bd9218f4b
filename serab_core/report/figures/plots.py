"""The figures: means with intervals, size, subset bias, optimism, speakers, confusion."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from serab_core.report.figures.svg import Axis, Svg, Theme, percent_axis
from serab_core.score.fairness import by_speaker
from serab_core.score.metrics import confusion
from serab_core.score.optimism import optimism

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.board import Board, Cell
    from serab_core.score.subsets import Size

ROW = 26
_WIDE = 720.0
_NAMES = {"accuracy": "Accuracy", "uar": "UAR"}
_LONGEST = 36
"""Letters of a name."""
_NAMED = 12
"""Of more points only those that are joined have their names beside them; others tell them to the pointer."""


def forest(board: Board, theme: Theme) -> str:
    """Each extractor's plain mean, or its one task's score, with its interval, in tie groups."""
    rows = [row for row in board.rows if row.group is not None]
    points = []
    for row in rows:
        means = getattr(row, board.metric)
        if means:
            points.append((row, means[0].value, means[0].interval))
        else:
            values = [getattr(row.cells[task].result, board.metric) for task in board.ranked]
            reaches = [getattr(row.cells[task], board.metric) for task in board.ranked]
            points.append((row, sum(values) / len(values), reaches[0]))
    left = _label_width([row.extractor for row in rows])
    name = _NAMES[board.metric]
    what = f"UM of {name}" if any(row.accuracy for row in rows) else name
    made = Svg(_WIDE, 46 + ROW * len(points), f"{what} of each extractor with its 95 % interval", theme)
    lows, highs = [reach.low for *_, reach in points], [reach.high for *_, reach in points]
    axis, marks = percent_axis(min(lows, default=0), max(highs, default=1), left, _WIDE - 60)
    _marks(made, axis, marks, 20, 30 + ROW * len(points))
    before = 0
    for place, (row, value, reach) in enumerate(points):
        y = 30 + ROW * place + ROW / 2
        if row.group != before and place:
            made.line(8, y - ROW / 2, _WIDE - 8, y - ROW / 2, theme.soft, 1, "3 4")
        if row.group != before:
            made.text(10, y + 4, str(row.group), theme.soft, size=12)
        before = row.group or 0
        made.text(left - 12, y + 4.5, _label(row.extractor), theme.ink, anchor="end")
        made.line(axis.at(reach.low), y, axis.at(reach.high), y, theme.mark, 2)
        hint = f"{row.extractor}: {100 * value:.1f} % ({100 * reach.low:.1f} to {100 * reach.high:.1f})"
        made.dot(axis.at(value), y, theme.mark, 5, hint)
        if row.published and board.metric == "accuracy":
            x = axis.at(row.published.um)
            if axis.begin <= x <= axis.end:
                made.dot(
                    x, y, theme.second, 4, f"{row.extractor} in the paper, nine tasks: {100 * row.published.um:.1f} %"
                )
        made.text(_WIDE - 52, y + 4.5, f"{100 * value:.1f}", theme.ink, bold=True)
    made.text(left, 12, f"{what} % with 95 % interval; groups on the left", theme.soft, size=12)
    return made.rendered()


def size_plot(board: Board, theme: Theme) -> str:
    """Accuracy against the length of the embedding; shorter is better."""
    dims = {}
    for row in board.rows:
        told = next(iter(row.cells.values())).result.provenance.get("fingerprint", {}).get("dim")
        if isinstance(told, int):
            dims[row.extractor] = float(told)
    return _against(
        board, dims, "numbers in an embedding", f"{_NAMES[board.metric]} against the length of the embedding", theme
    )


def speed_plot(board: Board, speeds: Mapping[str, float], theme: Theme) -> str:
    """Accuracy against seconds of audio that a worker embeds in a second; more is better."""
    words = "seconds of audio in a second, one worker"
    return _against(
        board, speeds, words, f"{_NAMES[board.metric]} against the speed of embedding", theme, more_is_better=True
    )


def _against(
    board: Board, costs: Mapping[str, float], words: str, title: str, theme: Theme, *, more_is_better: bool = False
) -> str:
    """Accuracy against something on a logarithmic axis; extractors that none beats on both counts are joined."""
    points = []
    for row in board.rows:
        means = getattr(row, board.metric)
        value = means[0].value if means else None
        if value is None and row.group is not None:
            value = sum(getattr(row.cells[task].result, board.metric) for task in board.ranked) / len(board.ranked)
        if row.group is not None and value is not None and costs.get(row.extractor, 0.0) > 0.0:
            points.append((costs[row.extractor], value, row.extractor))
    made = Svg(_WIDE, 330, title, theme)
    if not points:
        return made.rendered()
    made.text(56, 12, f"{_NAMES[board.metric]} %, the mean over tasks", theme.soft, size=12)
    up, marks = percent_axis(min(v for _, v, _ in points), max(v for _, v, _ in points), 280, 24)
    low, high = math.log10(min(c for c, *_ in points)), math.log10(max(c for c, *_ in points))
    across = Axis(low - 0.15, high + 0.35, 56, _WIDE - 16)
    for mark in marks:
        made.line(across.begin, up.at(mark), across.end, up.at(mark), theme.grid)
        made.text(48, up.at(mark) + 4, f"{100 * mark:g}", theme.soft, size=12, anchor="end")
    for power in range(math.ceil(across.low), math.floor(across.high) + 1):
        x = across.at(power)
        made.line(x, up.begin, x, up.end, theme.grid)
        made.text(x, 298, f"{10.0**power:,g}", theme.soft, size=12, anchor="middle")
    made.text((across.begin + across.end) / 2, 320, words, theme.soft, size=12, anchor="middle")
    front: list[tuple[float, float]] = []
    joined: set[str] = set()
    best = -1.0
    for cost, value, name in sorted(points, key=lambda point: (-point[0] if more_is_better else point[0], -point[1])):
        if value > best:
            front.append((across.at(math.log10(cost)), up.at(value)))
            joined.add(name)
            best = value
    made.path(front, theme.second, 1.5)
    taken: list[tuple[float, float]] = []
    for cost, value, name in sorted(points, key=lambda point: -point[1]):
        x, y = across.at(math.log10(cost)), up.at(value)
        made.dot(x, y, theme.mark, 5, f"{name}: {100 * value:.1f} %, {cost:,.4g} {words}")
        if len(points) > _NAMED and name not in joined:
            continue
        shown = y - 9  # above the line that joins them
        while any(abs(x - left) < 130 and abs(shown - above) < 13 for left, above in taken):
            shown += 13
        taken.append((x, shown))
        label = _label(name)
        made.text(x + 4, shown, label, theme.ink, size=12, anchor="end" if x + 7 * len(label) > _WIDE else "start")
    return made.rendered()


def subset_plot(sizes: Sequence[Size], theme: Theme) -> str:
    """How many pairs change places when only k tasks are used, averaged over all subsets of k."""
    made = Svg(_WIDE, 260, "Share of pairs of extractors that change places, by the number of tasks", theme)
    top = max([size.mean_flips for size in sizes] + [max(size.flips.values(), default=0.0) for size in sizes])
    up, marks = percent_axis(0.0, max(top, 0.05), 210, 20)
    across = Axis(sizes[0].tasks - 0.3, sizes[-1].tasks + 0.3, 56, _WIDE - 16)
    for mark in marks:
        made.line(across.begin, up.at(mark), across.end, up.at(mark), theme.grid)
        made.text(48, up.at(mark) + 4, f"{100 * mark:g}", theme.soft, size=12, anchor="end")
    for size in sizes:
        x = across.at(size.tasks)
        made.text(x, 228, str(size.tasks), theme.soft, size=12, anchor="middle")
        for (first, second), share in size.flips.items():
            made.dot(x, up.at(share), theme.mark, 3, f"{first}, {second}: {100 * share:.0f} % of {size.subsets}", 0.35)
    made.path([(across.at(size.tasks), up.at(size.mean_flips)) for size in sizes], theme.second, 2)
    made.text((across.begin + across.end) / 2, 250, "tasks used", theme.soft, size=12, anchor="middle")
    made.text(
        56, 12, "% of subsets in which a pair changes places; the line is the mean over pairs", theme.soft, size=12
    )
    return made.rendered()


def optimism_plot(board: Board, task: str, theme: Theme) -> str:
    """On one task, the accuracy of the classifier that validation chooses, and of the one that test would."""
    labels = [row.extractor for row in board.rows if task in row.cells]
    rows = [optimism(row.cells[task].result) for row in board.rows if task in row.cells]
    left = _label_width(labels)
    made = Svg(_WIDE, 46 + ROW * len(rows), f"What choosing on test would claim on {task}", theme)
    values = [value for row in rows for value in (row.accuracy, row.claimed)]
    axis, marks = percent_axis(min(values) - 0.02, max(values) + 0.02, left, _WIDE - 70)
    _marks(made, axis, marks, 20, 30 + ROW * len(rows))
    for place, (label, row) in enumerate(zip(labels, rows, strict=True)):
        y = 30 + ROW * place + ROW / 2
        made.text(left - 12, y + 4.5, _label(label), theme.ink, anchor="end")
        made.line(axis.at(row.accuracy), y, axis.at(row.claimed), y, theme.second, 2)
        made.dot(axis.at(row.claimed), y, theme.second, 5, f"{row.best}, chosen on test: {100 * row.claimed:.1f} %")
        made.dot(
            axis.at(row.accuracy), y, theme.mark, 5, f"{row.chosen}, chosen on validation: {100 * row.accuracy:.1f} %"
        )
        made.text(_WIDE - 62, y + 4.5, f"{100 * row.gain:+.1f}" if row.gain else "0", theme.ink, bold=bool(row.gain))
    made.text(left, 12, "accuracy %: chosen on validation, and on test; the difference in points", theme.soft, size=12)
    return made.rendered()


def speaker_plot(board: Board, task: str, theme: Theme) -> str:
    """On one task, each speaker's accuracy for each extractor."""
    rows = [row for row in board.rows if task in row.cells]
    left = _label_width([row.extractor for row in rows])
    made = Svg(_WIDE, 46 + ROW * len(rows), f"Accuracy by speaker on {task}", theme)
    groups = [by_speaker(row.cells[task].test) for row in rows]
    values = [group.accuracy for own in groups for group in own]
    axis, marks = percent_axis(min(values), max(values), left, _WIDE - 60)
    _marks(made, axis, marks, 20, 30 + ROW * len(rows))
    for place, (row, own) in enumerate(zip(rows, groups, strict=True)):
        y = 30 + ROW * place + ROW / 2
        made.text(left - 12, y + 4.5, _label(row.extractor), theme.ink, anchor="end")
        made.line(axis.at(own[0].accuracy), y, axis.at(own[-1].accuracy), y, theme.grid, 2)
        for group in own:
            hint = f"speaker {group.name}: {100 * group.accuracy:.1f} % of {group.utterances}"
            made.dot(axis.at(group.accuracy), y, theme.mark, 4.5, hint, 0.6)
        whole = axis.at(row.cells[task].result.accuracy)
        made.line(whole, y - 8, whole, y + 8, theme.second, 2.5)
        made.text(_WIDE - 52, y + 4.5, f"{100 * (own[-1].accuracy - own[0].accuracy):.0f}", theme.ink)
    made.text(left, 12, "accuracy % of each speaker, and of all; the gap in points", theme.soft, size=12)
    return made.rendered()


def confusion_plot(cell: Cell, theme: Theme) -> str:
    """How often each class (row) was told as each (column), in percent of the row."""
    labels = sorted(set(cell.test.truth.tolist()) | set(cell.test.predicted.tolist()))
    counts = confusion(cell.test.truth, cell.test.predicted, labels)
    side, left, top = 44, _label_width(labels), 30
    result = cell.result
    made = Svg(
        left + side * len(labels) + 20, top + side * len(labels) + 70, f"{result.extractor} on {result.task}", theme
    )
    for row, label in enumerate(labels):
        made.text(left - 8, top + side * row + side / 2 + 4, label, theme.ink, size=12, anchor="end")
        whole = max(1, int(counts[row].sum()))
        for column, told in enumerate(labels):
            share = counts[row, column] / whole
            colour = theme.mark if row == column else theme.second
            x, y = left + side * column, top + side * row
            made.box(x + 1, y + 1, side - 2, side - 2, colour, round(0.04 + 0.5 * share, 3))
            if counts[row, column]:
                made.text(x + side / 2, y + side / 2 + 4, f"{100 * share:.0f}", theme.ink, size=12, anchor="middle")
            if row == 0:
                made.text(
                    x + side / 2,
                    top + side * len(labels) + 16 + 14 * (column % 2),
                    told,
                    theme.ink,
                    size=11,
                    anchor="middle",
                )
    made.text(left, 14, "said (row), told as (column), % of the row", theme.soft, size=12)
    return made.rendered()


def _marks(made: Svg, axis: Axis, marks: Sequence[float], top: float, bottom: float) -> None:
    for mark in marks:
        x = axis.at(mark)
        made.line(x, top, x, bottom, made.theme.grid)
        made.text(x, bottom + 14, f"{100 * mark:g}", made.theme.soft, size=12, anchor="middle")


def _label(name: str) -> str:
    """A name that fits beside a figure; long ones lose their middle."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST // 2]}…{name[-(_LONGEST // 2 - 1) :]}"


def _label_width(names: Sequence[str]) -> float:
    return min(300.0, 46 + 7.4 * max((len(name) for name in names), default=4))
