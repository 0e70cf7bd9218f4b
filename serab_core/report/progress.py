"""Progress displays: bars with the remaining time in a terminal, plain lines on a pipe. They always use stderr."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import Console

    from serab_core.types import Progress as Shows


LINE_EVERY_S = 5.0  # seconds between lines on a pipe, so that log files stay short
_UPDATE_EVERY_S = 0.3  # seconds between updates in a notebook: visibly active, but cheap for a remote server
_KERNEL_VARIABLE = "JPY_PARENT_PID"  # Jupyter sets it for kernels; commands started from a cell inherit it


def progress_on(console: Console, *, quiet: bool = False) -> Shows:
    """Return the progress display that suits a console."""
    if quiet:
        return Silent()
    if os.environ.get(_KERNEL_VARIABLE):  # in a notebook, or in a command that a notebook cell runs
        return NotebookLines() if "ipykernel" in sys.modules else Lines(console)
    return Bars(console) if console.is_terminal else Lines(console)


class Silent:
    """A display that shows nothing."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a task that is not displayed."""
        yield lambda steps: None

    def note(self, text: str) -> None:
        """Discard the line."""


class Bars:
    """Progress bars of rich, one for each task; when a task ends, a line replaces its bar.

    The clock of a task starts with its first step, because tasks may be opened together and wait for each other.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
        )
        self._open = 0

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a bar; a task without steps shows nothing."""
        if total == 0:
            yield lambda steps: None
            return
        if self._open == 0:
            self._progress.start()
        self._open += 1
        bar = self._progress.add_task(escape_line(title), total=total)
        clock = _Clock(total)

        def advance(steps: int) -> None:
            clock.advance(steps)
            self._progress.advance(bar, steps)

        try:
            yield advance
        finally:
            self._progress.remove_task(bar)
            self._open -= 1
            if self._open == 0:
                self._progress.stop()
        self._console.print(
            f"{title}: {total} after {spoken(clock.elapsed)}", style="dim", highlight=False, markup=False
        )

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(text, highlight=False, markup=False)


class Lines:
    """Plain lines: when a task starts, every few seconds with the remaining time, and when it ends."""

    def __init__(self, console: Console, every: float = LINE_EVERY_S) -> None:
        self._console = console
        self._every = every

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a task; a task without steps shows nothing."""
        if total == 0:
            yield lambda steps: None
            return
        clock = _Clock(total)
        last = time.monotonic()

        def advance(steps: int) -> None:
            nonlocal last
            clock.advance(steps)
            if clock.completed < total and time.monotonic() - last >= self._every and clock.left is not None:
                last = time.monotonic()
                self.note(f"{title}: {clock.completed} of {total}, about {spoken(clock.left)} left")
            if steps and clock.completed == total:
                self.note(f"{title}: {total} done after {spoken(clock.elapsed)}")

        self.note(f"{title}: {total} to do")
        yield advance

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


class NotebookLines:
    """One line for each task in the output of a notebook cell, which is updated in place."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a task; a task without steps shows nothing."""
        if total == 0:
            yield lambda steps: None
            return
        from IPython.display import Pretty, display

        clock = _Clock(total)
        shown = display(Pretty(f"{title}: {total} to do"), display_id=True)
        last = time.monotonic()

        def advance(steps: int) -> None:
            nonlocal last
            clock.advance(steps)
            if clock.completed < total and time.monotonic() - last >= _UPDATE_EVERY_S:
                last = time.monotonic()
                left = "" if clock.left is None else f", about {spoken(clock.left)} left"
                shown.update(Pretty(f"{title}: {clock.completed} of {total}{left}"))

        try:
            yield advance
        finally:
            shown.update(Pretty(f"{title}: {clock.completed} after {spoken(clock.elapsed)}"))

    def note(self, text: str) -> None:
        """Show a line."""
        from IPython.display import Pretty, display

        display(Pretty(escape_line(text)))


class _Clock:
    """A counter of steps that estimates the remaining time from the first step on; it is safe to use from threads."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._opened = time.monotonic()
        self._first: tuple[float, int] | None = None
        self._last = self._opened
        self._lock = threading.Lock()
        self.completed = 0

    def advance(self, steps: int) -> None:
        with self._lock:
            self.completed += steps
            self._last = time.monotonic()
            if self._first is None and steps:
                self._first = (self._last, self.completed)

    @property
    def elapsed(self) -> float:
        """Seconds from opening the task to the last step."""
        return self._last - self._opened

    @property
    def left(self) -> float | None:
        """Estimated remaining seconds, at the rate since the first step; None before the second step."""
        if self._first is None or self.completed <= self._first[1]:
            return None
        seconds_per_step = (self._last - self._first[0]) / (self.completed - self._first[1])
        return seconds_per_step * (self._total - self.completed)


def spoken(seconds: float) -> str:
    """Return a duration as text, such as `2.5 s`, `3 min 07 s` or `1 h 20 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    )
