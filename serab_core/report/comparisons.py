"""Two extractors compared task by task and over all tasks: the document, and its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.errors import UsageError
from serab_core.report.console import print_line, print_note, print_notices
from serab_core.report.tables import percent, probability, table
from serab_core.score.compare import compare, compare_overall
from serab_core.store.identity import DataIdentity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from serab_core.report.board import LeaderboardData
    from serab_core.score.board import Board, Cell

    Document = Mapping[str, Any]


def compare_document(data: LeaderboardData, first: str, second: str) -> dict[str, Any]:
    """Return the comparison of two extractors as a JSON document, `serab.comparison/1`.

    Raises:
        UsageError: the two are the same extractor, have no task in common, or were not tested on the same utterances.
    """
    if first == second:
        raise UsageError(
            f"{first} cannot be compared with itself", next_step=f"name two extractors: serab compare {first} ANOTHER"
        )
    board = data.board
    a, b = cells_by_task(board, first), cells_by_task(board, second)
    common = [task for task in board.tasks if task in a and task in b]
    names = " ".join(dict.fromkeys(cells[task][0].result.extractor for cells in (a, b) for task in cells))
    if not common:
        raise UsageError(f"{first} and {second} have no task in common", next_step=f"run serab eval {names}")
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
        tasks[task] = {
            "first": getattr(pair[0].result, board.metric),
            "second": getattr(pair[1].result, board.metric),
            "other_data": not on_column,
            **asdict(compare(*tests, board.metric)),
        }
        if on_column and all(task in in_means.get(label, ()) for label in (first, second)):
            pairs[task] = tests
    if not tasks:
        raise UsageError(
            "the two were not tested on the same utterances",
            where=f"{first} and {second} on {', '.join(not_compared)}",
            next_step=f"run serab eval {names} --tasks {','.join(not_compared)}",
        )
    differing = (
        f"Not compared: {', '.join(not_compared)}. The scores of {first} and {second} there are on different data."
    )
    notices = [differing] if not_compared else []
    return {
        "schema": "serab.comparison/1",
        "protocol": board.protocol,
        "metric": board.metric,
        "first": first,
        "second": second,
        "tasks": tasks,
        "overall": asdict(compare_overall(pairs, board.metric)) if pairs else None,
        "suite": board.suite,
        "notices": [*notices, *data.notices],
    }


def cells_by_task(board: Board, label: str) -> dict[str, list[Cell]]:
    """Return the cells of an extractor by task; the cell in the column of the task comes first."""
    cells = {task: [cell] for row in board.rows if row.extractor == label for task, cell in row.cells.items()}
    for cell in board.other_data:
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
    name = "UAR" if document["metric"] == "uar" else "accuracy"
    listing = table(
        "Task", "A %", "B %", "A - B", "Only A", "Only B", "p", "Test", "Speakers",
        right=("A %", "B %", "A - B", "Only A", "Only B", "p", "Speakers"),
        title=f"A {first}, B {second}: {name}",
    )  # fmt: skip
    for task, row in document["tasks"].items():
        listing.add_row(
            task + ("‡" if row["other_data"] else ""),
            percent(row["first"]),
            percent(row["second"]),
            f"{100 * row['difference']:+.1f}",
            str(row["only_first"]),
            str(row["only_second"]),
            probability(row["p"]),
            row["test"] or "too few speakers",
            str(row["speakers"]),
        )
    console.print(listing)
    overall = document["overall"]
    if overall is None:
        print_note(console, "None of these tasks belongs to the benchmark: there is no mean to compare.")
    else:
        print_line(console, _overall_text(document, overall, first, second))
    print_notices(console, document["notices"])


def _overall_text(document: Document, overall: Mapping[str, Any], first: str, second: str) -> str:
    """Return sentences on the comparison of the means."""
    count = f"{len(overall['tasks'])} of {document['suite']} tasks"
    difference = f"UM over {count}: A - B {100 * overall['difference']:+.1f} points"
    if overall["p"] is None:
        return f"{difference}. There are too few speakers to test whether the difference is significant."
    reach = overall["interval"]
    limits = f"({100 * reach['low']:+.1f} to {100 * reach['high']:+.1f}, 95 %)"
    better = first if overall["difference"] > 0 else second
    verdict = f"{better} is better." if overall["p"] < 0.05 else "The difference is not significant."
    return f"{difference} {limits}, p {probability(overall['p'])}, {overall['test']}. {verdict}"
