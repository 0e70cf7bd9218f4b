"""Puts the report together: a board, its figures, and where every number comes from, in one file."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined

import serab_core
from serab_core.report.board import continuous_document
from serab_core.report.figures.plots import forest, optimism_plot, size_plot, speaker_plot, speed_plot, subset_plot
from serab_core.report.figures.svg import PAGE
from serab_core.report.tables import params_text, percent, probability
from serab_core.score.board import subset_scores
from serab_core.score.fairness import by_sex
from serab_core.score.metrics import confusion
from serab_core.score.subsets import subset_bias
from serab_core.store.identity import DataIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from serab_core.report.board import Gathered
    from serab_core.score.board import Board, Cell
    from serab_core.score.subsets import Size
    from serab_core.types import TaskResult

_MOST_TASKS = 12
"""That subsets are counted over: 2^n of them."""


def report_page(gathered: Gathered, title: str) -> str:
    """The report as HTML: no address in it is asked for anything."""
    board = gathered.board
    sizes = sizes_of(board)
    cells = [cell for row in board.rows for cell in row.cells.values()]
    numbers = {(cell.extractor, cell.result.task): place for place, cell in enumerate(cells)}
    cells += board.other_data
    tasks = [task for task in board.tasks if any(task in row.cells for row in board.rows)]
    sections = [
        ("board", "Scores"),
        ("groups", "Groups"),
        ("size", "Size and speed"),
        *([("bias", "Fewer tasks")] if sizes else []),
    ]
    sections += [("continuous", "Continuous targets")] if gathered.continuous else []
    sections += [("optimism", "Optimism"), ("speakers", "Speakers"), ("corpora", "Corpora"), ("citations", "Citations")]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["percent"] = percent
    environment.filters["probability"] = probability
    return environment.from_string(_part("page.html.jinja")).render(
        title=title,
        version=serab_core.__version__,
        board=board,
        versus=board.versus,
        means=any(row.accuracy for row in board.rows),
        papers=any(row.published for row in board.rows),
        numbers=numbers,
        marks={(cell.extractor, cell.result.task): gathered.mark(cell.result) for cell in cells[: len(numbers)]},
        other_data=[
            (place, gathered.title(cell.result), gathered.mark(cell.result), cell, DataIdentity.of(cell.result).short)
            for place, cell in enumerate(board.other_data, start=len(numbers))
        ],
        notices=list(gathered.notices),
        sections=sections,
        style=_part("style.css"),
        script=_part("script.js"),
        data=_embedded(_cell_data(gathered, cells)),
        forest=forest(board, PAGE),
        size=size_plot(board, PAGE),
        speed=speed_plot(board, gathered.speeds, PAGE) if gathered.speeds else "",
        subsets=subset_plot(sizes, PAGE) if sizes else "",
        optimism=[(task, optimism_plot(board, task, PAGE)) for task in tasks],
        speakers=[(task, speaker_plot(board, task, PAGE), _sexes(board, task)) for task in tasks],
        continuous=[
            (gathered.title(result), gathered.mark(result), continuous_document(gathered, result))
            for result in gathered.continuous
        ],
        corpora=list(_corpora(board)),
        licences=[
            (name, told.get("summary", ""), told.get("licence", ""))
            for name, told in ((row.title, next(iter(row.cells.values())).result.provenance) for row in board.rows)
        ],
        bibtex="\n\n".join(_citations(cells)),
    )


def sizes_of(board: Board) -> tuple[Size, ...]:
    """Subset bias of a board; none for fewer than two tasks or extractors."""
    scores = subset_scores(board)
    if len(scores) < 2 or not 2 <= len(board.ranked) <= _MOST_TASKS:
        return ()
    return subset_bias(scores, board.ranked)


def _part(name: str) -> str:
    return (files("serab_core.report.html") / name).read_text(encoding="utf-8")


def _embedded(value: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


class _Kept:
    """Values that are said once, though many cells have them."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, value: Any) -> int:
        """Where the value is."""
        text = json.dumps(value, sort_keys=True)
        if text not in self._places:
            self._places[text] = len(self.values)
            self.values.append(value)
        return self._places[text]


