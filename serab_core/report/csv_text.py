"""CSV output that spreadsheet programs show as text and never evaluate as formulas."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from serab_core.system.terminal import escape_controls

if TYPE_CHECKING:
    from collections.abc import Sequence

_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")  # includes the full-width signs of East Asian input
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?%?")


def as_csv(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as CSV. An apostrophe precedes each cell that a spreadsheet program would evaluate as a formula."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[_literal(cell) for cell in row] for row in rows])
    return text.getvalue()


def _literal(cell: str) -> str:
    """Return a cell without formulas and control characters; numbers, including negative ones, stay unchanged."""
    cell = escape_controls(cell)
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
