"""Runs jobs on the workers of a Dask scheduler that the user has started, through Dask's executor."""

from __future__ import annotations

import platform
import secrets
import threading
from collections import Counter
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import serab_core
from serab_core.engine.transfer import RemoteJob, TransferableJob, pack
from serab_core.errors import UsageError, WorkerError
from serab_core.isolation.environments import is_requested
from serab_core.plugins.entry_points import registry
from serab_core.store.home import find_home
from serab_core.system import offline
from serab_core.system.cpu import available_cores, share_cores
from serab_core.system.hints import option
from serab_core.system.session import Session, current_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_CONNECT_S = 10.0  # seconds to wait for the scheduler
_WORKERS_S = 60.0  # seconds to wait for the first worker
_CHECK_S = 0.5  # seconds between two checks of the connection
_GRACE_S = 2.0  # seconds in which Dask itself may report a lost job


class _Client(Protocol):
    """The methods of `distributed.Client` that serab uses."""

    scheduler_comm: Any
    status: str

    def close(self) -> Any: ...

    def get_executor(self, *, pure: bool) -> Executor: ...

    def run(self, function: Callable[..., _T], *args: Any) -> dict[str, _T]: ...

    def scheduler_info(self, n_workers: int) -> dict[str, Any]: ...

    def wait_for_workers(self, n_workers: int, timeout: float) -> Any: ...


class DaskEngine:
    """An engine that submits jobs to Dask workers.

    A worker needs the same packages, and a single thread, because extractors need not be thread-safe. A worker that
    does not see the home through its file system receives the files that a job reads, and returns the files that the
    job writes. Dask retries the job of a worker that died on another worker, three times; serab does not start new
    workers.

    Args:
        address: HOST:PORT of the scheduler.
    """

    live = False

    def __init__(self, address: str) -> None:
        url = urlsplit(f"tcp://{address}")
        try:
            is_complete = bool(url.hostname and url.port)
        except ValueError:
            is_complete = False
        if not is_complete or url.path.strip("/"):
            raise UsageError(f"dask://{address} is not the address of a scheduler", next_step="write dask://HOST:PORT")
        self._address = f"tcp://{address.rstrip('/')}"

    @property
    def jobs(self) -> int:
        """The number of workers."""
        return len(self._workers)

    @contextmanager
    def open(self, advance: Callable[[str, int], None]) -> Iterator[Executor]:
        """Provide an executor for the duration of a run; jobs that have not started at its end are cancelled.

        Raises:
            UsageError: the workers cannot run the jobs; the message gives the reason.
        """
        executor = None
        try:
            executor = _RemoteExecutor(self._client, self._visibility)
            yield executor
        finally:
            if executor is not None:
                executor.shutdown()
            self._client.close()

    @cached_property
    def _client(self) -> _Client:
        try:
            import distributed
        except ImportError as error:
            raise UsageError(
                "a Dask cluster needs distributed, which is not installed",
                next_step="pip install serab-core[dask]",
            ) from error
        if offline.is_requested():
            raise UsageError(
                "a Dask cluster needs the network, which is disabled", next_step="enable it, or choose the engine local"
            )
        try:
            connect: Callable[..., _Client] = distributed.Client  # distributed's code has no annotations
            client = connect(self._address, timeout=_CONNECT_S, set_as_default=False)
        except OSError as error:
            raise UsageError(
                f"no Dask scheduler responds ({' '.join(str(error).split())[:200]})",
                where=self._address,
                next_step="start one with `dask scheduler`, and workers with `dask worker HOST:PORT --nthreads 1`",
            ) from error
        try:
            client.wait_for_workers(1, timeout=_WORKERS_S)
        except TimeoutError as error:
            client.close()
            raise UsageError(
                "the Dask scheduler has no workers",
                where=self._address,
                next_step="start some: dask worker HOST:PORT --nthreads 1",
            ) from error
        return client

    @cached_property
    def _workers(self) -> dict[str, dict[str, Any]]:
        workers: dict[str, dict[str, Any]] = self._client.scheduler_info(n_workers=-1)["workers"]
        threaded = [address for address, worker in workers.items() if worker["nthreads"] != 1]
        if threaded:
            raise UsageError(
                f"{len(threaded)} of {len(workers)} Dask workers have several threads, but extractors need not be "
                "thread-safe",
                where=threaded[0],
                next_step="start workers with --nthreads 1, and set their number with --nworkers",
            )
        local_versions = _versions()
        for address, versions in self._client.run(_versions).items():
            other = sorted(
                name
                for name in local_versions.keys() | versions.keys()
                if local_versions.get(name) != versions.get(name)
            )
            if other:
                differences = ", ".join(
                    f"{name} {versions.get(name, 'missing')} (here {local_versions.get(name, 'missing')})"
                    for name in other
                )
                raise UsageError(
                    f"the Dask worker has {differences}", where=address, next_step="install the same packages in both"
                )
        return workers

    @cached_property
    def _visibility(self) -> _Visibility:
        """Whether the workers see this home, and how many of them run on one host."""
        token = find_home().ensure().root / f".seen-{secrets.token_hex(8)}"
        hosts = Counter(worker["host"] for worker in self._workers.values())
        try:
            token.touch()
            home = _all_see(self._client, token)
        finally:
            token.unlink(missing_ok=True)
        return _Visibility(self._client, home, max(hosts.values(), default=1))


