"""The console that all commands print to: rich's, which shows the control characters of strangers as codes.

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
    """A console on which text cannot command the terminal.

    rich renders whatever is printed (tables, progress bars, their cells) by `render`, cell by cell, before it
    computes the layout. The colours and cursor movements of rich itself are no text there, and stay.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, **options)  # "[red]" and ":label:" stay as they are

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render an object; each of its texts without control characters."""
        for segment in super().render(renderable, options):
            shown = segment.text if segment.control else escape_controls(segment.text)
            yield segment if shown is segment.text else Segment(shown, segment.style)

    def render_str(self, text: str, **options: Any) -> Text:
        """Render a string; its control characters become codes before rich measures and wraps it."""
        return super().render_str(escape_controls(text), **options)
