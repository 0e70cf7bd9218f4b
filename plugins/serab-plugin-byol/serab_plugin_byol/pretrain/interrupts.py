"""Ctrl-C: the first one ends a run after its step, with a checkpoint; the second at once."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from serab_core.plugin import Progress


class Interrupts:
    """Keeps Ctrl-C from tearing a step apart.

    Args:
        progress: where the answer to a Ctrl-C goes.
        gentle: whether to wait for the step's end; several processes would each stop at a step of their own.
    """

    def __init__(self, progress: Progress, *, gentle: bool) -> None:
        self._progress, self._gentle = progress, gentle and threading.current_thread() is threading.main_thread()
        self._asked = False
        self._before: Any = None

    def __enter__(self) -> None:
        """Takes the signal over."""
        if self._gentle:
            self._before = signal.signal(signal.SIGINT, self._take)

    def __exit__(self, *ignored: object) -> None:
        """Gives it back."""
        if self._gentle:
            signal.signal(signal.SIGINT, self._before)

    def asked(self) -> bool:
        """Whether somebody has pressed Ctrl-C."""
        return self._asked

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._progress.note("Stopping after this step; Ctrl-C again stops at once.")
