"""Worker processes of which each has one job at a time, so that a death names its job, and costs nobody else's."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, TypeVar, cast

from serab_core.errors import WorkerError
from serab_core.system import memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

_T = TypeVar("_T")
TRIES = 3
"""Of a job whose worker dies: it is tried again elsewhere, twice."""
_LOOK_S, _LISTEN_S = 0.5, 0.05
_GROWN = 1.5
"""What a model takes from its first job on is no leak."""


@dataclass(slots=True, eq=False)
class _Task:
    """A job that was handed in.

    Attributes:
        deaths: what became of workers that had it.
        silent: its worker was ended, for nothing was heard of it.
        last: the worker that had it last.
    """

    future: Future[Any]
    call: Callable[[], Any]
    deaths: list[str] = field(default_factory=list)
    silent: bool = False
    last: _Worker | None = None


@dataclass(slots=True, eq=False)
class _Worker:
    """A pool of one process, replaced when that dies.

    Attributes:
        line: what it reports comes out here.
        far_end: of the line, open here until the process has it.
        heard: when something last came.
        held: memory after its first job, in bytes.
    """

    number: int
    pool: ProcessPoolExecutor
    line: Connection
    far_end: Connection | None
    task: _Task | None = None
    process: Any = None
    heard: float = 0.0
    held: int = 0


class Crew(Executor):
    """An executor over worker processes.

    Args:
        size: how many.
        context: how processes are started.
        initialise: called in each with `arguments`, a connection for what it reports, and its number in the crew.
        patience_s: a worker that reports nothing for so long, while it has a job, is ended, and the job failed.
        share: bytes; a worker that has grown to more is replaced between two jobs. 0 for no limit.
        advance: told what workers report, as (stage, steps).

    Attributes:
        notices: what users should know when it is over.
    """

    def __init__(
        self,
        size: int,
        context: BaseContext,
        initialise: Callable[..., None],
        arguments: tuple[Any, ...],
        patience_s: float,
        share: int,
        advance: Callable[[str, int], None],
    ) -> None:
        self._context, self._initialise, self._arguments = context, initialise, arguments
        self._patience_s, self._share, self._advance = patience_s, share, advance
        self.notices: list[str] = []
        self._lock = threading.RLock()
        self._idle_again = threading.Condition(self._lock)
        self._waiting: deque[_Task] = deque()
        self._closed = False
        self._retired: list[ProcessPoolExecutor] = []
        self._old_lines: list[Connection] = []
        self._workers = [_Worker(number, *self._new_pool(number)) for number in range(size)]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=own, daemon=True) for own in (self._watch, self._listen)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Hands in a job."""
        future: Future[_T] = Future()
        with self._lock:
            if self._closed:
                raise RuntimeError("the crew has gone home")
            self._waiting.append(_Task(future, partial(fn, *args, **kwargs)))
            self._dispatch()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the crew: once all jobs are done, or with `cancel_futures` once those under way are."""
        with self._idle_again:
            if cancel_futures:
                while self._waiting:
                    self._waiting.popleft().future.cancel()
            while wait and (self._waiting or any(worker.task for worker in self._workers)):
                self._idle_again.wait()
            self._closed = True
        for worker in self._workers:
            worker.pool.shutdown(wait=wait)
        self._leave()

    def terminate(self) -> None:
        """Ends every worker at once, whatever it does."""
        with self._lock:
            self._closed = True
            while self._waiting:
                self._waiting.popleft().future.cancel()
            processes = [worker.process for worker in self._workers if worker.process is not None]
        for process in processes:
            process.terminate()
        for worker in self._workers:
            worker.pool.shutdown(wait=True, cancel_futures=True)
        self._leave()

    def _leave(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        for pool in self._retired:
            pool.shutdown()
        for line in self._old_lines:
            line.close()
        for worker in self._workers:
            worker.line.close()
            if worker.far_end is not None:
                worker.far_end.close()

    def _new_pool(self, number: int) -> tuple[ProcessPoolExecutor, Connection, Connection]:
        """A pool, and both ends of its own line: a process that dies while it writes would block a shared one."""
        line, far_end = self._context.Pipe(duplex=False)
        arguments = (*self._arguments, far_end, number)
        return ProcessPoolExecutor(1, self._context, self._initialise, arguments), line, far_end

    def _dispatch(self) -> None:
        """Gives waiting jobs to workers that have none; the lock is held."""
        while self._waiting and (idle := [worker for worker in self._workers if worker.task is None]):
            task = self._waiting.popleft()
            if task.deaths or task.future.set_running_or_notify_cancel():
                self._start(min(idle, key=lambda worker: worker is task.last), task)

    def _start(self, worker: _Worker, task: _Task) -> None:
        worker.task, worker.heard, task.last = task, time.monotonic(), worker
        try:
            inner = worker.pool.submit(task.call)
        except Exception as error:  # the system refuses another process: whoever waits for the job must hear of it
            worker.task = None
            task.future.set_exception(
                WorkerError(
                    f"a worker process cannot be started ({type(error).__name__}: {error})",
                    where=_name_of(task),
                    next_step="--jobs 1 starts none",
                )
            )
            return
        worker.process = next(iter((getattr(worker.pool, "_processes", None) or {}).values()), None)
        if worker.far_end is not None:
            worker.far_end.close()  # the process has its own
            worker.far_end = None
        inner.add_done_callback(partial(self._ended, worker, task))

    def _ended(self, worker: _Worker, task: _Task, inner: Future[Any]) -> None:
        """A job came to its end, or its worker did; runs in a thread of the worker's pool."""
        error = inner.exception() if not inner.cancelled() else None
        again = False
        with self._idle_again:
            worker.task = None
            if isinstance(error, BrokenExecutor):
                task.deaths.append(_end_of(worker.process))
                again = len(task.deaths) < TRIES and not task.silent and not self._closed
                if not self._closed:
                    self._replace(worker)
                if again:
                    self._waiting.appendleft(task)
            elif not self._closed:
                self._weigh(worker, task)
            if not self._closed:
                self._dispatch()
            self._idle_again.notify_all()
        if again:
            return
        if inner.cancelled():
            task.future.set_exception(WorkerError("was cancelled", where=_name_of(task)))
        elif isinstance(error, BrokenExecutor):
            task.future.set_exception(self._death_of(task))
        elif error is not None:
            task.future.set_exception(error)
        else:
            task.future.set_result(inner.result())

    def _weigh(self, worker: _Worker, task: _Task) -> None:
        """Replaces a worker that leaks: it has grown since its first job, and holds more than its share."""
        held = memory.resident(worker.process.pid) if self._share and worker.process is not None else 0
        worker.held = worker.held or held
        if held > self._share and held > _GROWN * worker.held:
            self.notices.append(
                f"A worker held {held / 1e9:.1f} GB after {_name_of(task)}, more than its share of "
                f"{self._share / 1e9:.1f} GB, and was replaced: that plugin may leak memory."
            )
            worker.pool.shutdown(wait=False)
            self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        self._old_lines.append(worker.line)  # closed at the end: somebody may be listening to it right now
        # Kept until the end: this runs in a thread of that pool, which may hold the very lock that (in Python 3.12.1)
        # letting go of the pool asks for.
        self._retired.append(worker.pool)
        worker.process, worker.held = None, 0
        worker.pool, worker.line, worker.far_end = self._new_pool(worker.number)

    def _death_of(self, task: _Task) -> WorkerError:
        if task.silent:
            return WorkerError(
                f"its worker was ended: nothing was heard of it for {self._patience_s:.0f} s",
                where=_name_of(task),
                next_step="raise `patience` in serab.toml if the work takes that long; or look at it with --jobs 1",
            )
        return WorkerError(
            f"its worker died {len(task.deaths)} times out of {TRIES} ({', '.join(dict.fromkeys(task.deaths))})",
            where=_name_of(task),
            next_step="--jobs 1 runs everything in one process, and takes least memory"
            if any(death.startswith("SIGKILL") for death in task.deaths)
            else "--isolate says where an extractor died",
        )

    def _listen(self) -> None:
        """Passes on what workers report."""
        while not self._over.is_set():
            with self._lock:
                lines = {worker.line: worker for worker in self._workers if worker.process is not None}
            if not lines:
                self._over.wait(_LISTEN_S)
                continue
            for ready in wait(list(lines), _LISTEN_S):
                line = cast("Connection", ready)
                worker = lines[line]
                try:
                    stage, steps = line.recv()
                except (EOFError, OSError):  # its process is gone, and whoever waits for it will replace it
                    self._over.wait(_LISTEN_S)
                    continue
                worker.heard = time.monotonic()
                self._advance(stage, steps)

    def _watch(self) -> None:
        while not self._over.wait(min(_LOOK_S, self._patience_s / 4)):
            now = time.monotonic()
            with self._lock:
                for worker in self._workers:
                    task = worker.task
                    if task is not None and worker.process and now - worker.heard > self._patience_s:
                        task.silent = True
                        worker.process.kill()


def _end_of(process: Any) -> str:
    """How a process ended, in words."""
    if process is None:
        return "it did not start"
    process.join(5)
    code = process.exitcode
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    words = {"SIGKILL": "killed, perhaps for want of memory", "SIGSEGV": "crashed in native code", "SIGABRT": "aborted"}
    return f"{name}: {words[name]}" if name in words else name


def _name_of(task: _Task) -> str:
    """The job's function and its first plain argument."""
    function = getattr(task.call, "func", task.call)
    first = next((own for own in getattr(task.call, "args", ()) if isinstance(own, str)), "")
    return f"{getattr(function, '__name__', 'job').removeprefix('run_')} of {first}" if first else "a job"
