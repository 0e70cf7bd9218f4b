"""The interface through which long work reports progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Progress(Protocol):
    """A display of the progress of long work. The command line draws it; other packages only report to it."""

    def task(self, title: str, total: int, /) -> AbstractContextManager[Callable[[int], None]]:
        """Open a task of `total` steps; the context manager yields a function to call with newly completed steps."""
        ...

    def note(self, text: str, /) -> None:
        """Show one line, which stays visible."""
        ...
