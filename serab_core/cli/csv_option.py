"""Reads lists off the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def split_words(values: Iterable[str] | None) -> list[str]:
    """Return the words of `--tasks a,b --tasks c`: a, b, c.

    Raises:
        UsageError: a value has commas and no word, which would otherwise mean the same as no value, that is: all.
    """
    words: list[str] = []
    for value in values or ():
        split = [word.strip() for word in value.split(",") if word.strip()]
        if value.strip() and not split:
            from serab_core.errors import UsageError

            raise UsageError(f"{value!r} names nothing", next_step="write names with commas between them")
        words += split
    return words


def single_word(value: str, kind: str) -> str:
    """Return the one name that an argument has to be.

    Args:
        value: as the user wrote it.
        kind: of what, for messages, such as `extractor`.

    Raises:
        UsageError: it is none, or several.
    """
    words = split_words([value])
    if len(words) != 1:
        from serab_core.errors import UsageError

        count = "several names" if words else "no name"
        raise UsageError(f"{value!r} is {count}", next_step=f"name one {kind} there")
    return words[0]
