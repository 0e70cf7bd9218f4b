"""The leaderboard of one protocol: loading the results of a home, and output as JSON."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

from serab_core import plugins
from serab_core.data.protocols import SUITE, find_protocol
from serab_core.errors import PluginError, UnknownNameError, UsageError
from serab_core.report.cautions import mark
from serab_core.report.corpus import chance_on_test
from serab_core.report.folds import OneSplit, folds_document, one_split_results
from serab_core.report.notices import board_notices, left_out_notices, other_protocol
from serab_core.results.stored import installed_fingerprints, prepared_data, valid_results
from serab_core.score.board import Board, Cell, Row, Versus, make_board, shown_metrics
from serab_core.score.metrics import METRICS, RANKING_METRICS
from serab_core.score.probe import probe_score
from serab_core.score.seeds import seed_summary
from serab_core.store.identity import DataIdentity, Version, make_catalogue
from serab_core.store.jsonio import digest
from serab_core.store.results import best_known, conflicts
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.aggregate import Mean
    from serab_core.score.seeds import SeedSummary
    from serab_core.store.home import Home
    from serab_core.store.identity import Catalogue
    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class LeaderboardData:
    """The results of a home under one protocol, as a leaderboard.

    Attributes:
        board: the rows of the leaderboard, with means, groups and comparisons: of results that have its metric.
        notices: sentences that a reader must know, such as unreadable files, partial searches and imported results.
        continuous: the same for results on continuous targets, by CCC; without rows if there are none, or if `board`
            has them.
        asked: the extractors that the user named, by the labels of their rows; of several versions the ranked one.
        seeds: the scores of results under several seeds, by key, where results under other seeds are stored.
        conflicting: extractor and key of each result that shares both with another result of different content.
        one_split: for a protocol with folds, the results under the protocol with one split that it is compared to.
    """

    board: Board
    continuous: Board
    notices: tuple[str, ...]
    asked: tuple[str, ...] = ()
    conflicting: frozenset[tuple[str, str]] = frozenset()
    one_split: OneSplit = field(default_factory=dict)
    seeds: Mapping[str, SeedSummary] = field(default_factory=dict)

    def mark(self, result: TaskResult) -> str:
        """Return the signs after a score; `FOOTNOTES` explains them."""
        other_data = "" if self.board.catalogue.on_column(result) else "‡"
        return mark(result) + other_data + ("§" if (result.extractor, result.key) in self.conflicting else "")

    def title(self, result: TaskResult) -> str:
        """Return the title of the extractor of a result, as tables show it."""
        return self.board.catalogue.title(Version.of(result))

    @property
    def boards(self) -> tuple[Board, ...]:
        """The leaderboards that have results: of classes, and of continuous targets."""
        return tuple(board for board in (self.board, self.continuous) if board.rows or board.other_data)


def load_leaderboard(
    home: Home,
    protocol: str,
    extractors: Sequence[str] = (),
    tasks: Sequence[str] = (),
    *,
    metric: str | None = None,
) -> LeaderboardData:
    """Load the results of a home under one protocol as a leaderboard.

    Args:
        home: the home.
        protocol: the name of the protocol.
        extractors, tasks: the extractors and tasks to include; all by default. An extractor is given by its name, or by
            the label of a row.
        metric: the metric that ranks and compares extractors; by default UAR for a protocol that maximises it, else
            accuracy. With `ccc` the leaderboard is of continuous targets alone.

    Raises:
        UnknownNameError: there is no such protocol.
        UsageError: there is no such metric, no result, or no result of an extractor or task that is named.
    """
    spec = find_protocol(protocol)
    metric = metric or ("uar" if spec.objective == "uar" else "accuracy")
    if metric not in RANKING_METRICS:
        raise UsageError(f"unknown metric {metric!r}", next_step=f"use one of {', '.join(RANKING_METRICS)}")
    stored, errors = valid_results(home)
    everything = [entry.result for entry in stored]
    one_split = one_split_results(everything, spec)
    stored = [entry for entry in stored if entry.result.protocol == spec.name]
    known = [entry.result for entry in best_known(stored)]
    names = sorted({result.extractor for result in known})
    installed = installed_fingerprints(names)
    catalogue = make_catalogue(
        known,
        {name: digest(fingerprint) for name, fingerprint in installed.items()},
        prepared_data(home, {result.task for result in known}, spec.name),
    )
    wanted = [_versions_named(word, catalogue, names, spec.name, home) for word in extractors]
    versions = {version for group in wanted for version in group} or set(catalogue.labels)
    stored_tasks = sorted({name for r in known for name in (r.task, r.task.partition("/")[0])})
    tasks = [_known_name(word, "task", stored_tasks, spec.name, home) for word in tasks]
    selected = [
        result
        for result in known
        if Version.of(result) in versions and (not tasks or {result.task, result.task.partition("/")[0]} & set(tasks))
    ]
    if METRICS[metric].kind == "continuous":
        selected = [result for result in selected if metric in result.scores]
    if not selected:
        kind = "" if METRICS[metric].kind == "classes" else " on a continuous target"
        unusable = f" ({len(errors)} stored files cannot be used: {errors[0]})" if errors else ""
        raise UsageError(
            f"there is no result{kind} under protocol {spec.name}{unusable}",
            where=home.results,
            next_step=f"run {command('eval', 'mfcc-stats', 'chance', protocol=other_protocol(spec.name))}",
        )
    board = make_board(
        [r for r in selected if metric in r.scores], SUITE, spec.name, catalogue=catalogue, metric=metric
    )
    others = [] if METRICS[metric].kind == "continuous" else [r for r in selected if r.target is not None]
    continuous = make_board(others, SUITE, spec.name, catalogue=catalogue, metric="ccc")
    keys = {(result.extractor, result.key) for result in selected}
    groups = [group for group in conflicts(stored) if (group[0].result.extractor, group[0].result.key) in keys]
    boards = [shown for shown in (board, continuous) if shown.rows or shown.other_data]
    notices = (*board_notices(boards, installed, groups), *left_out_notices(errors))
    return LeaderboardData(
        board,
        continuous,
        notices,
        tuple(_asked(group, boards) for group in wanted),
        frozenset((group[0].result.extractor, group[0].result.key) for group in groups),
        one_split,
        {r.key: summary for r in selected if (summary := seed_summary(r, everything)) is not None},
    )


def class_board(data: LeaderboardData, statistic: str) -> Board:
    """Return the leaderboard of classes, for a statistic that continuous targets do not have.

    Raises:
        UsageError: there are only results on continuous targets.
    """
    board = data.board
    if METRICS[board.metric].kind == "classes" and (board.rows or board.other_data):
        return board
    raise UsageError(
        f"the selected results under protocol {board.protocol} are on continuous targets, which have no {statistic}",
        next_step="score a task with classes: "
        + command("eval", data.boards[0].rows[0].extractor, tasks="TASK", protocol=other_protocol(board.protocol)),
    )


def _versions_named(name: str, catalogue: Catalogue, names: Sequence[str], protocol: str, home: Home) -> list[Version]:
    """Return the versions of an extractor's name, current one first; for the label of a row, its version."""
    for version in catalogue.labels:
        if version.name != name and name in (catalogue.labels[version], catalogue.title(version)):
            return [version]
    return catalogue.versions_of(_known_name(name, "extractor", names, protocol, home))


