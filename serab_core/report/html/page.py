"""The report: a leaderboard, its figures and the provenance of every score, in one HTML file."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

import serab_core
from serab_core.report.board_text import has_probe
from serab_core.report.choices import choice_text, seeds_text
from serab_core.report.corpus import chance_on_test
from serab_core.report.figures.folds import folds_plot
from serab_core.report.figures.plots import forest, optimism_plot, size_plot, speaker_plot, speed_plot, subset_plot
from serab_core.report.figures.svg import PAGE
from serab_core.report.tables import interval_text, params_text, percent, probability
from serab_core.score.board import subset_scores
from serab_core.score.fairness import by_sex
from serab_core.score.metrics import CLASS_METRICS, METRICS, confusion
from serab_core.score.released import average_recall, table_metrics
from serab_core.score.subsets import subset_bias
from serab_core.store.identity import DataIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serab_core.report.board import LeaderboardData
    from serab_core.score.board import Board, Cell
    from serab_core.score.metrics import Metric
    from serab_core.score.subsets import Size
    from serab_core.types import TaskResult

_MOST_TASKS = 12  # tasks for subset bias, whose number of subsets is 2^n


def report_page(data: LeaderboardData, title: str, speeds: Mapping[str, float]) -> str:
    """Return the report as HTML, which loads nothing from the network.

    Args:
        data: the results.
        title: the title of the page.
        speeds: measured throughput by extractor, in seconds of audio per second of one worker.
    """
    board, targets = data.board, data.continuous
    sizes = sizes_of(board)
    cells = [cell for shown in (board, targets) for row in shown.rows for cell in row.cells.values()]
    numbers = {(cell.extractor, cell.result.task): place for place, cell in enumerate(cells)}
    cells += [*board.other_data, *targets.other_data]
    tasks = [task for task in board.tasks if any(task in row.cells for row in board.rows)]
    sections = [
        ("board", "Scores"),
        ("groups", "Groups"),
        ("size", "Size and speed"),
        *([("bias", "Fewer tasks")] if sizes else []),
    ]
    sections += [("continuous", "Continuous targets")] if targets.rows or targets.other_data else []
    folded = [(task, figure) for task in tasks if (figure := folds_plot(board, task, data.one_split, PAGE))]
    sections += [("folds", "Folds")] if folded else []
    sections += [("optimism", "Optimism"), ("speakers", "Speakers"), ("corpora", "Corpora"), ("citations", "Citations")]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = percent
    environment.filters["probability"] = probability
    environment.filters["interval"] = interval_text
    return environment.from_string(_resource("page.html.jinja")).render(
        title=title,
        version=serab_core.__version__,
        board=board,
        boards=[(board, forest(board, PAGE)), *([(targets, forest(targets, PAGE))] if targets.rows else [])],
        metrics=METRICS,
        shown=list(dict.fromkeys((board.metric, *(n for n in CLASS_METRICS if n in table_metrics(board.protocol))))),
        means=any(row.tasks for row in board.rows),
        probe=has_probe(board),
        papers=any(row.published for row in board.rows),
        numbers=numbers,
        marks={(cell.extractor, cell.result.task): data.mark(cell.result) for cell in cells[: len(numbers)]},
        other_data=[
            (place, data.title(cell.result), data.mark(cell.result), cell, DataIdentity.of(cell.result).short)
            for place, cell in enumerate(cells[len(numbers) :], start=len(numbers))
        ],
        notices=list(data.notices),
        sections=sections,
        style=_resource("style.css"),
        script=_resource("script.js"),
        data=_embedded(_cell_data(data, cells)),
        size=size_plot(board, PAGE),
        speed=speed_plot(board, speeds, PAGE) if speeds else "",
        subsets=subset_plot(sizes, PAGE) if sizes else "",
        folded=folded,
        optimism=[(task, optimism_plot(board, task, PAGE)) for task in tasks],
        speakers=[(task, speaker_plot(board, task, PAGE), _sexes(board, task)) for task in tasks],
        targets=targets,
        corpora=[card for shown in (board, targets) for card in _corpora(shown)],
        licences=[
            (name, provenance.get("summary", ""), provenance.get("licence", ""))
            for name, provenance in (
                (row.title, next(iter(row.cells.values())).result.provenance) for row in (board.rows or targets.rows)
            )
        ],
        bibtex="\n\n".join(_citations(cells)),
    )


def sizes_of(board: Board) -> tuple[Size, ...]:
    """Return the subset bias of a leaderboard; empty for fewer than two tasks or extractors, or for too many tasks."""
    scores = subset_scores(board)
    if len(scores) < 2 or not 2 <= len(board.ranked) <= _MOST_TASKS:
        return ()
    return subset_bias(scores, board.ranked)


def _resource(name: str) -> str:
    return (files("serab_core.report.html") / name).read_text(encoding="utf-8")


def _embedded(value: Any) -> str:
    """Return JSON that can be embedded in a script element, because it cannot contain the end tag."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _UniqueValues:
    """A list of values without duplicates, which many cells refer to by index."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        """Return the index of a value, after adding it if it is new."""
        text = json.dumps(value, sort_keys=True)
        if text not in self._places:
            self._places[text] = len(self.values)
            self.values.append(value)
        return self._places[text]


def _cell_data(data: LeaderboardData, cells: list[Cell]) -> dict[str, Any]:
    """Return the data that the script of the page shows for each score."""
    extractors, datasets, origins = _UniqueValues(), _UniqueValues(), _UniqueValues()
    shown, recall = table_metrics(data.board.protocol), METRICS[average_recall(data.board.protocol)]
    rows = []
    for cell in cells:
        result, provenance = cell.result, cell.result.provenance
        outcome = result.outcome()
        how = ("protocol", "seeds", "serab", "python", "libraries", "plugins", "machine")
        rows.append(
            {
                "name": data.title(result),
                "task": result.task,
                "scores": [_score(cell, metric) for name, metric in shown.items() if name in result.scores],
                "recall": {"name": recall.name, "head": recall.head},
                "chosen": outcome.title,
                "params": params_text(outcome.params),
                "choice": choice_text(result),
                "seeds": seeds_text(result, data.seeds[result.key]) if result.key in data.seeds else "",
                "counts": dict(result.counts),
                "cautions": list(result.cautions),
                "imported": result.imported,
                "folds": [
                    {
                        "name": fold.name,
                        "chosen": fold.chosen,
                        **{name: fold.scores.get(name) for name in _main_metrics(cell)},
                    }
                    for fold in result.folds
                ],
                "key": result.key,
                "profile": _profile(result),
                "classifiers": [
                    {
                        "title": candidate.title,
                        "validation": candidate.validation,
                        **{name: candidate.scores.get(name) for name in _main_metrics(cell)},
                    }
                    for candidate in result.outcomes
                ],
                **_confusion(cell),
                "extractor": extractors.place(
                    {k: provenance.get(k, "") for k in ("summary", "licence", "fingerprint")}
                ),
                "dataset": datasets.place(
                    {k: v for k, v in dict(provenance.get("dataset", {})).items() if k != "citation"}
                ),
                "made": origins.place(
                    {k: provenance.get(k, "") for k in how} | {"command": " ".join(provenance.get("command", ()))}
                ),
            }
        )
    return {"cells": rows, "extractors": extractors.values, "datasets": datasets.values, "made": origins.values}


def _profile(result: TaskResult) -> list[tuple[str, float]]:
    return list(result.profile["seconds"].items()) if result.profile else []


def _main_metrics(cell: Cell) -> tuple[str, str]:
    return ("ccc", "pearson") if cell.test.continuous else ("accuracy", average_recall(cell.result.protocol))


def _score(cell: Cell, metric: Metric) -> dict[str, Any]:
    """Return a score for the page's details, with its interval if the metric has one."""
    document = {
        "title": metric.title[0].upper() + metric.title[1:],
        "percent": metric.percent,
        "value": cell.score(metric.name),
    }
    return document | (asdict(cell.interval(metric.name)) if metric.ranks else {})


