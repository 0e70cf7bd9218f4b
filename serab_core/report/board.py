"""Reads what a home holds of one protocol, and shows it as a leaderboard: a table, JSON, CSV or LaTeX."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from rich.markup import escape
from rich.text import Text

from serab_core import plugins
from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.data.protocols import SUITE, default_protocol, find_protocol
from serab_core.errors import PluginError, StoreError, UnknownNameError, UsageError
from serab_core.report.cautions import FOOTNOTES, footnotes, mark, split_statements, task_cautions
from serab_core.report.tables import continuous_table, percent, table
from serab_core.run.pace import paces
from serab_core.score.board import Board, Cell, Row, make_board
from serab_core.score.bootstrap import concordance_interval
from serab_core.score.published import SOURCE
from serab_core.store.results import best_known, searched_whole, stored_continuous, stored_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from serab_core.score.aggregate import Mean
    from serab_core.score.bootstrap import Interval
    from serab_core.store.home import Home
    from serab_core.store.results import Stored
    from serab_core.types import ContinuousResult

    Metric = Literal["accuracy", "uar"]

_MARKS = "".join(FOOTNOTES)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A home's results of one protocol, as a board.

    Attributes:
        stored: the results that it was made of.
        asked: the extractors that were asked for, by the names that their results carry.
        notices: what a reader must know: files that cannot be read, searches that were not whole, imported results.
        continuous: results on continuous targets, which nothing else is made of.
        speeds: seconds of audio embedded in a second by one worker here, by extractor, where that is known.
    """

    board: Board
    stored: tuple[Stored, ...]
    notices: tuple[str, ...]
    continuous: tuple[ContinuousResult, ...] = ()
    speeds: Mapping[str, float] = field(default_factory=dict)
    asked: tuple[str, ...] = ()


def gather(home: Home, protocol: str, extractors: Sequence[str] = (), tasks: Sequence[str] = ()) -> Gathered:
    """Puts together what a home holds.

    Args:
        home: the home.
        protocol: its name.
        extractors, tasks: only these; all by default.

    Raises:
        UnknownNameError: there is no such protocol.
        UsageError: nothing is stored of it, or of an extractor or task that was named.
    """
    spec = find_protocol(protocol)
    everything, errors = stored_results(home)
    kept = [one for one in best_known(everything) if one.result.protocol == spec.name]
    extractors = [_named(name, "extractor", kept, spec.name, home) for name in extractors]
    tasks = [_named(name, "task", kept, spec.name, home) for name in tasks]
    kept = [
        one
        for one in kept
        if (not extractors or one.result.extractor in extractors) and (not tasks or one.result.task in tasks)
    ]
    if not kept:
        raise UsageError(
            f"there is no result under protocol {spec.name}",
            where=home.results,
            next_step=f"serab eval mfcc-stats chance{_under(spec.name)}",
        )
    board = make_board([one.result for one in kept], SUITE, spec.name)
    continuous = tuple(
        own
        for own in stored_continuous(home, spec.name)
        if (not extractors or own.extractor in extractors) and (not tasks or own.task.partition("/")[0] in tasks)
    )
    speeds = paces(home, [row.extractor for row in board.rows])
    notices = (*_notices(board, kept, continuous), *_left_out(errors))
    return Gathered(board, tuple(kept), notices, continuous, speeds, tuple(extractors))


def _named(word: str, what: Literal["extractor", "task"], kept: Sequence[Stored], protocol: str, home: Home) -> str:
    """The name that results carry, of a word that may be short for it, as `byol-s` is for `byol-s/2048`.

    Raises:
        UsageError: there is no result of it.
    """
    known = sorted({str(getattr(one.result, what)) for one in kept})
    if word not in known and what == "extractor":
        with suppress(UnknownNameError, PluginError):
            word = plugins.extractor(word).name
    if word in known:
        return word
    near = get_close_matches(word, known, n=3, cutoff=0.5)
    raise UsageError(
        f"there is no result of {what} {word!r} under protocol {protocol}",
        where=home.results,
        next_step=(f"nearest: {', '.join(near)}; or " if near else "")
        + (f"serab eval {word}" if what == "extractor" else f"serab eval X --tasks {word}")
        + _under(protocol),
    )


def _under(protocol: str) -> str:
    """What a command line needs for this protocol."""
    return "" if protocol == default_protocol() else f" --protocol {protocol}"


