"""Outcomes of classifiers and results of tasks, as JSON."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.errors import StoreError
from serab_core.store.jsonio import read_json, write_json
from serab_core.types import ClassifierOutcome, Point, Predictions, TaskResult

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.store.home import Home

OUTCOME_SCHEMA = "serab.outcome/1"
RESULT_SCHEMA = "serab.result/2"


def outcome_path(home: Home, study: str) -> Path:
    """Where the outcome of a study is kept."""
    return home.studies / f"{study}.json"


def journal_path(home: Home, study: str) -> Path:
    """Where the trials of a study are kept."""
    return home.studies / f"{study}.h5"


def result_path(home: Home, extractor: str, task: str, protocol: str, key: str) -> Path:
    """Where a result is kept: readable folders, and a name that no two different results share."""
    folder = re.sub(r"[^A-Za-z0-9._-]+", "--", extractor).strip(".")
    return home.results / folder / task / f"{protocol}-{key[:16]}.json"


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


def write_result(path: Path, result: TaskResult) -> None:
    """Writes a result. Raises StoreError."""
    write_json(path, {"schema": RESULT_SCHEMA, **asdict(result)})


def read_result(path: Path) -> TaskResult:
    """Reads a result back. Raises StoreError for one that is damaged or of another version."""
    value = read_json(path, RESULT_SCHEMA)
    try:
        del value["schema"]
        value["outcomes"] = tuple(_outcome(outcome) for outcome in value["outcomes"])
        value["cautions"] = tuple(value["cautions"])
        return TaskResult(**value)
    except (KeyError, TypeError) as error:
        raise _incomplete(path, error) from error


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
