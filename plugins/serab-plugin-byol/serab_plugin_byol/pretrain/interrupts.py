"""Ctrl-C: the first one stops a run after its step, with a checkpoint; the second one stops it at once."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

    from serab_core.plugin import Progress


class Interrupts:
    """Context manager that delays Ctrl-C until the end of a step.

    Args:
        progress: shows the answer to Ctrl-C.
        gentle: whether to wait for the end of the step. False for several processes, which would stop at different
            steps.
    """

    def __init__(self, progress: Progress, *, gentle: bool) -> None:
        self._progress, self._gentle = progress, gentle and threading.current_thread() is threading.main_thread()
        self._asked = False
        self._before: Any = None

    def __enter__(self) -> None:
        """Install the signal handler."""
        if self._gentle:
            self._before = signal.signal(signal.SIGINT, self._take)

    def __exit__(self, *ignored: object) -> None:
        """Restore the previous signal handler."""
        if self._gentle:
            signal.signal(signal.SIGINT, self._before)

    def asked(self) -> bool:
        """Return whether the user has pressed Ctrl-C."""
        return self._asked

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._progress.note("Stopping after this step; Ctrl-C again stops at once.")
