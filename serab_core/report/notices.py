"""The notices of a leaderboard: sentences that a reader of its scores must know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.data.protocols import default_protocol, find_protocol
from serab_core.report.board_text import has_probe
from serab_core.report.cautions import (
    few_speakers_statement,
    footnotes,
    probe_statement,
    recall_statements,
    shared_statements,
    split_statements,
    task_cautions,
)
from serab_core.score.aggregate import enters
from serab_core.score.metrics import METRICS
from serab_core.score.outcome import main_score_text
from serab_core.score.published import SOURCE
from serab_core.store.identity import SHORT, DataIdentity, Version
from serab_core.store.results import searched_whole
from serab_core.system.hints import command
from serab_core.system.text import list_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.errors import StoreError
    from serab_core.score.board import Board
    from serab_core.store.identity import Catalogue
    from serab_core.store.results import Stored
    from serab_core.types import TaskResult

_SHOWN = 3  # results that a sentence names before it counts the others


def board_notices(
    boards: Sequence[Board], installed: Mapping[str, Mapping[str, Any]], conflicting: Sequence[Sequence[Stored]]
) -> list[str]:
    """Return the notices of the leaderboards of one protocol, which are shown together.

    Args:
        boards: the leaderboards: of classes, and of continuous targets. They have one catalogue.
        installed: fingerprints of extractors that are installed here.
        conflicting: groups of results that share a key and differ in their content.
    """
    protocol, catalogue = find_protocol(boards[0].protocol), boards[0].catalogue
    rows = [row for board in boards for row in board.rows]
    cells = [cell for row in rows for cell in row.cells.values()]
    everything = [cell.result for cell in (*cells, *(cell for board in boards for cell in board.other_data))]
    lines = [f"Protocol {protocol.name}: {protocol.summary}."]
    lines += [f"Caution: {protocol.caution}."] if protocol.caution else []
    classes = [result for result in everything if result.target is None]
    lines += recall_statements((catalogue.labels[Version.of(result)], result) for result in classes)
    lines += split_statements(everything)
    lines += task_cautions(everything, (protocol.caution, SYNTHETIC, PARTIAL))
    lines += few_speakers_statement({(cell.result.task, cell.draws.groups, cell.draws.method) for cell in cells})
    lines += [line for board in boards for line in _test_notices(board)]
    excluded = sorted({f"{r.task} ({_exclusion(r)})" for r in everything if r.target is None and not enters(r)})
    lines += [probe_statement(board.metric) for board in boards if has_probe(board)]
    lines += [f"In no mean: {', '.join(excluded)}."] if excluded else []
    has_other_data = any(not catalogue.on_column(result) for result in everything)
    signs = ("‡" if has_other_data else "") + ("§" if conflicting else "")
    lines += [f"{text}." for text in footnotes(everything, signs)]
    lines += _search_notices(everything, catalogue)
    lines += version_notices(everything, catalogue, installed, protocol.name)
    lines += classifier_notices(everything, catalogue)
    lines += data_notices(everything, catalogue, protocol.name)
    lines += conflict_notices(conflicting, catalogue)
    for board in boards:
        if any(row.group is None and row.current for row in board.rows):
            tasks = board.ranked[0] if len(board.ranked) == 1 else f"one of {', '.join(board.ranked)}"
            lines.append(f"Without a group: extractors that have no result on {tasks}.")
    lines += [f"Paper: {SOURCE}."] if any(row.published for row in rows) else []
    return lines


def _exclusion(result: TaskResult) -> str:
    """Return the reason why a result is in no mean."""
    return "synthetic" if result.synthetic else "partial" if result.partial else "another split variant"


def _test_notices(board: Board) -> list[str]:
    """Return the notice on how differences were tested, and on the meaning of groups."""
    if not board.versus:
        return []
    name = METRICS[board.metric].title
    tests = sorted({pair.overall.test for pair in board.versus if pair.corrected is not None})
    if not tests:
        return [
            f"Ranked by {name}. No difference is tested, because there are too few test speakers: all extractors are "
            "in one group."
        ]
    letters = " Two extractors share a letter if their difference is not significant." if _has_letters(board) else ""
    return [
        f"Ranked by {name}. The difference of an extractor from the first of its group is not significant ({tests[0]}, "
        f"p corrected for {len(board.versus)} pair{'s' if len(board.versus) > 1 else ''} after Holm).{letters}"
    ]


def _has_letters(board: Board) -> bool:
    return any(len(row.letters) > 1 for row in board.rows)


def _search_notices(results: Sequence[TaskResult], catalogue: Catalogue) -> list[str]:
    labels = catalogue.labels
    partly = [
        (labels[Version.of(r)], r.task, ", ".join(r.provenance.get("protocol", {}).get("classifiers", ())))
        for r in results
        if not searched_whole(r)
    ]
    imported = [(labels[Version.of(r)], r.task, r.imported) for r in results if r.imported]
    searched = "not searched as the protocol defines"
    return [
        *shared_statements(partly, f"was {searched}", f"were {searched}"),
        *shared_statements(imported, "is imported", "are imported"),
    ]


def version_notices(
    results: Sequence[TaskResult],
    catalogue: Catalogue,
    installed: Mapping[str, Mapping[str, Any]],
    protocol: str,
) -> list[str]:
    """Return notices on extractors whose results are not only of the installed version."""
    shown: dict[Version, TaskResult] = {}
    for result in results:
        shown.setdefault(Version.of(result), result)
    lines = []
    outdated: dict[tuple[str, ...], list[str]] = {}
    for name in sorted({version.name for version in shown}):
        versions = catalogue.versions_of(name)
        latest = installed.get(name)
        if len(versions) > 1:
            first = shown.get(versions[0])
            compared = latest or (first.provenance.get("fingerprint") if first else None)
            texts = [_version_text(v, shown[v], compared, catalogue) for v in versions if v in shown]
            lines.append(
                f"{name} is stored in {len(versions)} versions. Each version has its own row, one version is ranked, "
                f"and no mean mixes versions: {'; '.join(texts)}."
            )
        if latest is not None and not any(version in catalogue.installed for version in versions):
            evaluated = next(shown[version] for version in versions if version in shown)
            keys = _differing_keys(evaluated, latest)
            if keys:
                outdated.setdefault(tuple(keys), []).append(name)
    for differing, names in outdated.items():
        lines.append(
            f"{', '.join(names)}: the installed version differs from the scored version in {', '.join(differing)}: "
            f"{command('eval', *names, protocol=other_protocol(protocol))} scores the installed version."
        )
    return lines


def classifier_notices(results: Sequence[TaskResult], catalogue: Catalogue) -> list[str]:
    """Return a notice for each classifier with results of different code, whose scores are not comparable."""
    codes: dict[str, dict[tuple[str, str, str], list[str]]] = {}
    for result in results:
        code = result.provenance.get("classifier_code", {}).get(result.chosen)
        if isinstance(code, dict):
            key = tuple(str(code.get(part, "")) for part in ("distribution", "version", "digest"))
            place = f"{catalogue.labels[Version.of(result)]} on {result.task}"
            codes.setdefault(result.chosen, {}).setdefault(key, []).append(place)  # type: ignore[arg-type]
    return [
        f"Classifier {name}: these scores come from {len(versions)} versions of its code: "
        f"{'; '.join(_code_text(key, places) for key, places in versions.items())}. An evaluation of the "
        "same extractors and tasks computes all of them with the installed version."
        for name, versions in sorted(codes.items())
        if len(versions) > 1
    ]


def _code_text(key: tuple[str, str, str], places: Sequence[str]) -> str:
    distribution, version, digest = key
    label = " ".join(filter(None, (distribution, version))) or "unknown distribution"
    return f"{label} ({digest[:SHORT] or 'code not recorded'}) for {list_names(places, _SHOWN)}"


def _version_text(
    version: Version, result: TaskResult, compared: Mapping[str, Any] | None, catalogue: Catalogue
) -> str:
    fingerprint = result.provenance.get("fingerprint") or {}
    details = [f"version {fingerprint['version']}"] if fingerprint.get("version") else []
    if version in catalogue.installed:
        details.append("installed here")
    elif version in catalogue.current:
        details.append("the newest")
    different = _differing_keys(result, compared) if compared else []
    details += [f"differs in {', '.join(different)}"] if different else []
    details += ["" if version in catalogue.current else "not ranked"]
    return f"{version.fingerprint[:SHORT] or 'not recorded'} ({', '.join(filter(None, details))})"


def _differing_keys(result: TaskResult, other: Mapping[str, Any]) -> list[str]:
    """Return the keys in which the fingerprint of a result differs from another one."""
    fingerprint = result.provenance.get("fingerprint") or {}
    if not fingerprint:
        return []
    absent = object()
    keys = sorted({*fingerprint, *other})
    return [key for key in keys if _plain(fingerprint.get(key, absent)) != _plain(other.get(key, absent))]


def _plain(value: Any) -> Any:
    """Return a value in the types of JSON: lists in place of tuples."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def data_notices(results: Sequence[TaskResult], catalogue: Catalogue, protocol: str) -> list[str]:
    """Return notices on results on other data than their column, and on columns that are not on the prepared data."""
    lines = []
    for task in sorted({result.task for result in results}):
        column, here = catalogue.columns[task], catalogue.prepared.get(task)
        others = [r for r in results if r.task == task and not catalogue.on_column(r)]
        is_prepared = here is not None and column.matches(here)
        evaluation = command("eval", "X", tasks=task, protocol=other_protocol(protocol))
        if others:
            origin = "that are prepared here" if is_prepared else "that most results are on"
            names = ", ".join(
                dict.fromkeys(f"{catalogue.labels[Version.of(r)]} ({_data_text(r, column)})" for r in others)
            )
            advice = f" {evaluation} scores an extractor on the prepared data." if here is not None else ""
            lines.append(
                f"{task}: its column holds scores on the data {origin} (digest {column.short}). "
                f"Scores on other data are shown separately, in no mean and not ranked: {names}.{advice}"
            )
        if here is not None and not is_prepared:
            difference = f"digest {here.short}" if here.digest != column.digest else "other audio"
            lines.append(
                f"{task}: no result is on the corpus that is prepared here ({difference}); the column is on other data "
                f"(digest {column.short}). {evaluation} scores an extractor on the prepared data."
            )
    return lines


