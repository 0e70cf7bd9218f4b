"""Where the commands write: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from serab_core.errors import SerabError


show_tracebacks: ContextVar[bool] = ContextVar("show_tracebacks", default=False)
"""Whether `--debug` was given."""


def stdout() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console()


def stderr() -> Console:
    """The console for progress and errors."""
    from rich.console import Console

    return Console(stderr=True)


def print_json(value: Any) -> None:
    """Print a document to stdout. What the encoding of the output lacks is written with JSON's own escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeError:
        text = json.dumps(value, indent=2)
    sys.stdout.write(text + "\n")


def print_error(error: SerabError, *, as_json: bool) -> None:
    """Prints an error as words to stderr and, where JSON was asked for, as a document to stdout."""
    console = stderr()
    console.print(f"[bold red]Error[/bold red] ({type(error).__name__})", highlight=False)
    console.print(f"  {error}", highlight=False, markup=False, soft_wrap=True)
    if as_json:
        print_json(error.as_json())
