"""Checks JSON documents against the JSON Schemas of their types."""

from __future__ import annotations

from functools import cache
from typing import Any

import jsonschema

from serab_core.documents import DOCUMENTS, json_schema


def check_document(document: dict[str, Any], name: str = "") -> str:
    """Raises ValidationError for a document that is not as its schema says, also for a field that it lacks."""
    name = name or document["schema"]
    assert name in DOCUMENTS, name
    _validator(name).validate(document)
    return name


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(_closed(json_schema(name)) if name not in OPEN else json_schema(name))


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
