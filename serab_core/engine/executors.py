"""Engines: each provides a `concurrent.futures.Executor` that runs the jobs of a run."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from serab_core import settings
from serab_core.engine import worker
from serab_core.engine.processes import WorkerPool
from serab_core.engine.worker_context import worker_context
from serab_core.errors import UsageError
from serab_core.system import memory
from serab_core.system.cpu import available_cores
from serab_core.system.hints import option
from serab_core.system.session import current_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_MEMORY = 0.7  # fraction of the machine's memory for all workers; the rest is for this process and the system


class InlineExecutor(Executor):
    """An executor that runs each job at once in this process: for one job at a time, and for debuggers."""

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Run `fn`, and return its finished future; KeyboardInterrupt is not caught."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Engine(Protocol):
    """The interface of an engine, which runs the jobs of a run.

    Attributes:
        jobs: number of jobs that run at the same time.
        live: workers report progress while a job runs; otherwise the run shows progress when a job is finished.
    """

    @property
    def jobs(self) -> int:
        """The number of jobs that run at the same time."""

    @property
    def live(self) -> bool:
        """Whether workers report progress while a job runs; otherwise the run shows it when a job is finished."""

    def open(self, advance: Callable[[str, int], None]) -> AbstractContextManager[Executor]:
        """Provide an executor for the duration of a run; `advance` is called with progress as (phase, steps)."""


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """An engine with processes on this machine; for one job at a time it uses this process.

    Attributes:
        timeout_s: seconds without a heartbeat after which a worker is killed.
    """

    jobs: int
    timeout_s: float = settings.TIMEOUT_S
    live: bool = True

    def open(self, advance: Callable[[str, int], None]) -> AbstractContextManager[Executor]:
        """Provide an executor; see `Engine.open`."""
        return _in_process(advance) if self.jobs == 1 else _worker_pool(self.jobs, self.timeout_s, advance)


def find_engine(name: str, jobs: int | None = None) -> Engine:
    """Return the engine called `name`.

    Args:
        name: `local`, processes on this machine; or `dask://HOST:PORT`, the workers of a Dask scheduler.
        jobs: number of jobs at the same time; by default the setting, or one per core. Dask uses all its workers.

    Raises:
        UsageError: there is no such engine, or it does not respond.
        ConfigError: a setting is invalid.
    """
    if name.startswith("dask://"):
        from serab_core.engine.dask_engine import DaskEngine

        return DaskEngine(name.removeprefix("dask://"))
    if name != "local":
        raise UsageError(
            f"there is no engine {name!r}",
            next_step=f"use {option('engine', 'local')} for processes here, or {option('engine', 'dask://HOST:PORT')} "
            "for a Dask cluster",
        )
    current = settings.current_settings()
    return LocalEngine(jobs or current.jobs, current.patience)


@contextmanager
def _in_process(advance: Callable[[str, int], None]) -> Iterator[Executor]:
    worker.report_to(advance)
    try:
        yield InlineExecutor()
    finally:
        worker.report_to(None)


@contextmanager
def _worker_pool(jobs: int, timeout_s: float, advance: Callable[[str, int], None]) -> Iterator[Executor]:
    context = worker_context()
    busy = context.RawArray("b", jobs)
    threads = max(1, available_cores() // jobs)
    memory_limit = int(_MEMORY * memory.total_memory() / jobs)
    arguments = (current_session().data(), threads, busy)
    pool = WorkerPool(jobs, context, worker.initialise, arguments, timeout_s, memory_limit, advance)
    try:
        yield pool
        pool.shutdown(wait=True)
    except BaseException:
        # After Ctrl-C in particular: workers ignore it, and a job may take minutes.
        pool.terminate()
        raise
