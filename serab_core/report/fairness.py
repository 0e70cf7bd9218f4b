"""Fairness, the scores of one extractor by speaker and by sex: the document, and its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.report.comparisons import cells_by_task
from serab_core.report.console import print_line, print_notices
from serab_core.report.tables import probability, table
from serab_core.score.board import shown_metrics
from serab_core.score.fairness import by_sex, by_speaker, main_metric, sex_gap, speaker_gap
from serab_core.score.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from serab_core.report.board import LeaderboardData
    from serab_core.score.fairness import Group, SexGap, SpeakerGap
    from serab_core.score.metrics import Metric

    Document = Mapping[str, Any]


def fairness_document(data: LeaderboardData) -> dict[str, Any]:
    """Return scores by speaker and by sex as a JSON document, `serab.fairness/2`."""
    board = data.board
    label = data.asked[0]
    tasks = {}
    for task, (cell, *_) in cells_by_task(data, label).items():
        tasks[task] = {
            "metric": main_metric(cell.test),
            **{name: cell.score(name) for name in shown_metrics(main_metric(cell.test))},
            "other_data": not board.catalogue.on_column(cell.result),
            "speakers": [_group(group) for group in by_speaker(cell.test)],
            "sexes": [_group(group) for group in by_sex(cell.test, cell.result.sexes)],
            "speaker_gap": _optional(speaker_gap(cell.test)),
            "sex_gap": _optional(sex_gap(cell.test, cell.result.sexes)),
        }
    return {
        "schema": "serab.fairness/2",
        "protocol": board.protocol,
        "extractor": label,
        "tasks": {task: tasks[task] for task in (*board.tasks, *data.continuous.tasks) if task in tasks},
        "notices": list(data.notices),
    }


def print_fairness(console: Console, document: Document) -> None:
    """Print the scores on each task by sex, and by speaker from worst to best."""
    for name in dict.fromkeys(scores["metric"] for scores in document["tasks"].values()):
        metrics = [METRICS[metric] for metric in shown_metrics(name)]
        heads = [metric.head for metric in metrics]
        listing = table("Task", "Who", "Utterances", *heads, right=("Utterances", *heads))
        for task, scores in document["tasks"].items():
            if scores["metric"] == name:
                _add_rows(listing, task, scores, metrics)
        console.print(listing)
    for task, scores in document["tasks"].items():
        for sentence in (_speaker_gap_text(scores), _sex_gap_text(scores)):
            if sentence:
                print_line(console, f"{task}: {sentence}")
    print_notices(console, document["notices"])


def _add_rows(listing: Table, task: str, scores: Mapping[str, Any], metrics: Sequence[Metric]) -> None:
    sex_names = {"f": "women", "m": "men"}
    shown = task + ("‡" if scores["other_data"] else "")
    groups = [(f"{sex_names[group['name']]} ({group['speakers']})", group) for group in scores["sexes"]]
    groups += [(f"speaker {group['name']}", group) for group in scores["speakers"]]
    for who, group in groups:
        listing.add_row(shown, who, str(group["utterances"]), *(metric.text(group[metric.name]) for metric in metrics))
        shown = ""


def _group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "utterances": group.utterances, "speakers": group.speakers, **group.scores}


def _optional(gap: SpeakerGap | SexGap | None) -> dict[str, Any] | None:
    return None if gap is None else asdict(gap)


def _speaker_gap_text(task: Mapping[str, Any]) -> str:
    """Return a sentence on the gap between speakers; "" for one speaker."""
    gap, metric = task["speaker_gap"], METRICS[task["metric"]]
    if gap is None:
        return ""
    verdict = "more than chance" if gap["p"] < 0.05 else "not more than chance"
    return (
        f"{metric.text(gap['gap'])}{metric.unit} between speaker {gap['worst']} and speaker {gap['best']}; without "
        f"differences between speakers, {metric.text(gap['expected'])} on average "
        f"(p {probability(gap['p'])}: {verdict})."
    )


def _sex_gap_text(task: Mapping[str, Any]) -> str:
    """Return a sentence on the difference between women and men; "" if the sexes of speakers are not known."""
    gap, sexes, metric = task["sex_gap"], task["sexes"], METRICS[task["metric"]]
    if gap is None:
        absent = {"f": "no man", "m": "no woman"}
        return f"{absent[sexes[0]['name']]} is in the test split." if len(sexes) == 1 else ""
    text = f"women minus men {metric.signed(gap['difference'])}{metric.unit}, as means over speakers"
    if gap["p"] is None:
        return f"{text}; too few speakers to test ({gap['women']} and {gap['men']})."
    return f"{text} ({metric.signed(gap['low'])} to {metric.signed(gap['high'])}, p {probability(gap['p'])})."
