"""Exchange of results between homes: one JSON file, whose scores are compared with its predictions on import."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec

import serab_core
from serab_core.errors import DataError, StoreError
from serab_core.results.stored import other_data_of
from serab_core.score.outcome import complete_result, main_score_text
from serab_core.score.validity import result_fault
from serab_core.store import codec
from serab_core.store.identity import SHORT, DataIdentity, Version, conflicting_keys, content_digest
from serab_core.store.jsonio import dumps
from serab_core.store.reading import read_file
from serab_core.store.results import (
    RESULT_DOCUMENTS,
    folder_name,
    read_result,
    result_document,
    result_of,
    result_path,
    write_result,
)
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import TaskResult

SCHEMA = "serab.results/1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?")
_KEY = re.compile(r"[0-9a-f]{64}")
_FILE_NAMES_IN = tuple(
    f"$.results[].{field}" for field in ("speakers", "sexes", "outcomes[].test", "provenance.command")
)
MAX_NAME = 200  # characters of a name; it becomes the name of a folder, which may have 255 bytes
CONFLICT = "another result has the same key and other content: one of the two is wrong"
"""The caution of a merged result whose key has several contents."""


class ExchangeDocument(msgspec.Struct, frozen=True):
    """A file of results. Each result is decoded separately, so that an error can name the one that is wrong."""

    schema: Literal["serab.results/1"]
    results: list[Any]
    serab: str = ""


def exchange_text(results: Sequence[TaskResult]) -> str:
    """Return the text of a file of results; the same results give the same bytes."""
    ordered = sorted(results, key=lambda r: (r.extractor, r.task, r.protocol, r.key, content_digest(r)))
    documents = [result_document(result) for result in ordered]
    return dumps({"schema": SCHEMA, "serab": serab_core.__version__, "results": documents})


def read_exchange(path: Path) -> list[TaskResult]:
    """Read a file of results.

    Raises:
        StoreError: the file cannot be read, or it is not a file of results.
        DataError: a result is incomplete, has impossible values, or has scores that differ from its predictions.
    """
    document = codec.decode(read_file(path), ExchangeDocument, where=path, surrogates_in=_FILE_NAMES_IN)
    return [_checked(result, path, number) for number, result in enumerate(document.results, start=1)]


def merge_results(results: Iterable[TaskResult]) -> tuple[list[TaskResult], list[str]]:
    """Remove duplicates. Of two results with the same key and content, keep the one that was not imported.

    Returns:
        the results, and a sentence for each key that has several contents. All results of such a key are returned, each
        with a caution.
    """
    results = list(results)
    conflicting = conflicting_keys(results)
    best: dict[tuple[str, str, str], TaskResult] = {}
    for result in results:
        pair = (result.extractor, result.key)
        caution = (CONFLICT,) if pair in conflicting and CONFLICT not in result.cautions else ()
        key = (*pair, content_digest(result) if pair in conflicting else "")
        if key not in best or (best[key].imported and not result.imported):
            best[key] = replace(result, cautions=(*result.cautions, *caution))
    sentences = [
        _conflict_text([result for result in best.values() if (result.extractor, result.key) == pair])
        for pair in sorted(conflicting)
    ]
    return list(best.values()), sentences


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The outcome of an import.

    Attributes:
        new: the results that were written.
        known: the results that the home already had.
        conflicts: a sentence for each result whose key the home has with different content. These results are in `new`,
            or in `known` if they were imported before.
        other_data: a sentence for each task whose results are on other data than the corpus prepared in the home.
    """

    new: tuple[TaskResult, ...]
    known: tuple[TaskResult, ...]
    conflicts: tuple[str, ...]
    other_data: tuple[str, ...]


