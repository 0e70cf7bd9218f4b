"""Tables of results as pandas data frames, text and HTML."""

from __future__ import annotations

import io
from html import escape
from typing import TYPE_CHECKING, Any

from serab_core.errors import UsageError
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas
    from rich.console import Console

TEXT_COLUMNS = 100  # characters; width of a table as text, which a notebook cell shows without line breaks


def data_frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pandas.DataFrame:
    """Return rows as a data frame with these columns, in this order, even if there are no rows.

    Raises:
        UsageError: pandas is not installed.
    """
    return pandas_module().DataFrame(list(rows), columns=list(columns))


def pandas_module() -> Any:
    """Return pandas, which is an optional dependency. Raises UsageError if it is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise UsageError("data frames need pandas, which is not installed", next_step="pip install pandas") from error
    return pandas


def as_text(print_on: Callable[[Console], None]) -> str:
    """Return the text that a function prints on a console, without colours and trailing blanks."""
    from serab_core.report.console import SafeConsole

    stream = io.StringIO()
    plain = SafeConsole(file=stream, width=TEXT_COLUMNS, color_system=None, force_terminal=False, force_jupyter=False)
    print_on(plain)
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    return "\n".join(lines).strip("\n")


def as_html(heads: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str] = ()) -> str:
    """Return an HTML table with notes below it. All text is escaped; numbers are right-aligned.

    Args:
        heads: the heads of the columns.
        rows: the cells as text.
        notes: sentences.
    """
    head = "".join(f'<th style="text-align:left">{_escaped(text)}</th>' for text in heads)
    body = "".join(f"<tr>{''.join(_cell(text) for text in row)}</tr>" for row in rows)
    below = "".join(f'<div style="font-size:smaller;opacity:0.75">{_escaped(text)}</div>' for text in notes)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div>{table}{below}</div>"


def _cell(text: str) -> str:
    side = "right" if text[:1].isdigit() or text[:2] in ("-", "+") or text[:1] in "+-" else "left"
    return f'<td style="text-align:{side}">{_escaped(text)}</td>'


def _escaped(text: str) -> str:
    return escape(escape_line(text))
