"""Reads and writes outcomes of classifiers and results of tasks, as JSON."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import msgspec

from serab_core.errors import ContentError, StoreError, store_error
from serab_core.store import codec
from serab_core.store.identity import DataIdentity, Version, conflicting_keys
from serab_core.store.jsonio import write_json
from serab_core.store.reading import read_file
from serab_core.store.result_documents import (
    EarlierContinuousDocument,
    EarlierOutcomeDocument,
    EarlierResultDocument,
    EarlierStudyOutcomeDocument,
    FoldDocument,
    OutcomeDocument,
    Provenance,
    ResultDocument,
    StudyOutcomeDocument,
)
from serab_core.types import ClassifierOutcome, FoldResult, Point, Predictions, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from serab_core.store.home import Home

OUTCOME_SCHEMA = "serab.outcome/2"
RESULT_SCHEMA = "serab.result/3"
RESULT_DOCUMENTS: Mapping[str, type[AnyDocument]] = {
    RESULT_SCHEMA: ResultDocument,
    "serab.result/2": EarlierResultDocument,
    "serab.continuous/1": EarlierContinuousDocument,
}
"""The types of results by schema; earlier ones are read, and never written."""

AnyOutcome: TypeAlias = StudyOutcomeDocument | EarlierStudyOutcomeDocument
AnyDocument: TypeAlias = ResultDocument | EarlierResultDocument | EarlierContinuousDocument
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Stored:
    """A result and its file."""

    path: Path
    result: TaskResult


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
    write_json(path, {"schema": OUTCOME_SCHEMA, "identity": identity, "outcome": _outcome_document(asdict(outcome))})


def read_outcome(path: Path) -> ClassifierOutcome:
    """Read an outcome. Raises StoreError if it is damaged or of another version."""
    content = read_file(path)
    earlier = codec.schema_of(content) == "serab.outcome/1"
    kind: type[AnyOutcome] = EarlierStudyOutcomeDocument if earlier else StudyOutcomeDocument
    document: AnyOutcome = codec.decode(content, kind, where=path)
    return _checked(lambda: _outcome(document.outcome), path)


def write_result(path: Path, result: TaskResult) -> None:
    """Write a result. Raises StoreError."""
    write_json(path, result_document(result))


def read_result(path: Path) -> TaskResult:
    """Read a result. Raises StoreError if it is damaged or of another version.

    `scores` of a result that an earlier version wrote may lack metrics; `serab_core.score.outcome.complete` adds them.
    """
    content = read_file(path)
    kind = RESULT_DOCUMENTS.get(str(codec.schema_of(content)), ResultDocument)
    document: AnyDocument = codec.decode(content, kind, where=path, surrogates_in=("$",))
    return _checked(lambda: result_of(document), path)


def result_of(document: AnyDocument) -> TaskResult:
    """Return the result that a document describes. Raises ValueError for impossible values in its untyped fields."""
    codec.check_untyped(document.provenance, "$.provenance")
    codec.convert(document.provenance, Provenance, "$.provenance")
    fields: dict[str, Any] = {name: getattr(document, name) for name in document.__struct_fields__ if name != "schema"}
    fields["profile"] = msgspec.to_builtins(document.profile)
    if isinstance(document, EarlierResultDocument):
        fields["scores"] = {"accuracy": fields.pop("accuracy"), "uar": fields.pop("uar")}
    if isinstance(document, ResultDocument):
        fields["folds"] = tuple(_fold(fold, f"$.folds[{at}]") for at, fold in enumerate(document.folds))
    continuous = fields.get("target") is not None
    fields["outcomes"] = tuple(
        _outcome(outcome, f"$.outcomes[{at}]", continuous=continuous) for at, outcome in enumerate(document.outcomes)
    )
    return TaskResult(**fields)


def _checked(make: Callable[[], V], path: Path) -> V:
    try:
        return make()
    except ValueError as error:
        raise ContentError(str(error), where=path, next_step=codec.AGAIN) from error


def result_document(result: TaskResult) -> dict[str, Any]:
    """Return a result as the JSON document that is stored and exported."""
    document = {"schema": RESULT_SCHEMA, **asdict(result)}
    for name in ("profile", "folds"):
        if not getattr(result, name):
            del document[name]
    document["outcomes"] = [_outcome_document(outcome) for outcome in document["outcomes"]]
    return document


def _outcome_document(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome with its probabilities as text; without them if there are none."""
    if outcome["test"] is None:
        return outcome
    test = {name: value for name, value in outcome["test"].items() if name not in ("labels", "probabilities") or value}
    if "probabilities" in test:
        test["probabilities"] = b64encode(test["probabilities"]).decode("ascii")
    return {**outcome, "test": test}