def _cell_data(gathered: Gathered, cells: list[Cell]) -> dict[str, Any]:
    """What the page's script shows when a score is opened."""
    extractors, datasets, made = _Kept(), _Kept(), _Kept()
    rows = []
    for cell in cells:
        result, told = cell.result, cell.result.provenance
        labels = sorted(set(cell.test.truth.tolist()) | set(cell.test.predicted.tolist()))
        outcome = result.outcome(result.chosen)
        how = ("protocol", "seeds", "serab", "python", "libraries", "plugins", "machine")
        rows.append(
            {
                "name": gathered.title(result),
                "task": result.task,
                "accuracy": _reach(result.accuracy, cell.accuracy),
                "uar": _reach(result.uar, cell.uar),
                "macro_f1": cell.macro_f1,
                "chosen": outcome.title,
                "params": params_text(outcome.params),
                "counts": dict(result.counts),
                "cautions": list(result.cautions),
                "imported": result.imported,
                "key": result.key,
                "profile": _profile(result),
                "classifiers": [
                    {"title": own.title, "validation": own.validation, "accuracy": own.accuracy, "uar": own.uar}
                    for own in result.outcomes
                ],
                "labels": labels,
                "confusion": confusion(cell.test.truth, cell.test.predicted, labels).tolist(),
                "extractor": extractors.place({k: told.get(k, "") for k in ("summary", "licence", "fingerprint")}),
                "dataset": datasets.place({k: v for k, v in dict(told.get("dataset", {})).items() if k != "citation"}),
                "made": made.place({k: told.get(k, "") for k in how} | {"command": " ".join(told.get("command", ()))}),
            }
        )
    return {"cells": rows, "extractors": extractors.values, "datasets": datasets.values, "made": made.values}


def _profile(result: TaskResult) -> list[tuple[str, float]]:
    return list(result.profile["seconds"].items()) if result.profile else []


def _reach(value: float, interval: Any) -> dict[str, Any]:
    return {
        "value": value,
        "low": interval.low,
        "high": interval.high,
        "over": interval.over,
        "groups": interval.groups,
        "method": interval.method,
    }


def _sexes(board: Board, task: str) -> list[tuple[str, float, float]]:
    rows = []
    for row in board.rows:
        if task in row.cells:
            groups = {g.name: g.uar for g in by_sex(row.cells[task].test, row.cells[task].result.sexes)}
            if len(groups) == 2:
                rows.append((row.extractor, groups["f"], groups["m"]))
    return rows


def _corpora(board: Board) -> Iterator[dict[str, Any]]:
    """A card for each task, out of the first result on it."""
    for task in board.tasks:
        cell = next((row.cells[task] for row in board.rows if task in row.cells), None)
        if cell is None:
            continue
        result = cell.result
        told: Mapping[str, Any] = result.provenance.get("dataset", {})
        yield {
            "task": task,
            "title": told.get("title", task),
            "kind": "synthetic" if result.synthetic else "partial" if result.partial else "",
            "language": result.language,
            "counts": {split: result.counts.get(split, 0) for split in ("train", "validation", "test")},
            "speakers": len(set(result.speakers.values())),
            "labels": sorted(set(cell.test.truth.tolist())),
            "variant": result.variant,
            "licence": told.get("licence", ""),
            "digest": told.get("digest", ""),
        }


def _citations(cells: list[Cell]) -> list[str]:
    """BibTeX of extractors and corpora, each once."""
    found = [cell.result.provenance.get("citation", "") for cell in cells]
    found += [cell.result.provenance.get("dataset", {}).get("citation", "") for cell in cells]
    return [text for text in dict.fromkeys(found) if text]
