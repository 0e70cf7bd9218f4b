"""Outcomes of classifiers and results of tasks, as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from serab_core.errors import ContentError, StoreError, store_error
from serab_core.store.identity import DataIdentity, Version, conflicting_keys
from serab_core.store.jsonio import read_json, write_json
from serab_core.types import ClassifierOutcome, ContinuousResult, Point, Predictions, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from serab_core.store.home import Home

OUTCOME_SCHEMA = "serab.outcome/1"
RESULT_SCHEMA = "serab.result/2"
CONTINUOUS_SCHEMA = "serab.continuous/1"


R = TypeVar("R", TaskResult, ContinuousResult)


@dataclass(frozen=True, slots=True)
class Stored(Generic[R]):
    """A result and the file that it is in."""

    path: Path
    result: R


def outcome_path(home: Home, study: str) -> Path:
    """Where the outcome of a study is kept."""
    return home.studies / f"{study}.json"


def journal_path(home: Home, study: str) -> Path:
    """Where the trials of a study are kept."""
    return home.studies / f"{study}.h5"


def result_path(home: Home, extractor: str, task: str, protocol: str, key: str) -> Path:
    """Where a result is kept: readable folders, and a name that no two different results share."""
    return home.results / folder_name(extractor) / task / f"{protocol}-{key[:16]}.json"


def folder_name(extractor: str) -> str:
    """An extractor's name as that of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "--", extractor).strip(".")


def write_outcome(path: Path, outcome: ClassifierOutcome, identity: dict[str, Any]) -> None:
    """Writes an outcome with the identity of its study. Raises StoreError."""
    write_json(path, {"schema": OUTCOME_SCHEMA, "identity": identity, "outcome": asdict(outcome)})


def read_outcome(path: Path) -> ClassifierOutcome:
    """Reads an outcome back. Raises StoreError for one that is damaged or of another version."""
    value = read_json(path, OUTCOME_SCHEMA)
    try:
        return _outcome(value["outcome"])
    except (KeyError, TypeError) as error:
        raise _incomplete(path, error) from error


def write_result(path: Path, result: TaskResult | ContinuousResult) -> None:
    """Writes a result. Raises StoreError."""
    write_json(path, result_document(result))


def read_result(path: Path) -> TaskResult:
    """Reads a result back. Raises StoreError for one that is damaged or of another version."""
    value = read_json(path, RESULT_SCHEMA)
    try:
        return result_of(value)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _incomplete(path, error) from error


def result_of(value: Mapping[str, Any]) -> TaskResult:
    """The result that a document of this version's schema describes. KeyError or TypeError where a part is missing."""
    parts = {name: own for name, own in value.items() if name != "schema"}
    parts["outcomes"] = tuple(_outcome(outcome) for outcome in parts["outcomes"])
    parts["cautions"] = tuple(parts["cautions"])
    return TaskResult(**parts)


def read_continuous(path: Path) -> ContinuousResult:
    """Reads a result on a continuous target back. Raises StoreError for one that is damaged or of another version."""
    value = read_json(path, CONTINUOUS_SCHEMA)
    try:
        parts = {name: own for name, own in value.items() if name != "schema"}
        parts["outcomes"] = tuple(_outcome(outcome) for outcome in parts["outcomes"])
        parts["cautions"] = tuple(parts["cautions"])
        return ContinuousResult(**parts)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _incomplete(path, error) from error


def result_document(result: TaskResult | ContinuousResult) -> dict[str, Any]:
    """A result as it is stored and handed on."""
    schema = RESULT_SCHEMA if isinstance(result, TaskResult) else CONTINUOUS_SCHEMA
    document = {"schema": schema, **asdict(result)}
    if not result.profile:
        del document["profile"]
    return document


def stored_results(home: Home) -> tuple[list[Stored[TaskResult]], list[StoreError]]:
    """Every result in the home, the oldest file first, and the errors of files that cannot be read."""
    return _read_all(home.results.glob("*/*/*.json"), read_result)


def stored_continuous(home: Home) -> tuple[list[Stored[ContinuousResult]], list[StoreError]]:
    """Every result on a continuous target, the oldest file first, and the errors of files that cannot be read."""
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
    """Whether the protocol's grids were searched, all of them, or those that the extractor itself names."""
    how = result.provenance.get("protocol", {})
    return how.get("tuner") == "grid" and how.get("classifiers_by") in ("protocol", "extractor")


def best_known(stored: Iterable[Stored[R]]) -> list[Stored[R]]:
    """One result for each version of an extractor, task, protocol and data, the oldest file first.

    A result whose grids were searched whole comes before one of a part of them, one of this home before an imported
    one, and the last one before earlier ones.
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
    """Results that have one key and differ in their content, in groups."""
    keys = conflicting_keys(entry.result for entry in stored)
    return [[entry for entry in stored if (entry.result.extractor, entry.result.key) == pair] for pair in sorted(keys)]


def _outcome(value: dict[str, Any]) -> ClassifierOutcome:
    test = value["test"]
    return ClassifierOutcome(
        **{
            **value,
            "points": tuple(Point(**point) for point in value["points"]),
            "test": None if test is None else Predictions(**{name: tuple(column) for name, column in test.items()}),
        }
    )


def _incomplete(path: Path, error: Exception) -> ContentError:
    return ContentError(f"lacks a part ({error})", where=path, next_step="move the file away and run again")
