"""Two extractors compared task by task and over all tasks: the document, and its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.errors import UsageError
from serab_core.report.console import print_line, print_note, print_notices
from serab_core.report.tables import probability, table, width_of
from serab_core.score.compare import compare, compare_overall
from serab_core.score.metrics import METRICS
from serab_core.store.identity import DataIdentity
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from serab_core.report.board import LeaderboardData
    from serab_core.score.board import Cell
    from serab_core.score.metrics import Metric

    Document = Mapping[str, Any]


def compare_document(data: LeaderboardData, first: str, second: str) -> dict[str, Any]:
    """Return the comparison of two extractors as a JSON document, `serab.comparison/2`.

    Raises:
        UsageError: the two are the same extractor, have no task in common, or were not tested on the same utterances.
    """
    if first == second:
        raise UsageError(
            f"{first} cannot be compared with itself",
            next_step=f"name two extractors: {command('compare', first, 'ANOTHER')}",
        )
    board = data.board
    a, b = cells_by_task(data, first), cells_by_task(data, second)
    common = [task for task in (*board.tasks, *data.continuous.tasks) if task in a and task in b]
    names = list(dict.fromkeys(cells[task][0].result.extractor for cells in (a, b) for task in cells))
    if not common:
        raise UsageError(f"{first} and {second} have no task in common", next_step=f"run {command('eval', *names)}")
    in_means = {row.extractor: row.tasks for row in board.rows}
    tasks: dict[str, Any] = {}
    pairs, not_compared = {}, []
    for task in common:
        pair = _same_data(a[task], b[task])
        if pair is None:
            not_compared.append(task)
            continue
        on_column = all(board.catalogue.on_column(cell.result) for cell in pair)
        tests = pair[0].test, pair[1].test
        metric = data.continuous.metric if pair[0].test.continuous else board.metric
        tasks[task] = {
            "metric": metric,
            "first": pair[0].score(metric),
            "second": pair[1].score(metric),
            "other_data": not on_column,
            **asdict(compare(*tests, metric)),
        }
        if on_column and all(task in in_means.get(label, ()) for label in (first, second)):
            pairs[task] = tests
    if not tasks:
        raise UsageError(
            "the two were not tested on the same utterances",
            where=f"{first} and {second} on {', '.join(not_compared)}",
            next_step=f"run {command('eval', *names, tasks=not_compared)}",
        )
    differing = (
        f"Not compared: {', '.join(not_compared)}. The scores of {first} and {second} there are on different data."
    )
    notices = [differing] if not_compared else []
    return {
        "schema": "serab.comparison/2",
        "protocol": board.protocol,
        "metric": board.metric,
        "first": first,
        "second": second,
        "tasks": tasks,
        "overall": asdict(compare_overall(pairs, board.metric)) if pairs else None,
        "suite": board.suite,
        "notices": [*notices, *data.notices],
    }


def cells_by_task(data: LeaderboardData, label: str) -> dict[str, list[Cell]]:
    """Return the cells of an extractor by task; the cell in the column of the task comes first."""
    rows = [row for board in data.boards for row in board.rows if row.extractor == label]
    cells = {task: [cell] for row in rows for task, cell in row.cells.items()}
    for cell in (cell for board in data.boards for cell in board.other_data):
        if cell.extractor == label:
            cells.setdefault(cell.result.task, []).append(cell)
    return cells


def _same_data(first: Sequence[Cell], second: Sequence[Cell]) -> tuple[Cell, Cell] | None:
    """Return the first pair of cells on the same data; None if there is none."""
    for a in first:
        for b in second:
            if DataIdentity.of(a.result).matches(DataIdentity.of(b.result)):
                return a, b
    return None


def print_comparison(console: Console, document: Document) -> None:
    """Print a comparison."""
    first, second = document["first"], document["second"]
    for name in dict.fromkeys(row["metric"] for row in document["tasks"].values()):
        metric = METRICS[name]
        rows = {task: row for task, row in document["tasks"].items() if row["metric"] == name}
        title = f"A {first}, B {second}: {metric.title}"
        whole, brief = (_table(title, metric, rows, counts) for counts in (metric.kind == "classes", False))
        console.print(whole if width_of(console, whole) <= console.width else brief)
    if any(row["detectable"] for row in document["tasks"].values()):
        print_note(console, "Finds: the smallest true difference that the test finds with about 80 % probability.")
    overall = document["overall"]
    if overall is None:
        print_note(console, "None of these tasks belongs to the benchmark: there is no mean to compare.")
    else:
        print_line(console, _overall_text(document, overall, first, second))
    print_notices(console, document["notices"])


def _table(title: str, metric: Metric, rows: Mapping[str, Mapping[str, Any]], counts: bool) -> Table:
    """Return the table of the tasks with one metric.

    Args:
        title: its title.
        metric: the metric.
        rows: the comparison of each task.
        counts: show the numbers of utterances that only one of the two classified correctly.
    """
    unit = " %" if metric.percent else ""
    heads = ["Task", f"A{unit}", f"B{unit}", "A - B", *(("Only A", "Only B") if counts else ()), "p", "Finds"]
    listing = table(*heads, "Test", "Speakers", right=[*heads[1:], "Speakers"], title=title)
    for column in listing.columns:
        column.no_wrap = True
    for task, row in rows.items():
        listing.add_row(
            task + ("‡" if row["other_data"] else ""),
            metric.text(row["first"]),
            metric.text(row["second"]),
            metric.signed(row["difference"]),
            *(str(row[key]) for key in ("only_first", "only_second") if counts),
            probability(row["p"]),
            detectable_text(row["detectable"], metric.name),
            row["test"] or "too few speakers",
            str(row["speakers"]),
        )
    return listing


def detectable_text(difference: float | None, metric: str) -> str:
    """Return the smallest difference that a test finds, as tables show it; "" where there is no test."""
    if difference is None:
        return ""
    widest = METRICS[metric].bounds[1] - METRICS[metric].bounds[0]
    return (">" if difference > widest else "") + METRICS[metric].text(min(difference, widest))


def _overall_text(document: Document, overall: Mapping[str, Any], first: str, second: str) -> str:
    """Return sentences on the comparison of the means."""
    count = f"{len(overall['tasks'])} of {document['suite']} tasks"
    metric = METRICS[document["metric"]]
    difference = f"UM over {count}: A - B {metric.signed(overall['difference'])}{metric.unit}"
    if overall["p"] is None:
        return f"{difference}. There are too few speakers to test whether the difference is significant."
    reach = overall["interval"]
    limits = f"({metric.signed(reach['low'])} to {metric.signed(reach['high'])}, 95 %)"
    better = first if overall["difference"] > 0 else second
    verdict = f"{better} is better." if overall["p"] < 0.05 else "The difference is not significant."
    finds = detectable_text(overall["detectable"], metric.name)
    power = f" The test finds a true difference of {finds}{metric.unit} with about 80 % probability." if finds else ""
    return f"{difference} {limits}, p {probability(overall['p'])}, {overall['test']}. {verdict}{power}"
