"""The main function of a worker process.

This module imports no numerical library, because thread limits must be set before such a library reads them.
"""

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
from serab_core.system.environment import set_variables
from serab_core.system.lifecycle import end_process
from serab_core.system.log import show_log
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
    """The state of this process as a worker.

    Attributes:
        busy: a byte for each worker of the pool, 1 while it has a job; None outside a pool.
        number: the index of this worker in `busy`.
        report: receives the progress of jobs, as (phase, steps).
    """

    busy: Any = None
    number: int = 0
    report: Callable[[str, int], None] | None = None


_this = _Worker()


def initialise(session: Session, threads: int, busy: Any, report: Callable[[str, int], None], number: int) -> None:
    """Prepare a worker process: limit its threads, ignore Ctrl-C, and exit when the parent exits.

    Args:
        session: the session of the process that started the worker.
        threads: number of threads for each numerical library.
        busy: a byte for each worker, 1 while it has a job. The successor of a worker that died resets its byte.
        report: receives progress, as (phase, steps).
        number: the number of this worker.
    """
    set_process_session(session)
    show_log(session.verbosity)
    _this.busy, _this.number = busy, number
    busy[number] = 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the output of a plugin must not fail its job
    set_variables(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    for name in ("SIGINT", "SIGHUP"):  # the parent handles Ctrl-C and a closed terminal, and ends its workers
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    offline.disable_if_requested()
    with Path(os.devnull).open("rb") as empty:
        os.dup2(empty.fileno(), 0)  # plugins must not read the standard input of the parent
    report_to(report)
    # The last of multiprocessing's finalizers: it exits without unloading modules, which takes torch a second.
    Finalize(None, _leave, exitpriority=-100)


def serve(pipe: Connection, initialise: Callable[..., None], arguments: tuple[Any, ...], number: int) -> None:
    """Run the jobs that arrive through a pipe: the main function of a worker process.

    Args:
        pipe: the connection to the pool; it delivers calls, and None at the end.
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
        except (EOFError, OSError):  # the pool has closed
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
        except BaseException as error:  # a plugin may call sys.exit
            reply = ("error", WorkerError(f"raised {type(error).__name__}: {error}"), "")
        else:
            reply = ("result", result)
        try:
            send(*reply)
        except OSError:
            return
        except Exception as error:  # the result or the exception of the job cannot be pickled
            text = "".join(traceback.format_exception_only(error)).strip()
            send("error", WorkerError(f"its result cannot be sent ({text})"), "")


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Mark this worker as busy during a job, and divide the cores among the busy workers."""
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
    """Set the function that receives the progress of this process's jobs."""
    _this.report = report


def report(phase: str, steps: int) -> None:
    """Report completed steps; a closed pipe does not stop the work."""
    if _this.report is not None and steps:
        with contextlib.suppress(OSError, ValueError):
            _this.report(phase, steps)


def describe_exit(process: Any, timeout_s: float) -> str:
    """Return how a process ended, for messages; wait for its end if necessary."""
    process.join(timeout_s)
    code = process.exitcode
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    reasons = {
        "SIGKILL": "killed, perhaps out of memory",
        "SIGSEGV": "crashed in native code",
        "SIGABRT": "aborted",
    }
    return f"{name}: {reasons[name]}" if name in reasons else name


def _leave() -> None:
    end_process(0)


def _end_with(sentinel: int) -> None:
    # A killed parent cannot end its workers; without this they would wait for jobs forever.
    wait([sentinel])
    end_process(1)
