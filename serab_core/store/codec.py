"""Decodes JSON documents into typed objects, and encodes these to the same bytes every time.

A document is described by a `msgspec.Struct`; its first field `schema` names its kind and version, as a `Literal`.
Nothing of another type, no number that is not finite and no text that is not Unicode comes through `decode`; the
error says where in the document the fault lies, as a path such as `$.outcomes[0].test`.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, get_args, get_type_hints

import msgspec

from serab_core.errors import ContentError, SerabError
from serab_core.store.jsonio import dumps
from serab_core.store.jsonio import encode as encode_text
from serab_core.store.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

T = TypeVar("T")

MAX_DEPTH = 32  # levels of nesting in values without a type; those of serab have at most 6
MAX_INTEGER = 2**63  # what other programs read; larger ones are no figure of anything here
OTHER_VERSION = "it was written by another version of serab: move the file away, or use that version"
AGAIN = "move the file away and run again"
_MISSING = re.compile(r"Object missing required field `(.*)`")
_LOCATED = re.compile(r"(?P<reason>.*?)(?: - at `(?P<path>[^`]*)`)?", re.DOTALL)


class _Head(msgspec.Struct):
    """The field that every document has."""

    schema: Any = None


class _SurrogateError(ValueError):
    """A string holds half of a character."""


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
        surrogates_in: fields of the document, such as `$.results[].speakers`, in which a byte of a file name that is
            not UTF-8 may stand as a lone surrogate. `("$",)` allows them everywhere, as in documents of this home.
        error: the class of error to raise.

    Returns:
        the typed object.

    Raises:
        ContentError: or the class given by `error`: the content is no JSON, has another schema, or a field has another
            type or an impossible value.
    """
    data = content.removeprefix(codecs.BOM_UTF8)

    wanted = _schemas(kind)

    def fail(problem: str) -> NoReturn:
        raise error(problem, where=where, next_step=AGAIN)

    try:
        try:
            return msgspec.json.decode(data, type=kind)
        except msgspec.ValidationError:
            if wanted:  # of a document of another version, the version is what is wrong
                require_schema(schema_of(data), wanted, where, error)
            raise
        except msgspec.DecodeError:  # malformed, or with a lone surrogate, which msgspec does not read
            value = _parsed_with_surrogates(data)
        _check_text(value, surrogates_in)
        if wanted:
            require_schema(value.get("schema") if isinstance(value, dict) else None, wanted, where, error)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        fail(validation_text(fault))
    except RecursionError:
        fail("is nested too deeply to be a document of serab")
    except _SurrogateError as fault:
        fail(str(fault))
    except ValueError as fault:  # malformed JSON; bytes that are not UTF-8; NaN and Infinity, which JSON has not
        fail(f"is not JSON ({fault})")


def read(path: Path, kind: type[T]) -> T:
    """Read a document of this home.

    Raises:
        StoreError: it cannot be read.
        ContentError: it is not of this type.
    """
    return decode(read_file(path), kind, where=path, surrogates_in=("$",))


def schema_of(content: bytes) -> Any:
    """Return the schema that a document names; None where it names none or is no document."""
    try:
        return msgspec.json.decode(content, type=_Head).schema
    except (ValueError, RecursionError):  # the decoder of its type tells what is wrong
        return None


def encode(document: object) -> bytes:
    """Encode a typed object: keys sorted, indented, the same bytes for the same values."""
    return encode_text(dumps(msgspec.to_builtins(document)))


def json_schema(kind: type) -> dict[str, Any]:
    """Return the JSON Schema of a document."""
    return msgspec.json.schema(kind)


def convert(value: Any, kind: type[T], path: str) -> T:
    """Return a part of a document, which was decoded without a type, as a typed object.

    Args:
        value: the part.
        kind: its type.
        path: where it stands in the document.

    Raises:
        ValueError: it has another type; the message says where.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as fault:
        raise ValueError(validation_text(fault, path)) from fault


def check_untyped(value: Any, path: str, depth: int = MAX_DEPTH) -> None:
    """Check a value that has no type of its own, as parameters and provenance have not.

    Args:
        value: what JSON can hold.
        path: where it stands in the document.
        depth: levels of nesting that are allowed.

    Raises:
        ValueError: it is nested too deeply, or holds a number that is not finite or has more than 64 bits.
    """
    if isinstance(value, dict | list | tuple):
        if depth == 0:
            raise ValueError(f"is nested too deeply at {path}: more than {MAX_DEPTH} levels")
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            check_untyped(item, f"{path}.{key}" if isinstance(value, dict) else f"{path}[{key}]", depth - 1)
    elif isinstance(value, int) and not -MAX_INTEGER <= value < MAX_INTEGER:
        raise ValueError(f"has at {path} a whole number of more than 64 bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"has at {path} a number that is not finite")


def validation_text(fault: msgspec.ValidationError, path: str = "$") -> str:
    """Return what is wrong with a document, as a predicate with the place in the document."""
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
    """Compare the schema that a document names with those that are wanted. Raises ContentError, or `error`."""
    if not isinstance(schema, str) or schema not in wanted:
        shown = repr(schema[:100] if isinstance(schema, str) else schema)[:100]
        raise error(
            f"has schema {shown} where {' or '.join(map(repr, wanted))} is wanted",
            where=where,
            next_step=OTHER_VERSION,
        )


def _schemas(kind: Any) -> tuple[str, ...]:
    if kind not in _SCHEMAS:
        hints = get_type_hints(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else {}
        _SCHEMAS[kind] = get_args(hints.get("schema"))
    return _SCHEMAS[kind]


_SCHEMAS: dict[Any, tuple[str, ...]] = {}  # by type, because hints are slow to look up


def _parsed_with_surrogates(data: bytes) -> Any:
    """Parse a document that holds lone surrogates, which msgspec does not read. Raises ValueError, RecursionError."""

    def refuse(name: str) -> NoReturn:
        raise ValueError(f"{name} is no number of JSON")

    return json.loads(data, parse_constant=refuse)


def _check_text(value: Any, allowed: Collection[str], path: str = "$", field: str = "$", depth: int = 500) -> None:
    """Check that lone surrogates stand for bytes of file names, in fields where file names may stand.

    Args:
        value: a part of a document.
        allowed: see `decode`.
        path: where the part stands, for errors.
        field: where it stands, without the numbers of list items, for comparison with `allowed`.
        depth: levels of nesting that are allowed.

    Raises:
        ValueError: they do not; the message says where.
    """
    if field in allowed:
        allowed = ("$",)
    if depth == 0:
        raise RecursionError
    if isinstance(value, str):
        lone = [point for character in value if 0xD800 <= (point := ord(character)) <= 0xDFFF]
        if any(not 0xDC80 <= point <= 0xDCFF for point in lone) or (lone and "$" not in allowed):
            raise _SurrogateError(f"has at {_printable(path)} text with half of a character (a lone surrogate)")
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
