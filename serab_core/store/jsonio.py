"""JSON as serab writes it: sorted, indented, the same bytes for the same values.

A file name that is not UTF-8 reaches Python as a string with lone surrogates. They are written as JSON's own escapes,
and read back as the same string.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from serab_core.errors import ContentError, store_error
from serab_core.store.atomic import write_bytes

if TYPE_CHECKING:
    from pathlib import Path


def dumps(value: Any) -> str:
    """The value as JSON text: keys sorted, two blanks of indent, no NaN."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def digest(value: Any) -> str:
    """sha256 of the value's shortest JSON; the identity of studies, shards and results."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(encode(text)).hexdigest()


def encode(text: str) -> bytes:
    """JSON text as UTF-8. A lone surrogate, half of a name that is not UTF-8, becomes its JSON escape."""
    return text.encode("utf-8", "backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Writes a value whole or not at all. Raises StoreError."""
    write_bytes(path, encode(dumps(value)))


def read_json(path: Path, schema: str) -> dict[str, Any]:
    """Reads an object that says it has this schema.

    Raises:
        StoreError: the file cannot be read.
        ContentError: it is no JSON object, or has another schema.
    """
    try:
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise store_error(error, path, "read") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContentError(
            f"is not JSON ({error})", where=path, next_step="move the file away and run again"
        ) from error
    found = value.get("schema") if isinstance(value, dict) else None
    if found != schema:
        raise ContentError(
            f"has schema {found!r} where {schema!r} is wanted",
            where=path,
            next_step="it was written by another version of serab: move the file away, or use that version",
        )
    return dict(value)