class _Visibility:
    """The files of this machine that the workers see.

    Attributes:
        home: all workers see this home.
        workers_per_host: the largest number of workers on one host.
    """

    def __init__(self, client: _Client, home: bool, workers_per_host: int) -> None:
        self.home, self.workers_per_host, self._client = home, workers_per_host, client
        self._folders: dict[Path, bool] = {}

    def audio(self, path: Path) -> bool:
        """Return whether all workers see an audio file; one file of each folder is checked."""
        if path.parent not in self._folders:
            self._folders[path.parent] = _all_see(self._client, path)
        return self._folders[path.parent]


class _RemoteExecutor(Executor):
    """Packs each job, submits it to Dask's executor, and unpacks the returned files.

    If the scheduler dies while a result is in transit, Dask's executor never reports the job. Therefore this class
    fails the jobs that were submitted over a connection that has closed.
    """

    def __init__(self, client: _Client, visibility: _Visibility) -> None:
        self._client, self._visibility = client, visibility
        self._inner = client.get_executor(pure=False)
        self._home = find_home()
        self._session = replace(current_session().data(), home=self._home.root, isolate=is_requested())
        self._connections: dict[Future[Any], object] = {}
        self._lock, self._closed = threading.Lock(), threading.Event()
        threading.Thread(target=self._watch, name="serab-dask", daemon=True).start()

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Submit `run_job` with a job."""
        outer: Future[_T] = Future()
        connection = self._client.scheduler_comm
        job: TransferableJob = args[0]
        try:
            remote = pack(job, self._home, home_seen=self._visibility.home, audio_seen=self._visibility.audio)
            inner = self._inner.submit(_run_remote, remote, self._session, self._visibility.workers_per_host)
        except Exception as error:
            outer.set_exception(_translated(error, job.label))
            return outer

        def ended(future: Future[Any]) -> None:
            with suppress(InvalidStateError):  # it has already failed because of a lost scheduler
                if outer.done() or not outer.set_running_or_notify_cancel():
                    return
                try:
                    value, files = future.result()
                    remote.unpack(files, self._home)
                except BaseException as error:
                    outer.set_exception(_translated(error, job.label))
                else:
                    outer.set_result(value)

        with self._lock:
            self._connections[outer] = connection
        outer.add_done_callback(self._forget)
        inner.add_done_callback(ended)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop watching the connection; the client stays open."""
        self._closed.set()

    def _forget(self, outer: Future[Any]) -> None:
        with self._lock:
            self._connections.pop(outer, None)
        if outer.cancelled():
            outer.set_running_or_notify_cancel()  # its caller must not wait for Dask

    def _watch(self) -> None:
        while not self._closed.wait(_CHECK_S):
            current, closed = self._client.scheduler_comm, self._client.status == "closed"
            with self._lock:
                lost = [
                    outer
                    for outer, connection in self._connections.items()
                    if closed or (connection is not None and connection is not current)
                ]
            if lost and not self._closed.wait(_GRACE_S):  # Dask itself reports most of them
                for outer in lost:
                    with suppress(InvalidStateError):
                        outer.set_exception(_scheduler_gone())


def _run_remote(remote: RemoteJob, session: Session, workers_per_host: int) -> tuple[Any, dict[str, bytes]]:
    """Run a job on a worker, with an equal number of the host's cores for each worker."""
    with share_cores(lambda: max(1, available_cores() // workers_per_host)):
        return remote.run(session)


def _all_see(client: _Client, path: Path) -> bool:
    return all(client.run(_exists, str(path)).values())


def _exists(path: str) -> bool:
    return Path(path).exists()


def _versions() -> dict[str, str]:
    import numpy as np

    plugins = {record.distribution: record.version for record in registry().records() if record.distribution}
    return plugins | {"serab": serab_core.__version__, "Python": platform.python_version(), "numpy": np.__version__}


def _translated(error: BaseException, label: str) -> BaseException:
    """Translate an error of Dask to an error of serab; return other errors unchanged."""
    if type(error).__name__ == "KilledWorker":
        return WorkerError(
            f"its Dask worker died, also in each retry ({' '.join(str(error).split())[:300]})",
            where=label,
            next_step="see the logs of the workers; run everything in this process with "
            f"{option('engine', 'local')} and {option('jobs', 1)}",
        )
    if type(error).__name__ in ("FutureCancelledError", "CancelledError", "CommClosedError", "ClosedClientError"):
        return _scheduler_gone()
    return error


def _scheduler_gone() -> WorkerError:
    return WorkerError(
        "the Dask scheduler has stopped", next_step="start it again, and run the same command, which resumes the run"
    )
