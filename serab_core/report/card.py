"""A model card: scores in Markdown, notices, and metadata for model hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import serab_core
from serab_core.errors import UsageError
from serab_core.report.cautions import PROBE_HEAD
from serab_core.report.choices import choice_text, seeds_text
from serab_core.report.tables import interval_text, params_text
from serab_core.score.aggregate import enters
from serab_core.score.metrics import METRICS
from serab_core.score.probe import probe_score, shows_probe
from serab_core.score.released import average_recall
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.report.board import LeaderboardData
    from serab_core.score.board import Cell
    from serab_core.score.metrics import Metric


def results_card(data: LeaderboardData) -> str:
    """Return the card of the extractor that the user named.

    Raises:
        UsageError: all its results are on other data than the scores of their columns.
    """
    rows = [row for board in data.boards for row in board.rows if row.extractor == data.asked[0]]
    if not rows:
        others = [cell for board in data.boards for cell in board.other_data]
        tasks = list(dict.fromkeys(cell.result.task for cell in others))
        raise UsageError(
            f"every result of {data.asked[0]} is on other data than the scores of its column",
            where=", ".join(tasks),
            next_step=f"run {command('eval', others[0].result.extractor, tasks=tasks)}",
        )
    board = data.board
    cells = [row.cells[task] for row in rows for task in (*board.tasks, *data.continuous.tasks) if task in row.cells]
    provenance = cells[0].result.provenance
    name = rows[0].version.name
    lines = [*_front_matter(name, cells), f"# {_line(name)} on SERAB", ""]
    lines += [f"{_line(str(provenance['summary']))}.", ""] if provenance.get("summary") else []
    for row in rows:
        for mean in row.means(board.metric)[:1]:
            score, reach = METRICS[board.metric].text(mean.value), interval_text(mean.interval, board.metric)
            over = f"{len(row.tasks)} of {board.suite} tasks, protocol `{board.protocol}`"
            lines += [f"**UM {score} %** ({reach}) over {over}.", ""]
    for metrics in (("accuracy", average_recall(board.protocol), "macro_f1"), ("ccc", "pearson", "rmse")):
        shown = [cell for cell in cells if metrics[0] in cell.result.scores]
        if shown:
            lines += [*_table(data, shown, metrics), ""]
    lines.pop()
    choices = [(cell.result.task, choice_text(cell.result)) for cell in cells]
    seeds = [(cell.result, data.seeds[cell.result.key]) for cell in cells if cell.result.key in data.seeds]
    notices = [*(f"Choice on {task}: {text}" for task, text in choices if text)]
    notices += [f"Seeds on {result.task}: {seeds_text(result, summary)}." for result, summary in seeds]
    notices += data.notices
    lines += ["", *(f"- {_line(notice)}" for notice in notices), "", "To reproduce these scores:", "", "```sh"]
    named = ",".join(cell.result.task for cell in cells)
    lines += [f"serab eval {_line(name)} --tasks {named} --protocol {board.protocol}", "```", ""]
    licence = _line(str(provenance.get("licence", "")))
    lines += [f"Made with serab {serab_core.__version__}. Licence of the extractor: {licence}."]
    if provenance.get("citation"):
        lines += ["", "```bibtex", str(provenance["citation"]).replace("```", ""), "```"]
    return "\n".join([*lines, ""])


def _table(data: LeaderboardData, cells: Sequence[Cell], metrics: Sequence[str]) -> list[str]:
    """Return a table of scores, with the interval of the first metric."""
    first, *others = (METRICS[name] for name in metrics)
    probe = (PROBE_HEAD,) if any(shows_probe(cell.result) for cell in cells) else ()
    heads = ("Task", _head(first), "95 %", *map(_head, others), *probe, "Classifier", "Test utterances")
    lines = [_row(heads), "|" + "---|" * len(heads)]
    for cell in cells:
        result, outcome = cell.result, cell.result.outcome()
        lines.append(
            _row(
                (
                    _line(result.task) + data.mark(result).replace("*", r"\*"),
                    first.text(cell.score(first.name)),
                    interval_text(cell.interval(first.name), first.name),
                    *(metric.text(result.scores.get(metric.name)) for metric in others),
                    *((METRICS[data.board.metric].text(probe_score(result, data.board.metric)),) if probe else ()),
                    _line(f"{outcome.title} {params_text(outcome.params)}".strip()),
                    str(result.counts.get("test", 0)),
                )
            )
        )
    return lines


def _head(metric: Metric) -> str:
    return metric.title[0].upper() + metric.title[1:] + (" %" if metric.percent else "")


def _front_matter(name: str, cells: Sequence[Cell]) -> list[str]:
    """Return model-index metadata for the Hugging Face hub, for scores on complete corpora of real speech."""
    lines = ["---", "tags: [speech-emotion-recognition, serab]"]
    counted = [cell for cell in cells if enters(cell.result) and cell.result.target is None]
    lines += ["model-index:", f"- name: {_quoted(name)}", "  results:"] if counted else []
    for cell in counted:
        task, recall = _quoted(cell.result.task), METRICS[average_recall(cell.result.protocol)]
        lines += [
            "  - task: {type: audio-classification, name: Speech emotion recognition}",
            f"    dataset: {{type: {task}, name: {task}, split: test}}",
            "    metrics:",
            f"    - {{type: accuracy, value: {100 * cell.score('accuracy'):.2f}}}",
            f"    - {{type: recall, name: {recall.title}, value: {100 * cell.score(recall.name):.2f}}}",
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
