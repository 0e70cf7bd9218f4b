"""Decodes JSON documents into typed objects, and encodes equal objects to equal bytes.

A `msgspec.Struct` describes a document; its first field `schema` names its kind and version, as a `Literal`. `decode`
rejects values of another type, numbers that are not finite, and text that is not Unicode. The error gives the place
in the document as a path, such as `$.outcomes[0].test`.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_type_hints

import msgspec

from serab_core.errors import ContentError, SerabError
from serab_core.store.atomic import write_bytes
from serab_core.store.jsonio import dumps
from serab_core.store.jsonio import encode as encode_text
from serab_core.store.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

T = TypeVar("T")

MAX_DEPTH = 32  # levels of nesting in values without a type; serab's own documents have at most 6
MAX_INTEGER = 2**63  # limit of 64-bit integers, which other programs read; no figure of serab is larger
OTHER_VERSION = "another version of serab wrote it: move the file away, or use that version"
AGAIN = "move the file away and run again"
_MISSING = re.compile(r"Object missing required field `(.*)`")
_LOCATED = re.compile(r"(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)


class _Head(msgspec.Struct):
    """The field that every document has."""

    schema: Any = None


class _SurrogateError(ValueError):
    """A string contains a lone surrogate, which is half of a character."""


def decode(
    content: bytes,
    kind: type[T],
    *,
    where: str | Path,
    surrogates_in: Collection[str] = (),
    error: type[SerabError] = ContentError,
) -> T:
    """Decode a document.

    Args:
        content: the document, as JSON in UTF-8.
        kind: the type to decode to, a Struct with a field `schema`, or any type that msgspec knows.
        where: the file, for errors.
        surrogates_in: fields of the document, such as `$.results[].speakers`, that may contain a lone surrogate for a
            byte of a file name that is not UTF-8. `("$",)` allows them everywhere, as in documents of this home.
        error: the class of error to raise.

    Returns:
        the typed object.

    Raises:
        ContentError: or the class given by `error`: the content is not JSON, has another schema, or a field has
            another type or an impossible value.
    """
    data = content.removeprefix(codecs.BOM_UTF8)

    wanted = _schemas(kind)

    def fail(problem: str) -> NoReturn:
        raise error(problem, where=where, next_step=AGAIN)

    try:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.ValidationError:
            if wanted:  # for a document of another version, report the version
                require_schema(schema_of(data), wanted, where, error)
            raise
        except msgspec.DecodeError:  # malformed JSON, or a lone surrogate, which msgspec does not read
            value = _parsed_with_surrogates(data)
        _check_text(value, surrogates_in)
        if wanted:
            require_schema(value.get("schema") if isinstance(value, dict) else None, wanted, where, error)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        fail(validation_text(fault))
    except RecursionError:
        fail("has more levels of nesting than a document of serab")
    except _SurrogateError as fault:
        fail(str(fault))
    except ValueError as fault:  # malformed JSON; bytes that are not UTF-8; NaN and Infinity, which are not JSON
        fail(f"is not JSON ({fault})")


def read(path: Path, kind: type[T]) -> T:
    """Read a document of this home.

    Raises:
        StoreError: it cannot be read.
        ContentError: it is not of this type.
    """
    return decode(read_file(path), kind, where=path, surrogates_in=("$",))


def write(path: Path, document: object) -> None:
    """Write a document atomically. Raises StoreError."""
    write_bytes(path, encode(document))


def read_json(path: Path, schema: str) -> dict[str, Any]:
    """Read a JSON object that names this schema; its fields may have any type.

    Raises:
        StoreError: the file cannot be read.
        ContentError: it is not a JSON object, or has another schema.
    """
    value: Any = decode(read_file(path), object, where=path, surrogates_in=("$",))
    require_schema(value.get("schema") if isinstance(value, dict) else None, (schema,), path)
    return dict(value)


def schema_of(content: bytes) -> Any:
    """Return the schema that a document names; None if it names no schema or is not a document."""
    try:
        return msgspec.json.decode(content, type=_Head).schema
    except (ValueError, RecursionError):  # the decoder of its type reports the problem
        return None


def encode(document: object) -> bytes:
    """Encode a typed object: keys sorted, indented, the same bytes for the same values."""
    return encode_text(dumps(msgspec.to_builtins(document)))


def json_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of a document."""
    return msgspec.json.schema(kind)