def _data_text(result: TaskResult, column: DataIdentity) -> str:
    data = DataIdentity.of(result)
    if data.digest != column.digest:
        return f"digest {data.short}"
    return "other test utterances" if data.rows != column.rows else "other audio"


def conflict_notices(conflicting: Sequence[Sequence[Stored]], catalogue: Catalogue) -> list[str]:
    """Return notices on results with the same key and different content, with their files."""
    lines = []
    for group in conflicting:
        result = group[0].result
        scores = ", ".join(
            main_score_text(entry.result) + (f" imported: {entry.result.imported}" if entry.result.imported else "")
            for entry in group
        )
        files = "; ".join(str(entry.path) for entry in group)
        lines.append(
            f"{result.extractor} on {result.task}: {len(group)} results have the key {result.key[:SHORT]} and differ "
            f"({scores}). All stay stored. Find out which one is right, and delete the others: {files}."
        )
    return lines


def other_protocol(protocol: str) -> str:
    """Return the protocol that a command must name; "" for the protocol of the settings."""
    return "" if protocol == default_protocol() else protocol


def left_out_notices(errors: Sequence[StoreError]) -> list[str]:
    """Return notices on files that cannot be read, the first two by name."""
    lines = [f"Left out: {error}" for error in errors[:2]]
    return [*lines, f"Left out for similar reasons: {len(errors) - 2} more files."] if len(errors) > 2 else lines
