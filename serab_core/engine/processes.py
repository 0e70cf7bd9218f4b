"""A pool of worker processes. Each runs one job at a time, so that a dead worker affects only its own job."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any, TypeVar

from serab_core.engine.worker import describe_exit, serve
from serab_core.errors import WorkerError
from serab_core.system import memory
from serab_core.system.hints import option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext

_T = TypeVar("_T")
logger = logging.getLogger("serab.engine")
MAX_ATTEMPTS = 3  # attempts per job; a job whose worker died is retried in another process
LEAK_FACTOR = 1.5  # factor of memory growth over the first job, which loads the models, that counts as a leak
_CHECK_S = 0.5  # seconds between two checks of silent workers
_EXIT_S = 10.0  # seconds for a worker to exit before it is killed


class WorkerTraceback(Exception):  # noqa: N818  it is the cause of an error, and never raised itself
    """The traceback of an error in a worker process, as text."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


@dataclass(slots=True, eq=False)
class _Call:
    """A job that was submitted.

    Attributes:
        deaths: how each worker that had the job exited.
        timed_out: its worker was killed because it sent no heartbeat within the timeout.
        last_worker: the number of the last worker that had the job.
    """

    future: Future[Any]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    deaths: list[str] = field(default_factory=list)
    timed_out: bool = False
    last_worker: int = -1

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        label = getattr(self.arguments[0], "label", "") if self.arguments else ""
        return str(label) or getattr(self.function, "__name__", "a job")


@dataclass(slots=True, eq=False)
class _Worker:
    """A worker process; it starts with its first job.

    Attributes:
        process: a process of the pool's context; None before the first job.
        pipe: the connection to the process, in both directions.
        last_heartbeat: time of the last message of the process, by the monotonic clock.
        baseline: memory after its first job, in bytes.
        ready: the process has started, and reads its pipe.
        message: the first job, until the process is ready: a large message would block the supervisor before.
    """

    number: int
    process: Any = None
    pipe: Connection | None = None
    call: _Call | None = None
    last_heartbeat: float = 0.0
    baseline: int = 0
    ready: bool = False
    message: bytes | None = None