def stored_results(home: Home) -> tuple[list[Stored], list[StoreError]]:
    """Return every result in the home, the oldest file first, and the errors of files that cannot be read."""
    entries: list[tuple[int, Stored]] = []
    errors = []
    # The folder of a continuous target is inside that of its corpus.
    for path in sorted([*home.results.glob("*/*/*.json"), *home.results.glob("*/*/*/*.json")]):
        try:
            entries.append((path.stat().st_mtime_ns, Stored(path, read_result(path))))
        except StoreError as error:
            errors.append(error)
        except OSError as error:
            errors.append(store_error(error, path, "read"))
    return [stored for _, stored in sorted(entries, key=lambda pair: (pair[0], str(pair[1].path)))], errors


def searched_whole(result: TaskResult) -> bool:
    """Return whether the complete grids were searched: of the protocol's classifiers, or of the extractor's own."""
    protocol = result.provenance.get("protocol", {})
    return protocol.get("tuner") == "grid" and protocol.get("classifiers_by") in ("protocol", "extractor")


def search_of(result: TaskResult) -> tuple[Any, ...]:
    """Return the tuner, the number of trials and the classifiers of the search of a result."""
    protocol = result.provenance.get("protocol", {})
    return protocol.get("tuner"), protocol.get("trials"), tuple(protocol.get("classifiers") or ())


def best_known(stored: Iterable[Stored]) -> list[Stored]:
    """Return one result for each version of an extractor, task, protocol and data, the oldest file first.

    A result of complete grids is preferred to one of partial grids, a result of this home to an imported one, and a
    later result to an earlier one.
    """
    best: dict[tuple[Version, str, str, DataIdentity], tuple[bool, bool, int, Stored]] = {}
    for place, entry in enumerate(stored):
        result = entry.result
        key = (Version.of(result), result.task, result.protocol, DataIdentity.of(result))
        candidate = (searched_whole(result), not result.imported, place, entry)
        if key not in best or candidate[:3] > best[key][:3]:
            best[key] = candidate
    return [entry for *_, entry in sorted(best.values(), key=lambda candidate: candidate[2])]


def conflicts(stored: Sequence[Stored]) -> list[list[Stored]]:
    """Return groups of results that have the same key and differ in their content."""
    keys = conflicting_keys(entry.result for entry in stored)
    return [[entry for entry in stored if (entry.result.extractor, entry.result.key) == pair] for pair in sorted(keys)]


def _fold(document: FoldDocument, path: str) -> FoldResult:
    for classifier, params in document.params.items():
        codec.check_untyped(params, f"{path}.params.{classifier}")
    return FoldResult(**{name: getattr(document, name) for name in document.__struct_fields__})


def _outcome(
    document: OutcomeDocument, path: str = "$.outcome", *, continuous: bool | None = None
) -> ClassifierOutcome:
    """Return the outcome that a document describes.

    Args:
        document: the document.
        path: its place in the file, for errors.
        continuous: whether predictions are numbers; None if the file does not say so.

    Raises:
        ValueError: a value is impossible.
    """
    codec.check_untyped(document.params, f"{path}.params")
    for at, point in enumerate(document.points):
        codec.check_untyped(point.params, f"{path}.points[{at}].params")
    test, scores = document.test, document.scores
    if test is not None and {isinstance(value, str) for value in (*test.truth, *test.predicted)} - (
        {True, False} if continuous is None else {not continuous}
    ):
        raise ValueError(f"has at {path}.test {'labels' if continuous else 'numbers'} as predictions")
    if isinstance(document, EarlierOutcomeDocument) and document.accuracy is not None and document.uar is not None:
        scores = {"accuracy": document.accuracy, "uar": document.uar}
    return ClassifierOutcome(
        classifier=document.classifier,
        title=document.title,
        points=tuple(Point(point.params, point.score, point.reason, point.pruned) for point in document.points),
        params=document.params,
        validation=document.validation,
        test=None if test is None else Predictions(*(getattr(test, name) for name in test.__struct_fields__)),
        scores=scores,
    )
