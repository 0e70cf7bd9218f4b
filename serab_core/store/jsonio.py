"""JSON as serab writes it: sorted and indented, with equal bytes for equal values.

A file name that is not UTF-8 reaches Python as a string with lone surrogates. They are written as JSON's own escapes,
and read back as the same string.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from serab_core.store.atomic import write_bytes

if TYPE_CHECKING:
    from pathlib import Path


def dumps(value: Any) -> str:
    """Return the value as JSON text: keys sorted, an indent of two blanks, no NaN."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def digest(value: Any) -> str:
    """Return the sha256 of the value's shortest JSON; it identifies studies, shards and results."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(encode(text)).hexdigest()


def encode(text: str) -> bytes:
    """Return JSON text as UTF-8. A lone surrogate, from a file name that is not UTF-8, becomes its JSON escape."""
    return text.encode("utf-8", "backslashreplace")


def write_json(path: Path, value: Any) -> None:
    """Write a value atomically. Raises StoreError."""
    write_bytes(path, encode(dumps(value)))
