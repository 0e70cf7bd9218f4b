"""The registry of documents: the type of every JSON document that serab stores or prints, by its schema.

A schema is a name and a number, such as `serab.result/2`. Fields may be added under one number; a new number is for a
change that would mislead a reader of the old one. The JSON Schemas are published in `docs/schemas`, with those of the
documents of our plugins, which each have a module `documents`.
"""

from __future__ import annotations

import json
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec

from serab_core import project_file, settings
from serab_core.bench.history import RunDocument
from serab_core.data.index_document import IndexDocument
from serab_core.documents import commands, corpora, plugins, reports, runs
from serab_core.extractor_folder import ExtractorFolder
from serab_core.isolation.record import EnvironmentDocument
from serab_core.results.exchange import ExchangeDocument
from serab_core.run.evaluation import RepeatDocument, StateDocument
from serab_core.run.throughput import ThroughputDocument
from serab_core.store.digests import DigestDocument
from serab_core.store.download import DownloadNote
from serab_core.store.result_documents import (
    EarlierContinuousDocument,
    EarlierResultDocument,
    EarlierStudyOutcomeDocument,
    ResultDocument,
    StudyOutcomeDocument,
)
from serab_core.store.shards import ManifestDocument
from serab_core.store.weights import AgreedDocument, RecordDocument
from serab_core.trust import TrustedDocument
from serab_core.tune.exported import ClassifierDocument
from serab_core.tune.studies import StudyDocument

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType


class JournalEntry(msgspec.Struct, frozen=True):
    """An entry of a study's journal, one JSON text a line; each kind of operation of Optuna has further fields."""

    op_code: int
    worker_id: str


def _by_schema(*kinds: type) -> dict[str, type]:
    return {get_args(get_type_hints(kind)["schema"])[0]: kind for kind in kinds}


def documents_in(module: ModuleType) -> dict[str, type]:
    """Return the types that a module defines and that have a schema, by schema."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    return _by_schema(*(kind for kind in kinds if "schema" in kind.__annotations__))


STORED: dict[str, type] = {
    **_by_schema(
        AgreedDocument, ClassifierDocument, DigestDocument, DownloadNote, EnvironmentDocument, ExtractorFolder,
        IndexDocument, ManifestDocument, RecordDocument, RepeatDocument, ResultDocument, ExchangeDocument, RunDocument,
        StateDocument, StudyDocument, StudyOutcomeDocument, ThroughputDocument, TrustedDocument,
    ),
    "serab.journal/2": JournalEntry,
}  # fmt: skip
"""The types of stored and exchanged documents."""
EARLIER = _by_schema(EarlierContinuousDocument, EarlierResultDocument, EarlierStudyOutcomeDocument)
"""The types of documents that earlier versions stored; they are read, and no longer written."""
PRINTED = {
    **documents_in(reports),
    **documents_in(runs),
    **documents_in(commands),
    **documents_in(corpora),
    **documents_in(plugins),
}
"""The types of the documents that commands print."""
DOCUMENTS = {**PRINTED, **STORED, **EARLIER}


def names() -> list[str]:
    """Return the names of all documents that have a JSON Schema."""
    return [*sorted(DOCUMENTS), project_file.FILE]


def json_schema(name: str, documents: Mapping[str, type] = DOCUMENTS) -> dict[str, Any]:
    """Return the JSON Schema of a document.

    Args:
        name: the schema, such as `serab.result/2`, or `serab.toml`.
        documents: the types of documents by schema.

    Raises:
        KeyError: the schema is not one of `documents`.
    """
    if name == project_file.FILE:
        return settings.json_schema()
    results = (ResultDocument, EarlierResultDocument, EarlierContinuousDocument) if name == "serab.results/1" else ()
    (document, *items), types = msgspec.json.schema_components((documents[name], *results))
    if items:  # exchanged results are decoded one by one, so that an error names the wrong one
        types["ExchangeDocument"]["properties"]["results"]["items"] = {"anyOf": items}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name, **document, "$defs": types}


def schema_text(name: str, documents: Mapping[str, type] = DOCUMENTS) -> str:
    """Return the JSON Schema of a document as text, with one line for each field of a type. Raises KeyError."""
    return _text(json_schema(name, documents))


def schema_file(name: str) -> str:
    """Return the name of the published file with the JSON Schema of a document."""
    return f"{name.replace('/', '-')}.json"


def _text(value: Any, depth: int = 4, indent: str = "") -> str:
    if isinstance(value, str):
        return json.dumps(cleandoc(value), ensure_ascii=False)  # a description is the docstring of a type
    if not depth or not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    lines = [f"{indent}  {json.dumps(key)}: {_text(item, depth - 1, indent + '  ')}" for key, item in value.items()]
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"
