"""A model card: scores in Markdown, notices, and metadata for model hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import serab_core
from serab_core.errors import UsageError
from serab_core.report.tables import params_text, percent
from serab_core.score.aggregate import enters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.report.board import LeaderboardData
    from serab_core.score.board import Cell, Row
    from serab_core.score.bootstrap import Interval


def results_card(data: LeaderboardData) -> str:
    """Return the card of the extractor that the user named.

    Raises:
        UsageError: all its results are on other data than the scores of their columns.
    """
    board = data.board
    row = next((row for row in board.rows if row.extractor == data.asked[0]), None)
    if row is None:
        tasks = ", ".join(dict.fromkeys(cell.result.task for cell in board.other_data))
        raise UsageError(
            f"every result of {data.asked[0]} is on other data than the scores of its column",
            where=tasks,
            next_step=f"run serab eval {board.other_data[0].result.extractor} --tasks {tasks.replace(' ', '')}",
        )
    cells = [row.cells[task] for task in board.tasks if task in row.cells]
    provenance = cells[0].result.provenance
    name = row.version.name
    lines = [*_front_matter(row, cells), f"# {_line(name)} on SERAB", ""]
    lines += [f"{_line(str(provenance['summary']))}.", ""] if provenance.get("summary") else []
    if row.accuracy:
        um = row.accuracy[0]
        over = f"{len(row.tasks)} of {board.suite} tasks, protocol `{board.protocol}`"
        lines += [f"**UM {percent(um.value)} %** ({_reach(um.interval)}) over {over}.", ""]
    heads = ("Task", "Accuracy %", "95 %", "UAR %", "Macro-F1 %", "Classifier", "Test utterances")
    lines += [_row(heads), "|" + "---|" * len(heads)]
    for cell in cells:
        result = cell.result
        outcome = result.outcome(result.chosen)
        marks = data.mark(result).replace("*", r"\*")
        classifier = _line(f"{outcome.title} {params_text(outcome.params)}".strip())
        scores = (percent(result.accuracy), _reach(cell.accuracy), percent(result.uar), percent(cell.macro_f1))
        lines.append(
            _row(
                (
                    f"{_line(result.task)}{marks}",
                    *scores,
                    classifier,
                    str(result.counts.get("test", 0)),
                )
            )
        )
    lines += ["", *(f"- {_line(notice)}" for notice in data.notices), "", "To reproduce these scores:", "", "```sh"]
    tasks = ",".join(cell.result.task for cell in cells)
    lines += [f"serab eval {_line(name)} --tasks {tasks} --protocol {board.protocol}", "```", ""]
    licence = _line(str(provenance.get("licence", "")))
    lines += [f"Made with serab {serab_core.__version__}. Licence of the extractor: {licence}."]
    if provenance.get("citation"):
        lines += ["", "```bibtex", str(provenance["citation"]).replace("```", ""), "```"]
    return "\n".join([*lines, ""])


def _front_matter(row: Row, cells: Sequence[Cell]) -> list[str]:
    """Return model-index metadata for the Hugging Face hub, for scores on complete corpora of real speech."""
    lines = ["---", "tags: [speech-emotion-recognition, serab]"]
    counted = [cell for cell in cells if enters(cell.result)]
    lines += ["model-index:", f"- name: {_quoted(row.version.name)}", "  results:"] if counted else []
    for cell in counted:
        task = _quoted(cell.result.task)
        lines += [
            "  - task: {type: audio-classification, name: Speech emotion recognition}",
            f"    dataset: {{type: {task}, name: {task}, split: test}}",
            "    metrics:",
            f"    - {{type: accuracy, value: {100 * cell.result.accuracy:.2f}}}",
            f"    - {{type: recall, name: UAR, value: {100 * cell.result.uar:.2f}}}",
        ]
    return [*lines, "---", ""]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _quoted(text: str) -> str:
    """Return text as a quoted YAML string."""
    return '"' + " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _line(text: str) -> str:
    """Return text on one line, with Markdown and HTML markup escaped, for a cell of a table."""
    return " ".join(text.split()).replace("|", r"\|").replace("<", "&lt;").replace("`", "'")


def _reach(interval: Interval) -> str:
    return f"{percent(interval.low)}-{percent(interval.high)}"
