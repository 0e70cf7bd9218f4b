"""Outcomes of classifiers and results of tasks, as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from serab_core.errors import StoreError, store_error
from serab_core.store.jsonio import read_json, write_json
from serab_core.types import ClassifierOutcome, ContinuousResult, Point, Predictions, TaskResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from serab_core.store.home import Home

OUTCOME_SCHEMA = "serab.outcome/1"
RESULT_SCHEMA = "serab.result/2"
CONTINUOUS_SCHEMA = "serab.continuous/1"


@dataclass(frozen=True, slots=True)
class Stored:
    """A result and the file that it is in."""

    path: Path
    result: TaskResult


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
    except (KeyError, TypeError) as error:
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
    except (KeyError, TypeError) as error:
        raise _incomplete(path, error) from error


def result_document(result: TaskResult | ContinuousResult) -> dict[str, Any]:
    """A result as it is stored and handed on."""
    schema = RESULT_SCHEMA if isinstance(result, TaskResult) else CONTINUOUS_SCHEMA
    document = {"schema": schema, **asdict(result)}
    if not result.profile:
        del document["profile"]
    return document


def stored_results(home: Home) -> tuple[list[Stored], list[StoreError]]:
    """Every result in the home, the oldest file first, and the errors of files that cannot be read."""
    found, errors = [], []
    for path in home.results.glob("*/*/*.json"):
        try:
            found.append((path.stat().st_mtime_ns, Stored(path, read_result(path))))
        except StoreError as error:
            errors.append(error)
        except OSError as error:
            errors.append(store_error(error, path, "read"))
    return [stored for _, stored in sorted(found, key=lambda pair: (pair[0], str(pair[1].path)))], errors


def stored_continuous(home: Home, protocol: str) -> list[ContinuousResult]:
    """The last result on each continuous target under a protocol; files that cannot be read are passed over."""
    found: dict[tuple[str, str], tuple[int, ContinuousResult]] = {}
    for path in home.results.glob(f"*/*/*/{protocol}-*.json"):
        try:
            made, result = path.stat().st_mtime_ns, read_continuous(path)
        except (StoreError, OSError):
            continue
        key = (result.extractor, result.task)
        if key not in found or found[key][0] < made:
            found[key] = (made, result)
    return [found[key][1] for key in sorted(found)]


def searched_whole(result: TaskResult) -> bool:
    """Whether the protocol's grids were searched, all of them, or those that the extractor itself names."""
    how = result.provenance.get("protocol", {})
    return how.get("tuner") == "grid" and how.get("classifiers_by") in ("protocol", "extractor")


def best_known(stored: Iterable[Stored]) -> list[Stored]:
    """Of each extractor, task and protocol the last one whose grids were searched whole, or else the last one."""
    last: dict[tuple[str, str, str], Stored] = {}
    for one in stored:
        key = (one.result.extractor, one.result.task, one.result.protocol)
        if key not in last or searched_whole(one.result) or not searched_whole(last[key].result):
            last[key] = one
    return [last[key] for key in sorted(last)]


def _outcome(value: dict[str, Any]) -> ClassifierOutcome:
    test = value["test"]
    return ClassifierOutcome(
        **{
            **value,
            "points": tuple(Point(**point) for point in value["points"]),
            "test": None if test is None else Predictions(**{name: tuple(column) for name, column in test.items()}),
        }
    )


def _incomplete(path: Path, error: Exception) -> StoreError:
    return StoreError(f"lacks a part ({error})", where=path, next_step="move the file away and run again")
