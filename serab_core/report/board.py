"""The leaderboard of one protocol: loading the results of a home, and output as JSON, CSV and LaTeX."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from serab_core import plugins
from serab_core.data.protocols import SUITE, find_protocol
from serab_core.errors import PluginError, UnknownNameError, UsageError
from serab_core.report.cautions import FOOTNOTES, mark, task_cautions
from serab_core.report.notices import board_notices, left_out_notices, protocol_option
from serab_core.report.tables import percent
from serab_core.results.stored import installed_fingerprints, prepared_data, valid_continuous, valid_results
from serab_core.run.throughput import read_throughputs
from serab_core.score.board import Board, Cell, Row, make_board
from serab_core.score.bootstrap import concordance_interval
from serab_core.store.identity import DataIdentity, Version, make_catalogue
from serab_core.store.jsonio import digest
from serab_core.store.results import best_known, conflicts
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.aggregate import Mean
    from serab_core.store.home import Home
    from serab_core.store.identity import Catalogue
    from serab_core.types import ContinuousResult, TaskResult

    Metric = Literal["accuracy", "uar"]

_MARKS = "".join(FOOTNOTES)
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class LeaderboardData:
    """The results of a home under one protocol, as a leaderboard.

    Attributes:
        board: the rows of the leaderboard, with means, groups and comparisons.
        notices: sentences that a reader must know, such as unreadable files, partial searches and imported results.
        continuous: results on continuous targets; they enter no mean and no comparison.
        speeds: measured throughput by extractor: seconds of audio that one worker embeds per second on this machine.
        asked: the extractors that the user named, by the labels of their rows; of several versions the ranked one.
        conflicting: extractor and key of each result that shares both with another result of different content.
    """

    board: Board
    notices: tuple[str, ...]
    continuous: tuple[ContinuousResult, ...] = ()
    speeds: Mapping[str, float] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    conflicting: frozenset[tuple[str, str]] = frozenset()

    def mark(self, result: TaskResult | ContinuousResult) -> str:
        """Return the signs after a score; `FOOTNOTES` explains them."""
        other_data = "" if self.board.catalogue.on_column(result) else "‡"
        return mark(result) + other_data + ("§" if (result.extractor, result.key) in self.conflicting else "")

    def title(self, result: TaskResult | ContinuousResult) -> str:
        """Return the title of the extractor of a result, as tables show it."""
        return self.board.catalogue.title(Version.of(result))


def load_leaderboard(
    home: Home,
    protocol: str,
    extractors: Sequence[str] = (),
    tasks: Sequence[str] = (),
    *,
    metric: Metric | None = None,
    continuous_alone: bool = False,
) -> LeaderboardData:
    """Load the results of a home under one protocol as a leaderboard.

    Args:
        home: the home.
        protocol: the name of the protocol.
        extractors, tasks: the extractors and tasks to include; all by default. An extractor is given by its name, or by
            the label of a row.
        metric: the metric that ranks and compares extractors; by default UAR for a protocol that maximises it, else
            accuracy.
        continuous_alone: whether results on continuous targets are sufficient.

    Raises:
        UnknownNameError: there is no such protocol.
        UsageError: there is no result under the protocol, of a named extractor, or on a named task; or there are only
            results on continuous targets and these are not sufficient.
    """
    spec = find_protocol(protocol)
    stored, errors = valid_results(home)
    stored_continuous, more_errors = valid_continuous(home)
    stored = [entry for entry in stored if entry.result.protocol == spec.name]
    known = [entry.result for entry in best_known(stored)]
    continuous = [entry.result for entry in best_known(e for e in stored_continuous if e.result.protocol == spec.name)]
    everything: list[TaskResult | ContinuousResult] = [*known, *continuous]
    installed = installed_fingerprints({result.extractor for result in everything})
    catalogue = make_catalogue(
        everything,
        {name: digest(fingerprint) for name, fingerprint in installed.items()},
        prepared_data(home, {result.task for result in everything}, spec.name),
    )
    names = sorted({result.extractor for result in everything})
    wanted = [_versions_named(word, catalogue, names, spec.name, home) for word in extractors]
    versions = {version for group in wanted for version in group} or set(catalogue.labels)
    stored_tasks = sorted({name for r in everything for name in (r.task, r.task.partition("/")[0])})
    tasks = [_known_name(word, "task", stored_tasks, spec.name, home) for word in tasks]
    selected = [r for r in known if Version.of(r) in versions and (not tasks or r.task in tasks)]
    shown = [
        result
        for result in sorted(continuous, key=lambda r: (r.extractor, r.task, not catalogue.on_column(r)))
        if Version.of(result) in versions and (not tasks or {result.task, result.task.partition("/")[0]} & set(tasks))
    ]
    if not selected and not shown:
        raise UsageError(
            f"there is no result under protocol {spec.name}",
            where=home.results,
            next_step=f"run serab eval mfcc-stats chance{protocol_option(spec.name)}",
        )
    if not selected and not continuous_alone:
        raise UsageError(
            f"all selected results under protocol {spec.name} are on continuous targets, which only "
            "`serab leaderboard` and `serab report` show",
            where=home.results,
            next_step="run serab leaderboard; or score a task with classes: "
            f"serab eval {shown[0].extractor} --tasks TASK{protocol_option(spec.name)}",
        )
    metric = metric or ("uar" if spec.objective == "uar" else "accuracy")
    board = make_board(selected, SUITE, spec.name, catalogue=catalogue, metric=metric)
    keys = {(result.extractor, result.key) for result in selected}
    groups = [group for group in conflicts(stored) if (group[0].result.extractor, group[0].result.key) in keys]
    notices = (*board_notices(board, shown, installed, groups), *left_out_notices([*errors, *more_errors]))
    speeds = read_throughputs(home, [row.version.name for row in board.rows if row.current])
    return LeaderboardData(
        board,
        notices,
        tuple(shown),
        {row.extractor: speeds[row.version.name] for row in board.rows if row.current and row.version.name in speeds},
        tuple(_asked(group, board) for group in wanted),
        frozenset((group[0].result.extractor, group[0].result.key) for group in groups),
    )


def _versions_named(name: str, catalogue: Catalogue, names: Sequence[str], protocol: str, home: Home) -> list[Version]:
    """Return the versions of an extractor's name, current one first; for the label of a row, its version."""
    for version in catalogue.labels:
        if version.name != name and name in (catalogue.labels[version], catalogue.title(version)):
            return [version]
    return catalogue.versions_of(_known_name(name, "extractor", names, protocol, home))