def _left_out(errors: Sequence[StoreError]) -> list[str]:
    """Files that cannot be read, the first few by name."""
    told = [f"Left out: {error}" for error in errors[:2]]
    return [*told, f"Left out likewise: {len(errors) - 2} files more."] if len(errors) > 2 else told


def _notices(board: Board, kept: Sequence[Stored], continuous: Sequence[ContinuousResult]) -> list[str]:
    protocol = find_protocol(board.protocol)
    told = [f"Protocol {protocol.name}: {protocol.summary}."]
    told += [f"Caution: {protocol.caution}."] if protocol.caution else []
    results = [one.result for one in kept]
    told += split_statements((*results, *continuous))
    told += task_cautions((*results, *continuous), (protocol.caution, SYNTHETIC, PARTIAL))
    few = sorted(
        {cell.result.task for row in board.rows for cell in row.cells.values() if cell.draws.over != "speakers"}
    )
    if few:
        told.append(
            f"Intervals of {', '.join(few)} are over utterances, for there are too few test speakers: "
            "they do not show how speakers differ."
        )
    left = sorted(
        {f"{r.task} ({'synthetic' if r.synthetic else 'partial'})" for r in results if r.synthetic or r.partial}
    )
    if left:
        told.append(f"In no mean: {', '.join(left)}.")
    told += [f"{text}." for text in footnotes((*results, *continuous))]
    for result in results:
        if not searched_whole(result):
            names = ", ".join(result.provenance.get("protocol", {}).get("classifiers", ()))
            told.append(f"{result.extractor} on {result.task} was not searched as the protocol has it: {names}.")
        if result.imported:
            told.append(f"{result.extractor} on {result.task} is imported: {result.imported}.")
    if any(row.group is None for row in board.rows):
        those = board.ranked[0] if len(board.ranked) == 1 else f"one of {', '.join(board.ranked)}"
        told.append(f"Without a group: extractors that have no result on {those}.")
    if any(row.published for row in board.rows):
        told.append(f"Paper: {SOURCE}.")
    return told


def print_board(console: Console, gathered: Gathered, metric: Metric, *, every_task: bool) -> None:
    """Prints a leaderboard: the means, and each task's score where there is room."""
    board = gathered.board
    label = "Acc. %" if metric == "accuracy" else "UAR %"
    tasks = (
        list(board.tasks) if every_task or console.width >= 62 + 9 * len(board.tasks) or not _has_means(board) else []
    )
    paper = ["Paper, 9 tasks"] if any(row.published for row in board.rows) and metric == "accuracy" else []
    heads = ["Group", "Extractor", *(["UM", "95 %", "Tasks"] if _has_means(board) else []), *tasks, *paper]
    made = table(
        *heads, right=[head for head in heads if head not in ("Extractor", "95 %")], title=f"{label}, {board.protocol}"
    )
    for row in board.rows:
        um = next(iter(getattr(row, metric)), None)
        cells = [str(row.group or "-"), escape(row.extractor)]
        if _has_means(board):
            cells += [
                percent(um.value) if um else "-",
                _reach(um.interval if um else None),
                f"{len(row.tasks)} of {board.suite}",
            ]
        cells += [_score(row.cells.get(task), metric) for task in tasks]
        if paper:
            cells.append(percent(row.published.um) if row.published else "")
        made.add_row(*cells)
    console.print(made)
    if gathered.continuous:
        console.print(continuous_table(gathered.continuous))
    for notice in gathered.notices:
        console.print(Text(notice, style="dim"), soft_wrap=False)


def board_document(gathered: Gathered) -> dict[str, Any]:
    """A leaderboard as plain values, `serab.leaderboard/1`."""
    board = gathered.board
    return {
        "schema": "serab.leaderboard/1",
        "protocol": board.protocol,
        "tasks": list(board.tasks),
        "ranked_over": list(board.ranked),
        "suite": board.suite,
        "rows": [_row_document(row) for row in board.rows],
        "comparisons": [
            {
                "first": one.first,
                "second": one.second,
                "difference": one.overall.difference,
                "interval": asdict(one.overall.interval),
                "p": one.overall.p,
                "p_holm": one.corrected,
            }
            for one in board.versus
        ],
        "continuous": [continuous_document(own) for own in gathered.continuous],
        "notices": list(gathered.notices),
    }


