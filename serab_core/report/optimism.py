"""Optimism, the score that selection on test would have claimed: the document, and its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.report.board import class_board
from serab_core.report.console import print_line, print_note, print_notices
from serab_core.report.tables import percent, print_by_extractor
from serab_core.score.aggregate import enters, is_guess
from serab_core.score.optimism import optimism

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from serab_core.report.board import LeaderboardData

    Document = Mapping[str, Any]


def optimism_document(data: LeaderboardData) -> dict[str, Any]:
    """Return the optimism of each result as a JSON document, `serab.optimism/1`; `enters` marks rows of the mean.

    Raises:
        UsageError: there are only results on continuous targets.
    """
    board = class_board(data, "optimism")
    cells = [(row.cells[task], row.current) for row in board.rows for task in board.tasks if task in row.cells]
    cells += [(cell, False) for cell in board.other_data]
    rows = []
    for cell, current in cells:
        gain = optimism(cell.result)
        row = {**asdict(gain), "extractor": cell.extractor, "gain": gain.gain}
        other_data = not board.catalogue.on_column(cell.result)
        counts = current and enters(cell.result) and not is_guess(cell.result)
        rows.append(row | {"enters": counts, "other_data": other_data})
    counted = [row["gain"] for row in rows if row["enters"]]
    mean = sum(counted) / len(counted) if counted else None
    return {
        "schema": "serab.optimism/1",
        "protocol": board.protocol,
        "rows": rows,
        "mean_gain": mean,
        "notices": list(data.notices),
    }


def print_optimism(console: Console, document: Document) -> None:
    """Print optimism."""
    heads = ("Extractor", "Task", "By validation", "Acc. %", "By test", "Claimed %", "Optimism")
    rows = [
        (
            row["extractor"],
            row["task"] + ("‡" if row["other_data"] else "" if row["enters"] else "*"),
            row["chosen"],
            percent(row["accuracy"]),
            row["best"],
            percent(row["claimed"]),
            f"{100 * row['gain']:+.1f}",
        )
        for row in document["rows"]
    ]
    print_by_extractor(console, heads, rows, right=("Acc. %", "Claimed %", "Optimism"))
    if any(not row["enters"] for row in document["rows"]):
        print_note(
            console,
            "* in no mean: synthetic or partial corpus, another split variant, a guess, or another version of an "
            "extractor",
        )
    if document["mean_gain"] is not None:
        print_line(console, f"Choosing on test would give {100 * document['mean_gain']:.1f} points more on average.")
    print_notices(console, document["notices"])