def _asked(versions: Sequence[Version], board: Board) -> str:
    """Return the label of the first version that has a row or, if none has, of the first with scores on other data."""
    labels = [board.catalogue.labels[version] for version in versions]
    shown = [row.extractor for row in board.rows], [cell.extractor for cell in board.other_data]
    return next((label for group in shown for label in labels if label in group), labels[0])


def _known_name(name: str, kind: Literal["extractor", "task"], known: Sequence[str], protocol: str, home: Home) -> str:
    """Return the name that results have, for a name that may be a short form, as `byol-s` for `byol-s/2048`.

    Raises:
        UsageError: there is no result of that name.
    """
    if name not in known and kind == "extractor":
        with suppress(UnknownNameError, UsageError, PluginError):
            name = plugins.canonical_name(name)
            name = name if name in known else plugins.extractor(name).name
    if name in known:
        return name
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    raise UsageError(
        f"there is no result of {kind} {name!r} under protocol {protocol}",
        where=home.results,
        next_step=(f"did you mean {', '.join(near)}? Or run " if near else "run ")
        + (f"serab eval {name}" if kind == "extractor" else f"serab eval X --tasks {name}")
        + protocol_option(protocol),
    )


def board_document(data: LeaderboardData) -> dict[str, Any]:
    """Return a leaderboard as a JSON document, `serab.leaderboard/1`."""
    board = data.board
    return {
        "schema": "serab.leaderboard/1",
        "protocol": board.protocol,
        "metric": board.metric,
        "tasks": list(board.tasks),
        "ranked_over": list(board.ranked),
        "suite": board.suite,
        "rows": [_row_document(row, board.catalogue) for row in board.rows],
        "other_data": [_other_data_document(cell) for cell in board.other_data],
        "comparisons": [
            {
                "first": pair.first,
                "second": pair.second,
                "difference": pair.overall.difference,
                "interval": asdict(pair.overall.interval) if pair.overall.interval else None,
                "p": pair.overall.p,
                "p_holm": pair.corrected,
                "test": pair.overall.test,
            }
            for pair in board.versus
        ],
        "continuous": [continuous_document(data, result) for result in data.continuous],
        "notices": list(data.notices),
    }


