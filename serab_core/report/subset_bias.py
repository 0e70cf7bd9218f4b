"""Subset bias, the spread of means over subsets of the tasks: the document, and its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.errors import UsageError
from serab_core.report.board import class_board
from serab_core.report.console import print_note, print_notices
from serab_core.report.tables import percent, table
from serab_core.score.board import subset_scores
from serab_core.score.subsets import equal_flips, subset_bias
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from serab_core.report.board import LeaderboardData

    Document = Mapping[str, Any]


def bias_document(data: LeaderboardData) -> dict[str, Any]:
    """Return the spread of means over subsets of the tasks as a JSON document, `serab.bias/2`.

    Raises:
        UsageError: fewer than two extractors have all ranked tasks, or there are fewer than two tasks.
    """
    board = class_board(data, "subset bias")
    complete = [row for row in board.rows if row.group is not None]
    scores = subset_scores(board)
    if len(board.ranked) < 2 or len(scores) < 2:
        raise UsageError(
            f"{len(scores)} extractors have results on all of {len(board.ranked)} tasks; two of each are needed",
            next_step=f"prepare two tasks ({command('data list')}), and run {command('eval', 'X', 'Y')}",
        )
    sizes = subset_bias(scores, board.ranked)
    return {
        "schema": "serab.bias/2",
        "protocol": board.protocol,
        "metric": board.metric,
        "left_out": [row.extractor for row in complete if row.extractor not in scores],
        "tasks": list(board.ranked),
        "suite": board.suite,
        "sizes": [
            {
                "tasks": size.tasks,
                "subsets": size.subsets,
                "extractors": {
                    name: {
                        "lowest": size.lowest[name],
                        "highest": size.highest[name],
                        "deviation": size.deviation[name],
                    }
                    for name in scores
                },
                "flips": [{"first": a, "second": b, "share": fraction} for (a, b), fraction in size.flips.items()],
                "mean_flips": size.mean_flips,
                "equal_flips": equal_flips(size.tasks, len(board.ranked)),
            }
            for size in sizes
        ],
        "notices": list(data.notices),
    }


def print_bias(console: Console, document: Document) -> None:
    """Print subset bias."""
    heads = ("Tasks", "Subsets", "Widest spread of UM", "Pairs reversed %", "If equal %", "Most often reversed")
    listing = table(*heads, right=(heads[0], heads[1], heads[3], heads[4]))
    for size in document["sizes"]:
        name, spread = max(size["extractors"].items(), key=lambda item: item[1]["highest"] - item[1]["lowest"])
        most = max(size["flips"], key=lambda flip: flip["share"], default=None)
        most_text = f"{most['first']}, {most['second']}: {percent(most['share'])} %" if most and most["share"] else ""
        listing.add_row(
            str(size["tasks"]), str(size["subsets"]),
            f"{percent(spread['lowest'])}-{percent(spread['highest'])} ({name})", percent(size["mean_flips"]),
            percent(size["equal_flips"]), most_text,
        )  # fmt: skip
    console.print(listing)
    if document["left_out"]:
        print_note(console, f"Left out, because they guess: {', '.join(document['left_out'])}.")
    print_note(console, "If equal: how often two equally good extractors would change places by chance.")
    print_note(console, f"Over {len(document['tasks'])} of {document['suite']} tasks: {', '.join(document['tasks'])}.")
    print_notices(console, document["notices"])