def _confusion(cell: Cell) -> dict[str, Any]:
    """Return the confusion matrix and the recall of each class; nothing for a continuous target."""
    if cell.test.continuous:
        return {}
    labels = sorted(set(cell.test.truth.tolist()) | set(cell.test.predicted.tolist()))
    counts = confusion(cell.test.truth, cell.test.predicted, labels)
    return {"labels": labels, "confusion": counts.tolist()}


def _sexes(board: Board, task: str) -> list[tuple[str, float, float]]:
    rows = []
    for row in board.rows:
        if task in row.cells:
            groups = {g.name: g.scores["uar"] for g in by_sex(row.cells[task].test, row.cells[task].result.sexes)}
            if len(groups) == 2:
                rows.append((row.extractor, groups["f"], groups["m"]))
    return rows


def _corpora(board: Board) -> Iterator[dict[str, Any]]:
    """Yield a card for each task, from the first result on it."""
    for task in board.tasks:
        cell = next((row.cells[task] for row in board.rows if task in row.cells), None)
        if cell is None:
            continue
        result = cell.result
        dataset: Mapping[str, Any] = result.provenance.get("dataset", {})
        yield {
            "task": task,
            "title": dataset.get("title", task),
            "kind": "synthetic" if result.synthetic else "partial" if result.partial else "",
            "language": result.language,
            "counts": dict(result.counts),
            "speakers": len(set(result.speakers.values())),
            "labels": [] if cell.test.continuous else sorted(set(cell.test.truth.tolist())),
            "chance": None if cell.test.continuous else chance_on_test(cell.test.truth.tolist()),
            "variant": result.variant,
            "licence": dataset.get("licence", ""),
            "digest": dataset.get("digest", ""),
        }


def _citations(cells: list[Cell]) -> list[str]:
    """Return the BibTeX entries of extractors and corpora, without duplicates."""
    texts = [cell.result.provenance.get("citation", "") for cell in cells]
    texts += [cell.result.provenance.get("dataset", {}).get("citation", "") for cell in cells]
    return [text for text in dict.fromkeys(texts) if text]
