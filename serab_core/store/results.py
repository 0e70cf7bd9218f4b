"""Reads and writes outcomes of classifiers and results of tasks, as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from serab_core.errors import ContentError, StoreError, store_error
from serab_core.store import codec
from serab_core.store.identity import DataIdentity, Version, conflicting_keys
from serab_core.store.jsonio import write_json
from serab_core.store.reading import read_file
from serab_core.store.result_documents import (
    ContinuousDocument,
    OutcomeDocument,
    Provenance,
    ResultDocument,
    StudyOutcomeDocument,
)
from serab_core.types import ClassifierOutcome, ContinuousResult, Point, Predictions, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from serab_core.store.home import Home

OUTCOME_SCHEMA = "serab.outcome/1"
RESULT_SCHEMA = "serab.result/2"
CONTINUOUS_SCHEMA = "serab.continuous/1"


R = TypeVar("R", TaskResult, ContinuousResult)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Stored(Generic[R]):
    """A result and its file."""

    path: Path
    result: R


def outcome_path(home: Home, study: str) -> Path:
    """Return the path of a study's outcome."""
    return home.studies / f"{study}.json"


def journal_path(home: Home, study: str) -> Path:
    """Return the path of a study's journal of trials."""
    return home.studies / f"{study}.h5"


def result_path(home: Home, extractor: str, task: str, protocol: str, key: str) -> Path:
    """Return the path of a result: readable folders, and a file name that is unique to the result's key."""
    return home.results / folder_name(extractor) / task / f"{protocol}-{key[:16]}.json"


def folder_name(extractor: str) -> str:
    """Return a valid folder name for an extractor."""
    return re.sub(r"[^A-Za-z0-9._-]+", "--", extractor).strip(".")


def write_outcome(path: Path, outcome: ClassifierOutcome, identity: Mapping[str, Any]) -> None:
    """Write an outcome with the identity of its study. Raises StoreError."""
    write_json(path, {"schema": OUTCOME_SCHEMA, "identity": identity, "outcome": asdict(outcome)})


def read_outcome(path: Path) -> ClassifierOutcome:
    """Read an outcome. Raises StoreError if it is damaged or of another version."""
    document = codec.read(path, StudyOutcomeDocument)
    return _checked(lambda: _outcome(document.outcome), path)


def write_result(path: Path, result: TaskResult | ContinuousResult) -> None:
    """Write a result. Raises StoreError."""
    write_json(path, result_document(result))


def read_result(path: Path) -> TaskResult:
    """Read a result on classes. Raises StoreError if it is damaged or of another version."""
    return _result(read_file(path), path)


def read_continuous(path: Path) -> ContinuousResult:
    """Read a result on a continuous target. Raises StoreError if it is damaged or of another version."""
    return _continuous(read_file(path), path)


def read_any_result(path: Path) -> TaskResult | ContinuousResult:
    """Read a result of either kind. Raises StoreError if it is damaged or of another version."""
    content = read_file(path)
    if codec.schema_of(content) == CONTINUOUS_SCHEMA:
        return _continuous(content, path)
    return _result(content, path)


def result_of(document: ResultDocument) -> TaskResult:
    """Return the result that a document describes. Raises ValueError for impossible values in its untyped fields."""
    return TaskResult(**_fields(document))


def _result(content: bytes, path: Path) -> TaskResult:
    document = codec.decode(content, ResultDocument, where=path, surrogates_in=("$",))
    return _checked(lambda: result_of(document), path)


def _continuous(content: bytes, path: Path) -> ContinuousResult:
    document = codec.decode(content, ContinuousDocument, where=path, surrogates_in=("$",))
    return _checked(lambda: ContinuousResult(**_fields(document)), path)


def _checked(make: Callable[[], V], path: Path) -> V:
    try:
        return make()
    except ValueError as error:
        raise ContentError(str(error), where=path, next_step=codec.AGAIN) from error


def result_document(result: TaskResult | ContinuousResult) -> dict[str, Any]:
    """Return a result as the JSON document that is stored and exported."""
    schema = RESULT_SCHEMA if isinstance(result, TaskResult) else CONTINUOUS_SCHEMA
    document = {"schema": schema, **asdict(result)}
    if not result.profile:
        del document["profile"]
    return document


