"""What a worker process does before its first job. Light: it sets thread limits before any library reads them."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from multiprocessing.util import Finalize
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core.errors import WorkerError
from serab_core.system import offline
from serab_core.system.cpu import available_cores, share_cores
from serab_core.system.lifecycle import end_process
from serab_core.system.session import set_process_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    from serab_core.system.session import Session

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(slots=True)
class _Worker:
    """What this process knows of itself as a worker.

    Attributes:
        busy: a byte for each worker of the pool, 1 while it has a job; None outside a pool.
        number: this worker's place in it.
        report: where progress of jobs goes, as (phase, steps).
    """

    busy: Any = None
    number: int = 0
    report: Callable[[str, int], None] | None = None


_this = _Worker()


def initialise(session: Session, threads: int, busy: Any, report: Callable[[str, int], None], number: int) -> None:
    """Prepare a worker process: bounded threads, no Ctrl-C of its own, an end when its parent ends.

    Args:
        session: of the process that started the worker.
        threads: how many each numerical library may use.
        busy: the workers that have a job, each a byte at its number: one that dies is counted out by who replaces it.
        report: where progress goes, as (phase, steps).
        number: which worker this is.
    """
    set_process_session(session)
    _this.busy, _this.number = busy, number
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
    offline.disable_if_requested()
    with Path(os.devnull).open("rb") as empty:
        os.dup2(empty.fileno(), 0)  # plugins find an empty standard input, whatever the parent's is
    report_to(report)
    # The last of multiprocessing's finalizers: to unload torch's modules would take a second.
    Finalize(None, _leave, exitpriority=-100)


def serve(pipe: Connection, initialise: Callable[..., None], arguments: tuple[Any, ...], number: int) -> None:
    """Run the jobs that come through a pipe: the main function of a worker process.

    Args:
        pipe: to and from the pool; it brings calls, and None at the end.
        initialise: called once with `arguments`, a function that reports progress, and `number`.
    """
    lock = threading.Lock()

    def send(*message: Any) -> None:
        content = ForkingPickler.dumps(message)
        with lock:
            pipe.send_bytes(content)

    initialise(*arguments, lambda phase, steps: send("progress", phase, steps), number)
    send("ready")
    while True:
        try:
            message = pipe.recv_bytes()
        except (EOFError, OSError):  # the pool is gone
            return
        reply: tuple[Any, ...]
        try:
            job = ForkingPickler.loads(message)
            if job is None:
                return
            function, positional, keywords = job
            result = function(*positional, **keywords)
        except Exception as error:
            reply = ("error", error, traceback.format_exc())
        except BaseException as error:  # of a plugin that calls sys.exit
            reply = ("error", WorkerError(f"raised {type(error).__name__}: {error}"), "")
        else:
            reply = ("result", result)
        try:
            send(*reply)
        except OSError:
            return
        except Exception as error:  # what the job returned or raised cannot be sent
            text = "".join(traceback.format_exception_only(error)).strip()
            send("error", WorkerError(f"its result cannot be sent ({text})"), "")


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Around a job: counts this worker among the busy ones, and tells plugins how many cores are theirs meanwhile."""
    busy, number = _this.busy, _this.number
    if busy is None:
        yield
        return
    busy[number] = 1
    try:
        with share_cores(lambda: max(1, available_cores() // max(1, sum(busy)))):
            yield
    finally:
        busy[number] = 0


def report_to(report: Callable[[str, int], None] | None) -> None:
    """Set where this process's jobs report their progress."""
    _this.report = report


def report(phase: str, steps: int) -> None:
    """Report steps done; a pipe that is gone does not stop the work."""
    if _this.report is not None and steps:
        with contextlib.suppress(OSError, ValueError):
            _this.report(phase, steps)


def _leave() -> None:
    end_process(0)


def _end_with(sentinel: int) -> None:
    # A killed parent cannot end its workers; without this they would wait for jobs for ever.
    wait([sentinel])
    end_process(1)