def continuous_document(data: LeaderboardData, result: ContinuousResult) -> dict[str, Any]:
    """Return a score on a continuous target as a JSON object."""
    catalogue, version = data.board.catalogue, Version.of(result)
    return {
        "extractor": catalogue.labels[version],
        "name": version.name,
        "fingerprint": version.fingerprint,
        "other_data": not catalogue.on_column(result),
        "dataset_digest": DataIdentity.of(result).digest,
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


def _row_document(row: Row, catalogue: Catalogue) -> dict[str, Any]:
    def mean_document(mean: Mean) -> dict[str, Any]:
        return {"value": mean.value, "interval": asdict(mean.interval), "weights": dict(mean.weights)}

    return {
        "extractor": row.extractor,
        "name": row.version.name,
        "fingerprint": row.version.fingerprint,
        "current": row.current,
        "installed": row.version in catalogue.installed,
        "group": row.group,
        "letters": row.letters,
        "tasks": list(row.tasks),
        "accuracy": {mean.kind: mean_document(mean) for mean in row.accuracy},
        "uar": {mean.kind: mean_document(mean) for mean in row.uar},
        "published_um": row.published.um if row.published else None,
        "scores": {task: _cell_document(cell) for task, cell in row.cells.items()},
    }


def _cell_document(cell: Cell) -> dict[str, Any]:
    result = cell.result
    return {
        "accuracy": result.accuracy,
        "accuracy_interval": asdict(cell.accuracy),
        "uar": result.uar,
        "uar_interval": asdict(cell.uar),
        "macro_f1": cell.macro_f1,
        "classifier": result.chosen,
        "test_utterances": result.counts["test"],
        "synthetic": result.synthetic,
        "partial": result.partial,
        "faulty": result.faulty,
        "imported": result.imported,
        "key": result.key,
        "dataset_digest": DataIdentity.of(result).digest,
    }


def _other_data_document(cell: Cell) -> dict[str, Any]:
    version = Version.of(cell.result)
    return {
        "extractor": cell.extractor,
        "name": version.name,
        "fingerprint": version.fingerprint,
        "task": cell.result.task,
        "audio_digest": DataIdentity.of(cell.result).audio_digest,
        **_cell_document(cell),
    }


def board_rows(board: Board, metric: Metric, *, marked: bool = False) -> list[list[str]]:
    """Return a leaderboard as rows of text, head first, for CSV and LaTeX.

    Args:
        board: the leaderboard.
        metric: the metric of the scores.
        marked: for readers, put the signs of `FOOTNOTES` after scores. Otherwise, for programs, add three columns: the
            letters of significant differences, the tasks with a fault, and the cautions.
    """
    head = [
        "group",
        "extractor",
        "UM",
        "UM low",
        "UM high",
        "WM",
        "GM",
        "tasks",
        *board.tasks,
    ]
    head += [] if marked else ["letters", "faulty tasks", "cautions"]
    rows = [head]
    for row in board.rows:
        means = {mean.kind: mean for mean in getattr(row, metric)}
        um = means.get("UM")
        numbers = [percent(um.value), percent(um.interval.low), percent(um.interval.high)] if um else ["", "", ""]
        others = [percent(means[kind].value) if kind in means else "" for kind in ("WM", "GM")]
        scores = [_score(row.cells.get(task), metric, marked=marked) for task in board.tasks]
        if not marked:
            results = [row.cells[task].result for task in board.tasks if task in row.cells]
            scores += [row.letters, "; ".join(r.task for r in results if r.faulty), " ".join(task_cautions(results))]
        rows.append(
            [
                str(row.group or ""),
                row.extractor,
                *numbers,
                *others,
                f"{len(row.tasks)}/{board.suite}",
                *scores,
            ]
        )
    return rows


def as_latex(rows: Sequence[Sequence[str]], notices: Sequence[str] = ()) -> str:
    """Return rows as a LaTeX table for booktabs, with the best score of each column in bold, and notices as comments.

    Args:
        rows: what `board_rows` returned.
        notices: sentences.
    """
    head, *body = rows
    best = []
    for column in range(len(head)):
        values = [row[column].rstrip(_MARKS) for row in body]
        numbers = [value for value in values if _NUMBER.fullmatch(value)] if column > 1 else []
        best.append(max(numbers, key=float) if numbers and head[column] not in ("group", "UM low", "UM high") else None)
    lines = [rf"\begin{{tabular}}{{rl{'r' * (len(head) - 2)}}}", r"\toprule", _latex_row(head), r"\midrule"]
    for row in body:
        cells = [
            rf"\textbf{{{_tex(cell)}}}" if cell and cell.rstrip(_MARKS) == top else _tex(cell)
            for cell, top in zip(row, best, strict=True)
        ]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join(
        [*lines, r"\bottomrule", r"\end{tabular}", *(f"% {escape_line(' '.join(n.split()))}" for n in notices), ""]
    )


def _latex_row(cells: Sequence[str]) -> str:
    return " & ".join(_tex(cell) for cell in cells) + r" \\"


def _tex(text: str) -> str:
    """Escape the special characters of LaTeX."""
    special = {"†": r"$^{\dagger}$", "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(special.get(c, f"\\{c}" if c in "&%$#_{}" else c) for c in escape_line(text))


def _score(cell: Cell | None, metric: Metric, *, marked: bool) -> str:
    if cell is None:
        return ""
    return percent(getattr(cell.result, metric)) + (mark(cell.result) if marked else "")
