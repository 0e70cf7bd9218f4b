"""Reads lists off the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def split_words(values: Iterable[str] | None) -> list[str]:
    """`--tasks a,b --tasks c` as a, b, c."""
    return [word.strip() for value in values or () for word in value.split(",") if word.strip()]