def stored_results(home: Home) -> tuple[list[Stored[TaskResult]], list[StoreError]]:
    """Return every result in the home, the oldest file first, and the errors of files that cannot be read."""
    return _read_all(home.results.glob("*/*/*.json"), read_result)


def stored_continuous(home: Home) -> tuple[list[Stored[ContinuousResult]], list[StoreError]]:
    """Return every result on a continuous target, the oldest file first, and the errors of unreadable files."""
    return _read_all(home.results.glob("*/*/*/*.json"), read_continuous)


def _read_all(paths: Iterable[Path], read: Callable[[Path], R]) -> tuple[list[Stored[R]], list[StoreError]]:
    entries: list[tuple[int, Stored[R]]] = []
    errors = []
    for path in sorted(paths):
        try:
            entries.append((path.stat().st_mtime_ns, Stored(path, read(path))))
        except StoreError as error:
            errors.append(error)
        except OSError as error:
            errors.append(store_error(error, path, "read"))
    return [stored for _, stored in sorted(entries, key=lambda pair: (pair[0], str(pair[1].path)))], errors


def searched_whole(result: TaskResult | ContinuousResult) -> bool:
    """Return whether the complete grids were searched: of the protocol's classifiers, or of the extractor's own."""
    protocol = result.provenance.get("protocol", {})
    return protocol.get("tuner") == "grid" and protocol.get("classifiers_by") in ("protocol", "extractor")


def best_known(stored: Iterable[Stored[R]]) -> list[Stored[R]]:
    """Return one result for each version of an extractor, task, protocol and data, the oldest file first.

    A result of complete grids is preferred to one of partial grids, a result of this home to an imported one, and a
    later result to an earlier one.
    """
    best: dict[tuple[Version, str, str, DataIdentity], tuple[bool, bool, int, Stored[R]]] = {}
    for place, entry in enumerate(stored):
        result = entry.result
        key = (Version.of(result), result.task, result.protocol, DataIdentity.of(result))
        candidate = (searched_whole(result), not getattr(result, "imported", ""), place, entry)
        if key not in best or candidate[:3] > best[key][:3]:
            best[key] = candidate
    return [entry for *_, entry in sorted(best.values(), key=lambda candidate: candidate[2])]


def conflicts(stored: Sequence[Stored[R]]) -> list[list[Stored[R]]]:
    """Return groups of results that have the same key and differ in their content."""
    keys = conflicting_keys(entry.result for entry in stored)
    return [[entry for entry in stored if (entry.result.extractor, entry.result.key) == pair] for pair in sorted(keys)]


def _fields(document: ResultDocument | ContinuousDocument) -> dict[str, Any]:
    """Return the fields of a result. Raises ValueError for impossible values in untyped fields."""
    codec.check_untyped(document.provenance, "$.provenance")
    codec.convert(document.provenance, Provenance, "$.provenance")
    fields: dict[str, Any] = {name: getattr(document, name) for name in document.__struct_fields__ if name != "schema"}
    fields["profile"] = msgspec.to_builtins(document.profile)
    fields["outcomes"] = tuple(_outcome(outcome, f"$.outcomes[{at}]") for at, outcome in enumerate(fields["outcomes"]))
    return fields


def _outcome(document: OutcomeDocument[Any], path: str = "$.outcome") -> ClassifierOutcome:
    codec.check_untyped(document.params, f"{path}.params")
    for at, point in enumerate(document.points):
        codec.check_untyped(point.params, f"{path}.points[{at}].params")
    test = document.test
    return ClassifierOutcome(
        classifier=document.classifier,
        title=document.title,
        points=tuple(Point(point.params, point.score, point.reason, point.pruned) for point in document.points),
        params=document.params,
        validation=document.validation,
        test=None if test is None else Predictions(test.ids, test.truth, test.predicted),
        accuracy=document.accuracy,
        uar=document.uar,
        scores=document.scores,
    )