def convert(value: Any, kind: type[T], path: str) -> T:
    """Convert a value of a document, which was decoded without a type, to a typed object.

    Args:
        value: the value.
        kind: the type to convert to.
        path: the place of the value in the document, for errors.

    Raises:
        ValueError: the value has another type; the message gives the place.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        raise ValueError(validation_text(fault, path)) from fault


def check_untyped(value: Any, path: str, depth: int = MAX_DEPTH) -> None:
    """Check a value that has no declared type, such as parameters and provenance.

    Args:
        value: a JSON value.
        path: the place of the value in the document, for errors.
        depth: levels of nesting that are allowed.

    Raises:
        ValueError: it has too many levels of nesting, or a number that is not finite or has more than 64 bits.
    """
    if isinstance(value, dict | list | tuple):
        if depth == 0:
            raise ValueError(f"has too many levels of nesting at {path}: more than {MAX_DEPTH}")
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            check_untyped(item, f"{path}.{key}" if isinstance(value, dict) else f"{path}[{key}]", depth - 1)
    elif isinstance(value, int) and not -MAX_INTEGER <= value < MAX_INTEGER:
        raise ValueError(f"has an integer of more than 64 bits at {path}")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"has a number that is not finite at {path}")


def validation_text(fault: msgspec.ValidationError, path: str = "$") -> str:
    """Return the problem of a document as a predicate, with the place in the document."""
    match = _LOCATED.fullmatch(str(fault))
    assert match is not None, "the pattern matches every text"
    place = path + (match["path"] or "$").removeprefix("$")
    missing = _MISSING.fullmatch(match["reason"])
    if missing:
        return f"is incomplete at {place}: it lacks the field {missing[1]!r}"
    return f"is not valid at {place}: {match['reason']}"


def require_schema(
    schema: Any, wanted: Collection[str], where: str | Path, error: type[SerabError] = ContentError
) -> None:
    """Check that a document names one of the expected schemas. Raises ContentError, or `error`."""
    if not isinstance(schema, str) or schema not in wanted:
        shown = repr(schema[:100] if isinstance(schema, str) else schema)[:100]
        raise error(
            f"has schema {shown} where {' or '.join(map(repr, wanted))} is expected",
            where=where,
            next_step=OTHER_VERSION,
        )


def _schemas(kind: Any) -> tuple[str, ...]:
    if kind not in _SCHEMAS:
        hints = get_type_hints(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else {}
        _SCHEMAS[kind] = get_args(hints.get("schema"))
    return _SCHEMAS[kind]


_SCHEMAS: dict[Any, tuple[str, ...]] = {}  # cache by type, because type hints are slow to look up


def _parsed_with_surrogates(data: bytes) -> Any:
    """Parse a document with lone surrogates, which msgspec does not read. Raises ValueError, RecursionError."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is not a JSON number")

    return json.loads(data, parse_constant=refuse)


def _check_text(value: Any, allowed: Collection[str], path: str = "$", field: str = "$", depth: int = 500) -> None:
    """Check that lone surrogates represent bytes of file names, in fields that may contain file names.

    Args:
        value: a value of a document.
        allowed: fields that may contain them; see `surrogates_in` of `decode`.
        path: the place of the value, for errors.
        field: the same without the numbers of list items, for comparison with `allowed`.
        depth: levels of nesting that are allowed.

    Raises:
        ValueError: one does not; the message gives the place.
    """
    if field in allowed:
        allowed = ("$",)
    if depth == 0:
        raise RecursionError
    if isinstance(value, str):
        lone = [point for character in value if 0xD800 <= (point := ord(character)) <= 0xDFFF]
        if any(not 0xDC80 <= point <= 0xDCFF for point in lone) or (lone and "$" not in allowed):
            raise _SurrogateError(f"has text with a lone surrogate (half of a character) at {_printable(path)}")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key, allowed, path, f"{field}{{}}", depth - 1)
            _check_text(item, allowed, f"{path}.{key}", f"{field}.{key}", depth - 1)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            _check_text(item, allowed, f"{path}[{at}]", f"{field}[]", depth - 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a number at {_printable(path)} is out of range")


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
