"""Checks JSON documents against the JSON Schemas of their types, and the published schemas against the types."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

from serab_core.documents import DOCUMENTS, json_schema, schema_file, schema_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PUBLISHED = Path(__file__).parents[1] / "docs" / "schemas"


def check_published(names: Iterable[str], documents: Mapping[str, type] = DOCUMENTS) -> None:
    """Checks the files in `docs/schemas` of some documents.

    Where this fails, a document has changed: run `python docs/write_schemas.py`, and consider a new number.
    """
    stale = []
    for name in names:
        jsonschema.Draft202012Validator.check_schema(json_schema(name, documents))
        path = PUBLISHED / schema_file(name)
        if not path.is_file() or path.read_text(encoding="utf-8") != schema_text(name, documents) + "\n":
            stale.append(name)
    assert stale == []


def check_document(document: dict[str, Any], name: str = "", documents: Mapping[str, type] = DOCUMENTS) -> str:
    """Raises ValidationError for a document that is not as its schema says, also for a field that it lacks."""
    name = name or document["schema"]
    assert name in documents, name
    _validator(name, documents[name]).validate(document)
    return name


@cache
def _validator(name: str, kind: type) -> jsonschema.Draft202012Validator:
    schema = json_schema(name, {name: kind})
    return jsonschema.Draft202012Validator(schema if name in OPEN else _closed(schema))


OPEN = {"serab.bench/1", "serab.dataset/1", "serab.extractor-folder/1", "serab.journal/2"}
"""Documents with more fields than serab reads: of pytest-benchmark, of writers, of plugins and of Optuna."""


def _closed(schema: Any) -> Any:
    """The schema without unknown fields."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return {"additionalProperties": False, **closed} if isinstance(schema.get("properties"), dict) else closed
