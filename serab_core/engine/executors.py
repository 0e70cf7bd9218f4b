"""The one seam between the work and where it runs: a `concurrent.futures.Executor`."""

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
from serab_core.system.session import current_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_MEMORY = 0.7  # fraction of the machine's memory for all workers together; the rest is this process's and the system's


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


class Engine(Protocol):
    """Where the work of a run is done.

    Attributes:
        jobs: how many jobs run at a time.
        live: workers report progress while a job runs; where they do not, the run shows it when a job is done.
    """

    @property
    def jobs(self) -> int:
        """How many jobs run at a time."""

    @property
    def live(self) -> bool:
        """Whether workers report progress while a job runs; where they do not, the run shows it when a job is done."""

    def open(self, advance: Callable[[str, int], None]) -> AbstractContextManager[Executor]:
        """The executor, for as long as a run takes; `advance` is called with progress as (phase, steps)."""


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """Processes on this machine; this process alone, for one job at a time.

    Attributes:
        timeout_s: seconds; a worker that reports nothing for longer is killed.
    """

    jobs: int
    timeout_s: float = settings.TIMEOUT_S
    live: bool = True

    def open(self, advance: Callable[[str, int], None]) -> AbstractContextManager[Executor]:
        """As `Engine` has it."""
        return _in_process(advance) if self.jobs == 1 else _worker_pool(self.jobs, self.timeout_s, advance)


def find_engine(name: str, jobs: int | None = None) -> Engine:
    """The engine of that name.

    Args:
        name: `local`, processes on this machine; or `dask://HOST:PORT`, the workers of a Dask scheduler.
        jobs: at a time; what is set by default, or one a core. Dask's are as many as it has workers.

    Raises:
        UsageError: there is no such engine, or it does not answer.
        ConfigError: a setting cannot be.
    """
    if name.startswith("dask://"):
        from serab_core.engine.dask_engine import DaskEngine

        return DaskEngine(name.removeprefix("dask://"))
    if name != "local":
        raise UsageError(
            f"there is no engine {name!r}",
            next_step="--engine local runs processes here, --engine dask://HOST:PORT uses those of a Dask cluster",
        )
    return LocalEngine(jobs or int(str(settings.value("jobs") or available_cores())), settings.timeout_s())


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
        # Ctrl-C most of all: workers ignore it, and may be minutes into a job.
        pool.terminate()
        raise
