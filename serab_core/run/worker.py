"""What a worker process does before its first job. Light: it sets thread limits before any library reads them."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)

_report: Callable[[str, int], None] | None = None


def initialise(queue: Any, threads: int) -> None:
    """Prepares a worker process: bounded threads, no Ctrl-C of its own, an end when its parent ends.

    Args:
        queue: where progress goes, as (stage, steps).
        threads: how many each numerical library may use.
    """
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sees Ctrl-C and ends its workers
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    report_to(lambda stage, steps: queue.put((stage, steps)))


def report_to(report: Callable[[str, int], None] | None) -> None:
    """Says where this process's jobs report their progress."""
    global _report
    _report = report


def report(stage: str, steps: int) -> None:
    """Reports steps done; a queue that is gone does not stop the work."""
    if _report is not None and steps:
        with contextlib.suppress(OSError, ValueError):
            _report(stage, steps)


def _end_with(sentinel: int) -> None:
    # A killed parent cannot end its workers; without this they would wait for jobs for ever.
    wait([sentinel])
    os._exit(1)
