"""The one seam between the work and where it runs: a `concurrent.futures.Executor`."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from serab_core import settings
from serab_core.cores import available_cores
from serab_core.errors import UsageError
from serab_core.run import worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")


class InlineExecutor(Executor):
    """Runs each job at once, in this process: for one job at a time, and for looking with a debugger."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Runs `fn` and returns its finished future; Ctrl-C passes through."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the work of a run is done.

    Attributes:
        jobs: how many pieces of work are done at a time.
    """

    jobs: int

    def open(self, advance: Callable[[str, int], None]) -> AbstractContextManager[Executor]:
        """The executor, for as long as a run takes; `advance` is told of progress as (stage, steps)."""
        return local_executor(self.jobs, advance)


def find_engine(name: str, jobs: int | None = None) -> Engine:
    """The engine of that name.

    Args:
        name: `local`, processes on this machine.
        jobs: at a time; what is set by default, or one a core.

    Raises:
        UsageError: there is no such engine.
        ConfigError: a setting cannot be.
    """
    if name != "local":
        raise UsageError(f"there is no engine {name!r}", next_step="--engine local runs processes on this machine")
    return Engine(jobs or int(str(settings.value("jobs") or available_cores())))


@contextmanager
def local_executor(jobs: int, advance: Callable[[str, int], None]) -> Iterator[Executor]:
    """An executor on this machine: processes for two jobs and more, this process for one.

    Args:
        jobs: how many run at a time.
        advance: told of progress as (stage, steps), from whichever process.
    """
    if jobs == 1:
        worker.report_to(advance)
        try:
            yield InlineExecutor()
        finally:
            worker.report_to(None)
        return
    context = multiprocessing.get_context("spawn")  # fork is unsafe beside the threads of numerical libraries
    queue = context.Queue()
    reader = threading.Thread(target=_drain, args=(queue, advance), daemon=True)
    reader.start()
    threads = max(1, available_cores() // jobs)
    pool = ProcessPoolExecutor(jobs, context, worker.initialise, (queue, threads, context.Value("i", 0)))
    try:
        yield pool
        pool.shutdown(wait=True)
    except BaseException:
        # Ctrl-C most of all: workers ignore it, and may be minutes into a job.
        for process in multiprocessing.active_children():
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    finally:
        queue.put(None)
        reader.join(timeout=5)
        queue.close()


def _drain(queue: Any, advance: Callable[[str, int], None]) -> None:
    while True:
        try:
            item = queue.get()
        except (EOFError, OSError):
            return
        if item is None:
            return
        advance(*item)
