"""Fairness, the scores of one extractor by speaker and by sex: the document, and its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.report.comparisons import cells_by_task
from serab_core.report.console import print_line, print_notices
from serab_core.report.tables import percent, probability, table
from serab_core.score.fairness import by_sex, by_speaker, sex_gap, speaker_gap

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from serab_core.report.board import LeaderboardData
    from serab_core.score.fairness import SexGap, SpeakerGap

    Document = Mapping[str, Any]


def fairness_document(data: LeaderboardData) -> dict[str, Any]:
    """Return scores by speaker and by sex as a JSON document, `serab.fairness/1`."""
    board = data.board
    label = data.asked[0]
    tasks = {}
    for task, (cell, *_) in cells_by_task(board, label).items():
        tasks[task] = {
            "accuracy": cell.result.accuracy,
            "other_data": not board.catalogue.on_column(cell.result),
            "speakers": [asdict(group) for group in by_speaker(cell.test)],
            "sexes": [asdict(group) for group in by_sex(cell.test, cell.result.sexes)],
            "speaker_gap": _optional(speaker_gap(cell.test)),
            "sex_gap": _optional(sex_gap(cell.test, cell.result.sexes)),
        }
    return {
        "schema": "serab.fairness/1",
        "protocol": board.protocol,
        "extractor": label,
        "tasks": {task: tasks[task] for task in board.tasks if task in tasks},
        "notices": list(data.notices),
    }


def print_fairness(console: Console, document: Document) -> None:
    """Print the scores on each task by sex, and by speaker from worst to best."""
    listing = table("Task", "Who", "Utterances", "Acc. %", "UAR %", right=("Utterances", "Acc. %", "UAR %"))
    sex_names = {"f": "women", "m": "men"}
    for task, scores in document["tasks"].items():
        shown = task + ("‡" if scores["other_data"] else "")
        for group in scores["sexes"]:
            who = f"{sex_names[group['name']]} ({group['speakers']})"
            listing.add_row(shown, who, str(group["utterances"]), percent(group["accuracy"]), percent(group["uar"]))
            shown = ""
        for group in scores["speakers"]:
            listing.add_row(
                shown, f"speaker {group['name']}", str(group["utterances"]), percent(group["accuracy"]),
                percent(group["uar"]),
            )  # fmt: skip
            shown = ""
    console.print(listing)
    for task, scores in document["tasks"].items():
        for sentence in (_speaker_gap_text(scores["speaker_gap"]), _sex_gap_text(scores)):
            if sentence:
                print_line(console, f"{task}: {sentence}")
    print_notices(console, document["notices"])


def _optional(gap: SpeakerGap | SexGap | None) -> dict[str, Any] | None:
    return None if gap is None else asdict(gap)


def _speaker_gap_text(gap: Mapping[str, Any] | None) -> str:
    """Return a sentence on the gap between speakers; "" for one speaker."""
    if gap is None:
        return ""
    verdict = "more than chance" if gap["p"] < 0.05 else "not more than chance"
    return (
        f"{100 * gap['gap']:.1f} points between speaker {gap['worst']} and speaker {gap['best']}; without differences "
        f"between speakers, {100 * gap['expected']:.1f} on average (p {probability(gap['p'])}: {verdict})."
    )


def _sex_gap_text(task: Mapping[str, Any]) -> str:
    """Return a sentence on the difference between women and men; "" if the sexes of speakers are not known."""
    gap, sexes = task["sex_gap"], task["sexes"]
    if gap is None:
        absent = {"f": "no man", "m": "no woman"}
        return f"{absent[sexes[0]['name']]} is in the test split." if len(sexes) == 1 else ""
    text = f"women minus men {100 * gap['difference']:+.1f} points, as means over speakers"
    if gap["p"] is None:
        return f"{text}; too few speakers to test ({gap['women']} and {gap['men']})."
    return f"{text} ({100 * gap['low']:+.1f} to {100 * gap['high']:+.1f}, p {probability(gap['p'])})."
