"""How the rooms report progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol


class Progress(Protocol):
    """Shows how far long work has come. The CLI draws it; the rooms only report."""

    def task(self, title: str, total: int, /) -> AbstractContextManager[Callable[[int], None]]:
        """Opens a stage of `total` steps; what it yields is called with the number of steps just done."""
        ...

    def note(self, text: str, /) -> None:
        """Shows one line that stays."""
        ...
