"""The workers of a Dask scheduler that the user already has, through its own `concurrent.futures` executor."""

from __future__ import annotations

import os
import platform
import secrets
import threading
from collections import Counter
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import serab_core
from serab_core import offline
from serab_core.cores import available_cores, share_cores
from serab_core.environments import VARIABLE
from serab_core.errors import UsageError, WorkerError
from serab_core.plugins import registry
from serab_core.run.parcels import Parcel, pack
from serab_core.store.home import find_home

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_ANSWER_S, _WORKERS_S = 10.0, 60.0
_LOOK_S, _GRACE_S = 0.5, 2.0


class _Client(Protocol):
    """The part of `distributed.Client` that is used here."""

    scheduler_comm: Any
    status: str

    def close(self) -> Any: ...

    def get_executor(self, *, pure: bool) -> Executor: ...

    def run(self, function: Callable[..., _T], *args: Any) -> dict[str, _T]: ...

    def scheduler_info(self, n_workers: int) -> dict[str, Any]: ...

    def wait_for_workers(self, n_workers: int, timeout: float) -> Any: ...


class DaskEngine:
    """Hands jobs to Dask's workers.

    A worker needs the same packages, and one thread, for extractors need not bear two at a time. It shares the home by
    its file system, or else is sent what it needs of it and sends back what it made. A worker that dies is replaced by
    whoever started it; Dask gives its job to another one, three times.

    Args:
        address: HOST:PORT of the scheduler.
    """

    live = False

    def __init__(self, address: str) -> None:
        parts = urlsplit(f"tcp://{address}")
        try:
            whole = bool(parts.hostname and parts.port)
        except ValueError:
            whole = False
        if not whole or parts.path.strip("/"):
            raise UsageError(f"--engine dask://{address} names no scheduler", next_step="write dask://HOST:PORT")
        self._address = f"tcp://{address.rstrip('/')}"

    @property
    def jobs(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    @contextmanager
    def open(self, advance: Callable[[str, int], None]) -> Iterator[Executor]:
        """An executor for as long as a run takes; jobs that are not begun when it ends are given up.

        Raises:
            UsageError: the workers cannot do serab's work; says why.
            InterruptedRunError: never itself; Ctrl-C passes.
        """
        executor = None
        try:
            executor = _Sender(self._client, self._shares)
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
                "--engine dask:// needs distributed, which is not installed",
                next_step="pip install serab-core[dask]",
            ) from error
        if offline.asked_for():
            raise UsageError("a Dask cluster is reached by network, and --offline shuts it", next_step="leave one out")
        try:
            connect: Callable[..., _Client] = distributed.Client  # distributed's code has no annotations
            client = connect(self._address, timeout=_ANSWER_S, set_as_default=False)
        except OSError as error:
            raise UsageError(
                f"no Dask scheduler answers ({' '.join(str(error).split())[:200]})",
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
        threaded = [address for address, told in workers.items() if told["nthreads"] != 1]
        if threaded:
            raise UsageError(
                f"{len(threaded)} of {len(workers)} Dask workers have several threads, which extractors need not bear",
                where=threaded[0],
                next_step="start workers with --nthreads 1, and as many as should work at a time (--nworkers)",
            )
        mine = _versions()
        for address, theirs in self._client.run(_versions).items():
            other = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
            if other:
                told = ", ".join(
                    f"{name} {theirs.get(name, 'missing')} (here {mine.get(name, 'missing')})" for name in other
                )
                raise UsageError(f"the Dask worker has {told}", where=address, next_step="give both one environment")
        return workers

    @cached_property
    def _shares(self) -> _Shares:
        """Which workers see this machine's files, and how many share a host."""
        token = find_home().ensure().root / f".seen-{secrets.token_hex(8)}"
        hosts = Counter(told["host"] for told in self._workers.values())
        try:
            token.touch()
            seen = _all_see(self._client, token)
        finally:
            token.unlink(missing_ok=True)
        return _Shares(self._client, seen, max(hosts.values(), default=1))


class _Shares:
    """What the workers share with this process.

    Attributes:
        home: they see this home.
        crowd: workers on one host, at most.
    """

    def __init__(self, client: _Client, home: bool, crowd: int) -> None:
        self.home, self.crowd, self._client = home, crowd, client
        self._folders: dict[Path, bool] = {}

    def audio(self, path: Path) -> bool:
        """Whether all of them see an audio file; one a folder is asked after."""
        if path.parent not in self._folders:
            self._folders[path.parent] = _all_see(self._client, path)
        return self._folders[path.parent]


class _Sender(Executor):
    """Packs each job, hands it to Dask's executor, and unpacks what comes back.

    Dask's executor never says anything of a job whose result was on its way when the scheduler went: jobs that were
    handed in over a connection that is no more are ended here.
    """

    def __init__(self, client: _Client, shares: _Shares) -> None:
        self._client, self._shares = client, shares
        self._inner = client.get_executor(pure=False)
        self._home = find_home()
        self._lines: dict[Future[Any], object] = {}
        self._lock, self._over = threading.Lock(), threading.Event()
        threading.Thread(target=self._watch, name="serab-dask", daemon=True).start()

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Hands in a job of `run.jobs`."""
        outer: Future[_T] = Future()
        line = self._client.scheduler_comm
        try:
            parcel = pack(fn, args, self._home, home_seen=self._shares.home, audio_seen=self._shares.audio)
            variables = {VARIABLE: os.environ.get(VARIABLE, "")}
            inner = self._inner.submit(_carry_out, parcel, str(self._home.root), self._shares.crowd, variables)
        except Exception as error:
            outer.set_exception(_in_our_words(error, fn))
            return outer

        def ended(future: Future[Any]) -> None:
            with suppress(InvalidStateError):  # it was ended because its scheduler is gone
                if outer.done() or not outer.set_running_or_notify_cancel():
                    return
                try:
                    value, made = future.result()
                    parcel.put_away(made, self._home)
                except BaseException as error:
                    outer.set_exception(_in_our_words(error, fn))
                else:
                    outer.set_result(value)

        with self._lock:
            self._lines[outer] = line
        outer.add_done_callback(self._forget)
        inner.add_done_callback(ended)
        return outer

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Watches no longer; the client is not closed."""
        self._over.set()

    def _forget(self, outer: Future[Any]) -> None:
        with self._lock:
            self._lines.pop(outer, None)
        if outer.cancelled():
            outer.set_running_or_notify_cancel()  # who waits for it shall not wait for Dask to say so

    def _watch(self) -> None:
        while not self._over.wait(_LOOK_S):
            line, closed = self._client.scheduler_comm, self._client.status == "closed"
            with self._lock:
                lost = [outer for outer, own in self._lines.items() if closed or (own is not None and own is not line)]
            if lost and not self._over.wait(_GRACE_S):  # most are told by Dask itself
                for outer in lost:
                    with suppress(InvalidStateError):
                        outer.set_exception(_gone())


def _carry_out(parcel: Parcel, home: str, crowd: int, variables: dict[str, str]) -> tuple[Any, dict[str, bytes]]:
    """On a worker: does a job with its share of the host's cores."""
    os.environ.update(variables)
    with share_cores(lambda: max(1, available_cores() // crowd)):
        return parcel.carry_out(home)


def _all_see(client: _Client, path: Path) -> bool:
    return all(client.run(_is_there, str(path)).values())


def _is_there(path: str) -> bool:
    return Path(path).exists()


def _versions() -> dict[str, str]:
    import numpy as np

    plugins = {own.distribution: own.version for own in registry().records() if own.distribution}
    return plugins | {"serab": serab_core.__version__, "Python": platform.python_version(), "numpy": np.__version__}


def _in_our_words(error: BaseException, function: Callable[..., Any]) -> BaseException:
    if type(error).__name__ == "KilledWorker":
        return WorkerError(
            f"its Dask worker died, again and again ({' '.join(str(error).split())[:300]})",
            where=getattr(function, "__name__", "job").removeprefix("run_"),
            next_step="the workers' logs say more; --jobs 1 runs everything in this process",
        )
    if type(error).__name__ in ("FutureCancelledError", "CancelledError", "CommClosedError", "ClosedClientError"):
        return _gone()
    return error


def _gone() -> WorkerError:
    return WorkerError(
        "the Dask scheduler is gone", next_step="start it again, and run the same command: it goes on from there"
    )