def _asked(versions: Sequence[Version], boards: Sequence[Board]) -> str:
    """Return the label of the first version that has a row or, if none has, of the first with scores on other data."""
    labels = [boards[0].catalogue.labels[version] for version in versions]
    shown = (
        [row.extractor for board in boards for row in board.rows],
        [cell.extractor for board in boards for cell in board.other_data],
    )
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
    extractor, task = (name, "") if kind == "extractor" else ("X", name)
    raise UsageError(
        f"there is no result of {kind} {name!r} under protocol {protocol}",
        where=home.results,
        next_step=f"compute it with {command('eval', extractor, tasks=task, protocol=other_protocol(protocol))}",
        suggestions=get_close_matches(name, known, n=3, cutoff=0.5),
    )


def board_document(data: LeaderboardData) -> dict[str, Any]:
    """Return a leaderboard as a JSON document, `serab.leaderboard/2`."""
    return {
        "schema": "serab.leaderboard/2",
        "protocol": data.board.protocol,
        **_board_document(data.board, data.one_split),
        "continuous": _board_document(data.continuous, data.one_split),
        "notices": list(data.notices),
    }


def _board_document(board: Board, one_split: OneSplit) -> dict[str, Any]:
    return {
        "metric": board.metric,
        "tasks": list(board.tasks),
        "ranked_over": list(board.ranked),
        "suite": board.suite,
        "chance": {
            task: chance_on_test(tests[0].truth.tolist())
            for task in board.tasks
            if (tests := [row.cells[task].test for row in board.rows if task in row.cells]) and not tests[0].continuous
        },
        "rows": [_row_document(row, board, one_split) for row in board.rows],
        "other_data": [_other_data_document(cell, board.metric) for cell in board.other_data],
        "comparisons": [_versus_document(pair) for pair in board.versus],
    }