def continuous_document(result: ContinuousResult) -> dict[str, Any]:
    """A score on a continuous target as plain values."""
    return {
        "extractor": result.extractor,
        "task": result.task,
        "target": result.target,
        "scores": dict(result.scores),
        "ccc_interval": asdict(concordance_interval(result)),
        "regressor": result.outcome(result.chosen).title,
        "synthetic": result.synthetic,
        "partial": result.partial,
        "faulty": result.faulty,
        "key": result.key,
    }


def _row_document(row: Row) -> dict[str, Any]:
    def mean(own: Mean) -> dict[str, Any]:
        return {"value": own.value, "interval": asdict(own.interval), "weights": dict(own.weights)}

    return {
        "extractor": row.extractor,
        "group": row.group,
        "tasks": list(row.tasks),
        "accuracy": {own.kind: mean(own) for own in row.accuracy},
        "uar": {own.kind: mean(own) for own in row.uar},
        "published_um": row.published.um if row.published else None,
        "scores": {
            task: {
                "accuracy": cell.result.accuracy,
                "accuracy_interval": asdict(cell.accuracy),
                "uar": cell.result.uar,
                "uar_interval": asdict(cell.uar),
                "macro_f1": cell.macro_f1,
                "classifier": cell.result.chosen,
                "test_utterances": cell.result.counts["test"],
                "synthetic": cell.result.synthetic,
                "partial": cell.result.partial,
                "faulty": cell.result.faulty,
                "imported": cell.result.imported,
                "key": cell.result.key,
            }
            for task, cell in row.cells.items()
        },
    }


def board_rows(board: Board, metric: Metric, *, marked: bool = False) -> list[list[str]]:
    """A leaderboard as rows of text, the head first: what CSV and LaTeX are made of.

    Args:
        board: the leaderboard.
        metric: the scores to show.
        marked: put the signs of `FOOTNOTES` beside scores, for readers; without it, two columns at the end of each row
            name the tasks with a fault and the cautions, for programs.
    """
    head = ["group", "extractor", "UM", "UM low", "UM high", "WM", "GM", "tasks", *board.tasks]
    head += [] if marked else ["faulty tasks", "cautions"]
    rows = [head]
    for row in board.rows:
        found = {own.kind: own for own in getattr(row, metric)}
        um = found.get("UM")
        numbers = [percent(um.value), percent(um.interval.low), percent(um.interval.high)] if um else ["", "", ""]
        others = [percent(found[kind].value) if kind in found else "" for kind in ("WM", "GM")]
        scores = [_score(row.cells.get(task), metric, marked=marked) for task in board.tasks]
        if not marked:
            results = [row.cells[task].result for task in board.tasks if task in row.cells]
            scores += ["; ".join(r.task for r in results if r.faulty), " ".join(task_cautions(results))]
        rows.append(
            [str(row.group or ""), row.extractor, *numbers, *others, f"{len(row.tasks)}/{board.suite}", *scores]
        )
    return rows


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Rows as CSV, percent with one decimal."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def as_latex(rows: Sequence[Sequence[str]], notices: Sequence[str] = ()) -> str:
    """Rows as a LaTeX table of booktabs, the best of each column in bold; notices follow as comments."""
    head, *body = rows
    best = []
    for column in range(len(head)):
        values = [row[column].rstrip(_MARKS) for row in body]
        numbers = [value for value in values if value.replace(".", "", 1).isdigit()]
        best.append(max(numbers, key=float) if numbers and head[column] not in ("group", "UM low", "UM high") else None)
    lines = [rf"\begin{{tabular}}{{rl{'r' * (len(head) - 2)}}}", r"\toprule", _latex_row(head), r"\midrule"]
    for row in body:
        cells = [
            rf"\textbf{{{_tex(cell)}}}" if cell and cell.rstrip(_MARKS) == top else _tex(cell)
            for cell, top in zip(row, best, strict=True)
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", *(f"% {' '.join(n.split())}" for n in notices), ""])


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_tex(cell) for cell in cells) + r" \\"


def _tex(text: str) -> str:
    """Words with LaTeX's own characters escaped."""
    special = {"†": r"$^{\dagger}$", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in text)


def _has_means(board: Board) -> bool:
    return any(row.accuracy for row in board.rows)


def _reach(interval: Interval | None) -> str:
    return "" if interval is None else f"{percent(interval.low)}-{percent(interval.high)}"


def _score(cell: Cell | None, metric: Metric, *, marked: bool = True) -> str:
    if cell is None:
        return ""
    return percent(getattr(cell.result, metric)) + (mark(cell.result) if marked else "")
