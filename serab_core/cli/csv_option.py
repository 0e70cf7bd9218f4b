"""Parsing of comma-separated lists on the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


def split_csv(values: Iterable[str] | None) -> list[str]:
    """Return the items of `--tasks a,b --tasks c`: a, b, c.

    Raises:
        UsageError: a value has commas and no item. Without the error it would mean the default, which is all.
    """
    items: list[str] = []
    for value in values or ():
        new = [item.strip() for item in value.split(",") if item.strip()]
        if value.strip() and not new:
            raise UsageError(f"{value!r} names nothing", next_step="write names with commas between them")
        items += new
    return items


def single_name(value: str, kind: str) -> str:
    """Return the name in an argument that must be exactly one name.

    Args:
        value: the argument as the user wrote it.
        kind: the kind of name for messages, such as `extractor`.

    Raises:
        UsageError: the argument has no name, or several.
    """
    names = split_csv([value])
    if len(names) != 1:
        count = "several names" if names else "no name"
        raise UsageError(f"{value!r} is {count}", next_step=f"name one {kind} there")
    return names[0]
