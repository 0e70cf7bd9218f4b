"""The console that all commands print to: a rich console that shows control characters in untrusted text as codes.

Styles come from `Text` and from `style=`, never from markup within a string.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from serab_core.system.terminal import escape_controls

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import ConsoleOptions, RenderableType


class SafeConsole(Console):
    """A console on which printed text cannot control the terminal.

    rich renders everything that is printed (tables, progress bars, their cells) with `render`, cell by cell, before it
    computes the layout. The colours and cursor movements of rich itself are control segments there, and remain.
    """

    def __init__(self, **options: Any) -> None:
        # "[red]" and ":label:" are printed unchanged, and numbers have no colours of their own
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object, with control characters in its texts replaced by codes."""
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else escape_controls(segment.text)
            yield segment if shown is segment.text else Segment(shown, segment.style)

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string, with control characters replaced by codes before rich measures and wraps it."""
        return super().render_str(escape_controls(text), **options)


def print_line(console: Console, text: str) -> None:
    """Print a sentence, without highlighting."""
    console.print(text, highlight=False)


def print_note(console: Console, text: str) -> None:
    """Print a sentence in a dim style."""
    console.print(text, style="dim", highlight=False)


def print_notices(console: Console, notices: Iterable[str]) -> None:
    """Print each notice as a note."""
    for notice in notices:
        print_note(console, notice)
