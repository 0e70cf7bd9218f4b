"""Output of the commands: results go to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from serab_core.system.terminal import escape_controls, escape_json, escape_line

if TYPE_CHECKING:
    from rich.console import Console

    from serab_core.errors import SerabError
    from serab_core.project_file import IgnoredSetting
    from serab_core.store.home import Home
    from serab_core.types import Progress


show_tracebacks: ContextVar[bool] = ContextVar("show_tracebacks", default=False)
"""Whether `--debug` was given."""


def stdout() -> Console:
    """Return the console for results."""
    from serab_core.report.console import SafeConsole

    return SafeConsole()


def stderr() -> Console:
    """Return the console for progress and errors."""
    from serab_core.report.console import SafeConsole

    return SafeConsole(stderr=True)


def show_progress() -> Progress:
    """Return the progress display on stderr."""
    from serab_core.report.progress import progress_on

    return progress_on(stderr())


def find_home() -> Home:
    """Return the home of the session."""
    from serab_core.store import home

    return home.find_home()


def print_json(value: Any) -> None:
    """Print a document to stdout. Names that are not UTF-8 are written with JSON escapes, as in stored documents.

    If the encoding of stdout is not UTF-8, all characters outside ASCII are escaped: JSON is UTF-8 (RFC 8259, section
    8.1). Control characters of terminals are always escaped.
    """
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower().replace("_", "-")
    text = json.dumps(value, indent=2, ensure_ascii=encoding not in ("utf-8", "utf8"))
    sys.stdout.write(escape_json(text) + "\n")


def print_text(text: str) -> None:
    """Print a document with its own layout, such as CSV or Markdown, to stdout."""
    sys.stdout.write(escape_controls(text))


def print_error(error: SerabError, *, as_json: bool) -> None:
    """Print an error as text to stderr and, with `--json`, as a document to stdout."""
    from rich.text import Text

    console = stderr()
    console.print(Text.assemble(("Error", "bold red"), f" ({type(error).__name__})"))
    console.print(f"  {escape_line(str(error))}", soft_wrap=True)
    if as_json:
        print_json(error.as_json())


def print_ignored(ignored: IgnoredSetting) -> None:
    """Print to stderr that a setting of a project file is ignored."""
    stderr().print(f"serab: {ignored}", soft_wrap=True, style="yellow")
