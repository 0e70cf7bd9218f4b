"""What a worker process does before its first job. Light: it sets thread limits before any library reads them."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.system import offline
from serab_core.system.cpu import available_cores, share_cores
from serab_core.system.lifecycle import end_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

_report: Callable[[str, int], None] | None = None
_busy: Any = None


def initialise(threads: int, busy: Any, line: Connection, number: int) -> None:
    """Prepares a worker process: bounded threads, no Ctrl-C of its own, an end when its parent ends.

    Args:
        threads: how many each numerical library may use.
        busy: the workers that have a job, each a byte at its number: one that dies is counted out by who replaces it.
        line: where progress goes, as (stage, steps).
        number: which worker this is.
    """
    global _busy
    _busy = (busy, number)
    busy[number] = 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # what a plugin prints must not fail its job
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    for name in ("SIGINT", "SIGHUP"):  # the parent sees Ctrl-C, and a terminal that closes, and ends its workers
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    offline.shut_if_asked()
    with Path(os.devnull).open("rb") as empty:
        os.dup2(empty.fileno(), 0)  # plugins find an empty standard input, whatever the parent's is
    report_to(lambda stage, steps: line.send((stage, steps)))
    # After multiprocessing's own farewell nothing is left to do; taking torch's modules down would last a second.
    Finalize(None, _leave, exitpriority=-100)


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Around a job: counts this worker among the busy ones, and tells plugins how many cores are theirs meanwhile."""
    if _busy is None:
        yield
        return
    busy, number = _busy
    busy[number] = 1
    try:
        with share_cores(lambda: max(1, available_cores() // max(1, sum(busy)))):
            yield
    finally:
        busy[number] = 0


def report_to(report: Callable[[str, int], None] | None) -> None:
    """Says where this process's jobs report their progress."""
    global _report
    _report = report


def report(stage: str, steps: int) -> None:
    """Reports steps done; a queue that is gone does not stop the work."""
    if _report is not None and steps:
        with contextlib.suppress(OSError, ValueError):
            _report(stage, steps)


def _leave() -> None:
    end_process(0)


def _end_with(sentinel: int) -> None:
    # A killed parent cannot end its workers; without this they would wait for jobs for ever.
    wait([sentinel])
    end_process(1)
