"""The start of worker processes: without the user's script, and without the working folder on their import path."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import contextmanager
from multiprocessing import spawn
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TYPE_CHECKING, Any

from serab_core.errors import UsageError
from serab_core.settings import existing_folder
from serab_core.system.environment import set_variables, variable

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAFE_PATH = "PYTHONSAFEPATH"
_MARK = "serab-worker"  # value of the variable if serab has set it, for the start of a worker only
_MAIN = ("init_main_from_name", "init_main_from_path")  # multiprocessing's keys for the user's script
_lock = threading.Lock()


class WorkerProcess(SpawnProcess):
    """A process that does not import the script of its parent.

    multiprocessing imports the script in each new process, for functions that are defined there. Jobs of serab are
    defined in modules. A script without `if __name__ == "__main__":` would start the whole run again in each worker.
    """

    def start(self) -> None:
        """Start the process."""
        with _worker_start():
            super().start()

    def run(self) -> None:
        """Run in the new process. Processes that a plugin starts there use the usual import path."""
        if os.environ.get(_SAFE_PATH) == _MARK:
            set_variables({_SAFE_PATH: None})
        super().run()


class WorkerContext(SpawnContext):
    """A context of multiprocessing whose processes are `WorkerProcess`."""

    Process = WorkerProcess


def worker_context() -> WorkerContext:
    """Return the context for worker processes.

    Forking would be unsafe with the threads of numerical libraries.

    Raises:
        UsageError: this process may not start other processes.
    """
    current = multiprocessing.current_process()
    if getattr(current, "_inheriting", False):  # multiprocessing sets this while a process starts
        raise UsageError(
            "a worker process imports this script again, and the script would start a run in it",
            where=getattr(sys.modules.get("__mp_main__"), "__file__", None),
            next_step='put the code of the script under `if __name__ == "__main__":`, or run it with 1 job',
        )
    if current.daemon:
        raise UsageError(
            f"the process {current.name} is a daemon of multiprocessing, which may not start worker processes",
            next_step="run with 1 job there, or start serab from the main process",
        )
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        with _worker_start(), _hangup_ignored():
            resource_tracker.ensure_running()  # a separate process, which the first lock would start later
    return WorkerContext()


@contextmanager
def _hangup_ignored() -> Iterator[None]:
    """Ignore SIGHUP while processes start: they survive a closed terminal, and this process ends them in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before if before is not None else signal.SIG_DFL)


@contextmanager
def _worker_start() -> Iterator[None]:
    """Exclude the user's script and the working folder from the processes that this thread starts."""
    with _lock:
        thread, prepare, before = threading.get_ident(), spawn.get_preparation_data, os.environ.get(_SAFE_PATH)

        def prepare_worker(name: str) -> dict[str, Any]:
            data = dict(prepare(name))
            if threading.get_ident() == thread:
                for key in _MAIN:
                    data.pop(key, None)
            return data

        spawn.get_preparation_data = prepare_worker
        try:
            with variable(_SAFE_PATH, before or _MARK), existing_folder():
                yield
        finally:
            spawn.get_preparation_data = prepare