def _versus_document(pair: Versus) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "difference": pair.overall.difference,
        "interval": asdict(pair.overall.interval) if pair.overall.interval else None,
        "p": pair.overall.p,
        "p_holm": pair.corrected,
        "test": pair.overall.test,
    }


def _row_document(row: Row, board: Board, one_split: OneSplit) -> dict[str, Any]:
    def mean_document(mean: Mean) -> dict[str, Any]:
        return {"value": mean.value, "interval": asdict(mean.interval), "weights": dict(mean.weights)}

    return {
        "extractor": row.extractor,
        "name": row.version.name,
        "fingerprint": row.version.fingerprint,
        "current": row.current,
        "installed": row.version in board.catalogue.installed,
        "group": row.group,
        "letters": row.letters,
        "dim": next(iter(row.cells.values())).result.provenance.get("fingerprint", {}).get("dim"),
        "tasks": list(row.tasks),
        **{
            metric: {mean.kind: mean_document(mean) for mean in row.means(metric)}
            for metric in shown_metrics(board.metric, board.protocol)
        },
        "probe": row.probe(board.metric, board.ranked),
        "published_um": row.published.um if row.published else None,
        "scores": {
            task: _cell_document(cell, board.metric) | folds_document(cell.result, board.metric, one_split)
            for task, cell in row.cells.items()
        },
    }


def _cell_document(cell: Cell, metric: str) -> dict[str, Any]:
    result = cell.result
    return {
        **result.scores,
        **{f"{name}_interval": asdict(cell.interval(name)) for name in shown_metrics(metric, result.protocol)},
        "classes": {label: asdict(scores) for label, scores in cell.classes().items()},
        "target": result.target,
        "classifier": result.chosen,
        "probe": probe_score(result, metric),
        "test_utterances": result.counts["test"],
        "synthetic": result.synthetic,
        "partial": result.partial,
        "faulty": result.faulty,
        "imported": result.imported,
        "key": result.key,
        "dataset_digest": DataIdentity.of(result).digest,
    }


def _other_data_document(cell: Cell, metric: str) -> dict[str, Any]:
    version = Version.of(cell.result)
    return {
        "extractor": cell.extractor,
        "name": version.name,
        "fingerprint": version.fingerprint,
        "task": cell.result.task,
        "audio_digest": DataIdentity.of(cell.result).audio_digest,
        **_cell_document(cell, metric),
    }
