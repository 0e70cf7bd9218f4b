"""Results from one home to another: one JSON file, whose scores are held against its predictions as it comes in."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import serab_core
from serab_core.errors import DataError
from serab_core.score.metrics import accuracy, uar
from serab_core.store.jsonio import dumps, read_json
from serab_core.store.results import RESULT_SCHEMA, read_result, result_document, result_of, result_path, write_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import TaskResult

SCHEMA = "serab.results/1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)?")
_KEY = re.compile(r"[0-9a-f]{64}")
_TOLERANCE = 1e-9


def exchange_text(results: Sequence[TaskResult]) -> str:
    """A file of results, the same bytes for the same results."""
    ordered = sorted(results, key=lambda r: (r.extractor, r.task, r.protocol, r.key))
    return dumps(
        {"schema": SCHEMA, "serab": serab_core.__version__, "results": [result_document(result) for result in ordered]}
    )


def read_exchange(path: Path) -> list[TaskResult]:
    """Reads a file of results.

    Raises:
        StoreError: it cannot be read, or is no such file.
        DataError: a result in it is incomplete, or its scores are not those of its predictions.
    """
    value = read_json(path, SCHEMA)
    results = value.get("results")
    if not isinstance(results, list):
        raise DataError("has no list of results", where=path)
    return [_checked(own, path, number) for number, own in enumerate(results, start=1)]


def merged(results: Iterable[TaskResult]) -> list[TaskResult]:
    """Each result once, by its key; of two with one key the one that was not imported."""
    found: dict[tuple[str, str], TaskResult] = {}
    for result in results:
        before = found.get((result.extractor, result.key))
        if before is None or (before.imported and not result.imported):
            found[result.extractor, result.key] = result
    return list(found.values())


def take_in_results(
    home: Home, results: Sequence[TaskResult], origin: str
) -> tuple[list[TaskResult], list[TaskResult]]:
    """Puts results of elsewhere into a home, marked as such.

    Args:
        home: the home.
        results: that `read_exchange` returned.
        origin: what to note down as their origin.

    Returns:
        those that were taken in, and those that were there already.

    Raises:
        StoreError: the home cannot be written.
    """
    new, known = [], []
    home.ensure()
    for result in results:
        path = result_path(home, result.extractor, result.task, result.protocol, result.key)
        if path.exists():
            known.append(read_result(path))
            continue
        # A profile tells of the processes of one machine, and nothing holds it against anything.
        marked = replace(result, imported=result.imported or origin, profile={})
        write_result(path, marked)
        new.append(marked)
    return new, known


def result_table(results: Sequence[TaskResult]) -> list[Mapping[str, Any]]:
    """Results at a glance."""
    columns = ("extractor", "task", "protocol", "accuracy", "uar", "imported", "key")
    return [{name: getattr(result, name) for name in columns} for result in results]


def _checked(value: Any, path: Path, number: int) -> TaskResult:
    where = f"{path}, result {number}"
    if not isinstance(value, dict) or value.get("schema") != RESULT_SCHEMA:
        found = value.get("schema") if isinstance(value, dict) else None
        raise DataError(f"has schema {found!r} where {RESULT_SCHEMA!r} is wanted", where=where)
    try:
        result = result_of(value)
        wrong = _wrong(result)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"is incomplete ({type(error).__name__}: {error})", where=where) from error
    if wrong:
        raise DataError(wrong, where=where, next_step="ask for the file again, as serab results export wrote it")
    return result


def _wrong(result: TaskResult) -> str:
    """What of a result cannot be, in words; "" for nothing."""
    words = (result.extractor, result.language, result.variant, result.chosen, result.imported, *result.cautions)
    if not all(isinstance(word, str) for word in words) or not result.extractor.strip():
        return "a name in it is no word"
    if not _NAME.fullmatch(result.task) or not _NAME.fullmatch(result.protocol):
        return f"{result.task!r} under {result.protocol!r} is no task"
    if not _KEY.fullmatch(result.key):
        return "its key is no sha256"
    tables = (result.counts, result.provenance, result.speakers, result.sexes)
    if not all(isinstance(own, dict) for own in tables):
        return "a table in it is no table"
    wrong = next(filter(None, (_wrong_outcome(result, outcome.classifier) for outcome in result.outcomes)), "")
    chosen = result.outcome(result.chosen)
    if not wrong and (chosen.test is None or (chosen.accuracy, chosen.uar) != (result.accuracy, result.uar)):
        return "its score is not that of its chosen classifier"
    return wrong


def _wrong_outcome(result: TaskResult, classifier: str) -> str:
    outcome = result.outcome(classifier)
    test = outcome.test
    if test is None:
        return ""
    if not len(test.ids) == len(test.truth) == len(test.predicted) == len(set(test.ids)):
        return f"the predictions of {classifier} are not one for each utterance"
    if set(test.ids) - set(result.speakers):
        return "an utterance has no speaker"
    told = {"accuracy": outcome.accuracy, "UAR": outcome.uar}
    computed = {"accuracy": accuracy(test.truth, test.predicted), "UAR": uar(test.truth, test.predicted)}
    for name, value in told.items():
        if value is None or not math.isclose(value, computed[name], abs_tol=_TOLERANCE):
            return f"the {name} of {classifier} is not that of its predictions"
    return ""