class WorkerPool(Executor):
    """An executor over worker processes, which one thread supervises.

    Args:
        size: number of processes.
        context: the multiprocessing context that starts processes.
        initialise: called in each process with `arguments`, a function that reports progress, and the worker's number.
        arguments: plain values.
        timeout_s: seconds; a worker with a job that sends no heartbeat for longer is killed, and the job fails.
        memory_limit: memory limit of a worker, in bytes; a leaking worker above it is replaced. 0 for no limit.
        advance: called with the progress of workers: (phase, steps).

    Attributes:
        notices: messages for the user, to show after the pool has closed.
    """

    def __init__(
        self,
        size: int,
        context: BaseContext,
        initialise: Callable[..., None],
        arguments: tuple[Any, ...],
        timeout_s: float,
        memory_limit: int,
        advance: Callable[[str, int], None],
    ) -> None:
        self._context, self._initialise, self._arguments = context, initialise, arguments
        self._timeout_s, self._memory_limit, self._advance = timeout_s, memory_limit, advance
        self.notices: list[str] = []
        self._lock = threading.Lock()
        self._waiting: deque[_Call] = deque()
        self._closing = self._terminated = self._woken = False
        self._failure = "it was cancelled"
        self._workers = [_Worker(number) for number in range(size)]
        self._retired: list[Any] = []
        self._wake_reader, self._wake_writer = context.Pipe(duplex=False)
        self._thread = threading.Thread(target=self._supervise, name="serab-workers", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Submit a job. Raises RuntimeError after `shutdown`."""
        future: Future[_T] = Future()
        with self._lock:
            if self._closing:
                raise RuntimeError("the worker pool has shut down")
            self._waiting.append(_Call(future, fn, args, kwargs))
            self._wake()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Close the pool when all jobs have ended; with `cancel_futures`, when the running jobs have ended."""
        with self._lock:
            if cancel_futures:
                self._cancel_waiting()
            self._closing = True
            self._wake()
        if wait:
            self._thread.join()

    def terminate(self) -> None:
        """Kill every worker at once, and cancel the waiting jobs."""
        with self._lock:
            self._closing = self._terminated = True
            self._cancel_waiting()
            self._wake()
        self._thread.join()

    # --- called with the lock held ---

    def _wake(self) -> None:
        if not self._woken:  # one message at a time: a full pipe would block the caller, who holds the lock
            self._woken = True
            with contextlib.suppress(OSError):  # the pool has closed already
                self._wake_writer.send_bytes(b".")

    def _cancel_waiting(self) -> None:
        while self._waiting:
            call = self._waiting.popleft()
            if not call.future.cancel():  # it waits for a retry
                call.future.set_exception(WorkerError(self._failure, where=call.label))

    # --- everything below runs in the supervising thread; no other thread uses processes and pipes ---

    def _supervise(self) -> None:
        try:
            while self._start_jobs():
                self._receive()
                self._kill_silent_workers()
        except Exception as error:
            self._failure = f"the supervisor of its worker failed ({type(error).__name__}: {error})"
            logger.exception("the supervisor of worker processes failed")
        finally:
            with self._lock:  # nobody may wait for a job that no thread supervises
                self._closing = True
                self._cancel_waiting()
            self._close()

    def _start_jobs(self) -> bool:
        """Give waiting jobs to idle workers, and return whether the supervisor must continue."""
        for worker, call in self._assignments():
            self._start(worker, call)
        with self._lock:
            busy = any(worker.call for worker in self._workers)
            return not self._terminated and (busy or bool(self._waiting) or not self._closing)

    def _assignments(self) -> Iterator[tuple[_Worker, _Call]]:
        while True:
            with self._lock:
                idle = [worker for worker in self._workers if worker.call is None]
                if self._terminated or not idle or not self._waiting:
                    return
                call = self._waiting.popleft()
            if call.deaths or call.future.set_running_or_notify_cancel():
                yield min(idle, key=lambda worker: (worker.number == call.last_worker, worker.process is None)), call

    def _start(self, worker: _Worker, call: _Call) -> None:
        try:
            message = bytes(ForkingPickler.dumps((call.function, call.arguments, call.keywords)))
        except Exception as error:
            call.future.set_exception(error)
            return
        try:
            if worker.process is None:
                self._start_process(worker)
            assert worker.pipe is not None
            worker.call, call.last_worker, worker.last_heartbeat = call, worker.number, time.monotonic()
            if worker.ready:
                worker.pipe.send_bytes(message)
            else:
                worker.message = message
        except (BrokenPipeError, ConnectionError):
            return  # the process has just died; its sentinel reports this next
        except Exception as error:  # the system cannot start another process
            worker.call = None
            call.future.set_exception(
                WorkerError(
                    f"a worker process cannot be started ({type(error).__name__}: {error})",
                    where=call.label,
                    next_step=f"{option('jobs', 1)} needs no worker processes",
                )
            )

    def _start_process(self, worker: _Worker) -> None:
        pipe, child_end = self._context.Pipe()
        arguments = (child_end, self._initialise, self._arguments, worker.number)
        process = self._context.Process(target=serve, args=arguments)  # type: ignore[attr-defined]
        try:
            process.start()
        except BaseException:
            pipe.close()
            raise
        finally:
            child_end.close()  # the process has its own copy
        worker.process, worker.pipe, worker.baseline = process, pipe, 0
        logger.debug("worker %d is process %d", worker.number, process.pid)

    def _receive(self) -> None:
        """Wait for messages and exits of workers, and handle them."""
        pipes = {worker.pipe: worker for worker in self._workers if worker.pipe is not None}
        sentinels = {worker.process.sentinel: worker for worker in pipes.values()}
        timeout_s = min(_CHECK_S, self._timeout_s / 4) if any(worker.call for worker in self._workers) else None
        ready = wait([self._wake_reader, *pipes, *sentinels], timeout_s)
        if self._wake_reader in ready:
            with self._lock:
                self._wake_reader.recv_bytes()
                self._woken = False
        for pipe in ready:
            if pipe in pipes:
                self._read(pipes[pipe])
        for sentinel in ready:
            worker = sentinels.get(sentinel)
            if worker is not None and worker.process is not None and worker.process.sentinel == sentinel:
                while worker.pipe is not None and worker.pipe.poll() and self._read(worker):
                    pass  # read the messages that it sent before it died
                if worker.process is not None:
                    self._handle_death(worker)

    def _read(self, worker: _Worker) -> bool:
        """Handle one message of a worker, and return whether there was one."""
        assert worker.pipe is not None
        try:
            content = worker.pipe.recv_bytes()
        except (EOFError, OSError):  # the process has died; its sentinel reports this, now or soon
            worker.process.join(_CHECK_S)
            if worker.process.exitcode is None:  # a plugin has closed the pipe
                worker.process.kill()
            return False
        worker.last_heartbeat = time.monotonic()
        try:
            kind, *values = ForkingPickler.loads(content)
        except Exception as error:  # an exception of a plugin that cannot be unpickled here
            kind = "error"
            values = [WorkerError(f"its result cannot be read ({type(error).__name__}: {error})"), ""]
        if kind == "progress":
            self._report(*values)
            return True
        if kind == "ready":
            worker.ready, message, worker.message = True, worker.message, None
            if message is not None:
                with contextlib.suppress(OSError):  # the process has just died; its sentinel reports this next
                    worker.pipe.send_bytes(message)
            return True
        call, worker.call = worker.call, None
        if call is not None:
            self._replace_if_leaking(worker, call)
            if kind == "error":
                raised, text = values
                raised.__cause__ = WorkerTraceback(text) if text else raised.__cause__
                call.future.set_exception(raised)
            else:
                call.future.set_result(values[0])
        return True

    def _report(self, phase: str, steps: int) -> None:
        """Pass progress on; an error of the display must not end the supervisor."""
        try:
            self._advance(phase, steps)
        except Exception as error:
            notice = f"Progress could not be shown ({type(error).__name__}: {error})."
            if notice not in self.notices:
                self.notices.append(notice)

    def _handle_death(self, worker: _Worker) -> None:
        """Handle a worker that died: its job is retried in another process, or fails."""
        call, end = worker.call, describe_exit(worker.process, _EXIT_S)
        if worker.pipe is not None:
            worker.pipe.close()
        worker.process = worker.pipe = worker.call = worker.message = None
        worker.ready = False
        if call is None:
            return
        call.deaths.append(end)
        logger.info("worker %d died (%s) during %s", worker.number, end, call.label)
        with self._lock:
            if len(call.deaths) < MAX_ATTEMPTS and not call.timed_out and not self._terminated:
                self._waiting.appendleft(call)
                return
        call.future.set_exception(self._error_of(call))

    def _replace_if_leaking(self, worker: _Worker, call: _Call) -> None:
        """Replace a worker whose memory has grown since its first job and exceeds the limit."""
        used = memory.resident(worker.process.pid) if self._memory_limit else 0
        worker.baseline = worker.baseline or used
        if used > self._memory_limit and used > LEAK_FACTOR * worker.baseline:
            self.notices.append(
                f"A worker used {used / 1e9:.1f} GB after {call.label}, more than its limit of "
                f"{self._memory_limit / 1e9:.1f} GB, and was replaced: that plugin may leak memory."
            )
            self._dismiss(worker)

    def _dismiss(self, worker: _Worker) -> None:
        """Ask an idle worker to exit, and drop it; the next job starts another process."""
        if worker.pipe is not None:
            with contextlib.suppress(OSError):
                worker.pipe.send_bytes(ForkingPickler.dumps(None))
            worker.pipe.close()
        self._retired.append(worker.process)
        worker.process = worker.pipe = worker.message = None
        worker.ready = False

    def _error_of(self, call: _Call) -> WorkerError:
        if call.timed_out:
            return WorkerError(
                f"its worker was killed, because it stopped responding for {self._timeout_s:.0f} s",
                where=call.label,
                next_step="increase `patience` in serab.toml if a job may take that long, or debug it with "
                f"{option('jobs', 1)}",
            )
        killed = any(death.startswith("SIGKILL") for death in call.deaths)
        return WorkerError(
            f"its worker died {len(call.deaths)} times out of {MAX_ATTEMPTS} ({', '.join(dict.fromkeys(call.deaths))})",
            where=call.label,
            next_step=f"{option('jobs', 1)} runs everything in one process, and needs the least memory"
            if killed
            else "isolation (SERAB_ISOLATE=1) shows the place where an extractor died",
        )

    def _kill_silent_workers(self) -> None:
        now = time.monotonic()
        for worker in self._workers:
            if worker.call is not None and worker.process and now - worker.last_heartbeat > self._timeout_s:
                worker.call.timed_out = True
                worker.process.kill()

    def _close(self) -> None:
        """End every process. Jobs that are still running, after `terminate`, get an error."""
        for worker in self._workers:
            if worker.process is None:
                continue
            if worker.call is not None:
                worker.process.terminate()
                worker.call.future.set_exception(WorkerError(self._failure, where=worker.call.label))
            elif self._terminated:
                worker.process.terminate()
            self._dismiss(worker)
        for process in self._retired:
            process.join(_EXIT_S)
            if process.exitcode is None:
                process.kill()
                process.join()
        with self._lock:
            self._wake_reader.close()
            self._wake_writer.close()