def import_results(home: Home, results: Sequence[TaskResult], origin: str) -> ImportReport:
    """Write results from elsewhere into a home, marked as imported. No file of the home is overwritten.

    Args:
        home: the home.
        results: the results that `read_exchange` returned.
        origin: the origin to record with the results.

    Raises:
        StoreError: the home cannot be written.
    """
    new: list[TaskResult] = []
    known: list[TaskResult] = []
    conflicts = []
    home.ensure()
    for result in results:
        path = result_path(home, result.extractor, result.task, result.protocol, result.key)
        content = content_digest(result)
        readable = _readable(path.parent.glob(f"{path.stem}*.json"))
        stored = [other for other in readable if (other.extractor, other.key) == (result.extractor, result.key)]
        if any(content_digest(other) == content for other in stored):
            known.append(result)
        else:
            if path.exists():
                path = path.with_name(f"{path.stem}-{content[:SHORT]}.json")
            # A profile describes the processes of another machine, and cannot be verified.
            marked = replace(result, imported=result.imported or origin, profile={})
            write_result(path, marked)
            new.append(marked)
        others = [other for other in stored if content_digest(other) != content]
        if others:
            conflicts.append(_conflict_text([*others, result]))
    return ImportReport(tuple(new), tuple(known), tuple(conflicts), tuple(other_data_of(home, results)))


def _readable(paths: Iterable[Path]) -> Iterator[TaskResult]:
    """Yield the valid results among files; other files are skipped."""
    for path in sorted(paths):
        with suppress(StoreError):
            result = read_result(path)
            if not result_fault(result):
                yield complete_result(result)


def _conflict_text(results: Sequence[TaskResult]) -> str:
    first = results[0]
    scores = ", ".join(main_score_text(r) + (f" ({r.imported})" if r.imported else "") for r in results)
    return (
        f"{first.extractor} on {first.task}: {len(results)} results have the key {first.key[:SHORT]} and differ in "
        f"their content ({scores}). All are stored and marked. Find out which one is right before you "
        "use any."
    )


def result_table(results: Sequence[TaskResult]) -> list[Mapping[str, Any]]:
    """Return a row for each result, with its scores, its version and its data."""
    columns = ("extractor", "task", "target", "protocol", "imported", "key")
    conflicting = conflicting_keys(results)
    return [
        {name: getattr(result, name) for name in columns}
        | {
            "accuracy": result.scores.get("accuracy"),
            "uar": result.scores.get("uar"),
            "ccc": result.scores.get("ccc"),
            "fingerprint": Version.of(result).fingerprint,
            "dataset_digest": DataIdentity.of(result).digest,
            "conflict": (result.extractor, result.key) in conflicting,
        }
        for result in results
    ]


def _checked(value: Any, path: Path, number: int) -> TaskResult:
    where = f"{path}, result {number}"
    schema = value.get("schema") if isinstance(value, dict) else None
    codec.require_schema(schema, tuple(RESULT_DOCUMENTS), where, DataError)
    try:
        result = complete_result(result_of(codec.convert(value, RESULT_DOCUMENTS[str(schema)], "$")))
        fault = result_fault(result) or _name_fault(result)
    except ValueError as error:
        fault = str(error)
    if fault:
        raise DataError(fault, where=where, next_step="ask for an unchanged file of exported results")
    return result


def _name_fault(result: TaskResult) -> str:
    """Return the fault in the names of a result, which become paths and rows of tables; "" if there is none."""
    if not _NAME.fullmatch(result.task) or not _NAME.fullmatch(result.protocol):
        return f"has an invalid task name {result.task[:MAX_NAME]!r} or protocol name {result.protocol[:MAX_NAME]!r}"
    if not _KEY.fullmatch(result.key):
        return "its key is not a SHA-256"
    names = {
        "extractor": result.extractor,
        "task": result.task,
        "protocol": result.protocol,
        "language": result.language,
        "variant": result.variant,
        "imported": result.imported,
        "target": result.target or "",
        **{f"outcomes[{at}].classifier": outcome.classifier for at, outcome in enumerate(result.outcomes)},
        **{f"outcomes[{at}].title": outcome.title for at, outcome in enumerate(result.outcomes)},
    }
    for field, name in names.items():
        if len(name) > MAX_NAME:
            return f"has at $.{field} a name of {len(name):,} characters: the maximum is {MAX_NAME}"
        if escape_line(name) != name:
            return f"has at $.{field} a name with control or invisible characters: {escape_line(name)!r}"
    if not folder_name(result.extractor):
        return f"has at $.extractor {result.extractor!r}, which is not a valid name of an extractor"
    return ""
