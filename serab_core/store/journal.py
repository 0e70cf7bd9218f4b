"""A backend for Optuna's `JournalStorage` that keeps the log of a study in one HDF5 file.

HDF5 files that are appended in place do not survive a kill, so the log lives in memory and the whole file is written
anew and renamed into place, at most every `interval` seconds and when asked: what a kill can cost is the last interval
of finished trials. One process writes a study, unless it is shared: then each append takes a lock, reads what others
wrote, and writes at once.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from optuna.storages.journal import BaseJournalBackend, JournalFileSymlinkLock

from serab_core.errors import ContentError, store_error
from serab_core.store.atomic import write_bytes
from serab_core.store.reading import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = "serab.journal/2"
_HEAD = 512
"""Bytes before HDF5's own, which it leaves to us (a "user block"): the schema, and sha256 of all that follows."""


class Hdf5JournalBackend(BaseJournalBackend):
    """Optuna's journal in an HDF5 file, one JSON text an entry.

    Args:
        path: the file; read if it exists.
        interval: the least time between two writes, in seconds.
        shared: several processes use the file at a time; costs about 20 ms an entry.

    Raises:
        StoreError: the file is there but is no journal of ours.
    """

    def __init__(self, path: Path, interval: float = 0.5, *, shared: bool = False) -> None:
        self._path = path
        self._interval = interval
        self._shared = shared
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._seen: tuple[int, int, int] | None = None
        self._reload()
        self._written = len(self._lines)
        self._last_write = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """For a copy in another process, which reads the file for itself."""
        self.flush()
        return {"path": self._path, "interval": self._interval, "shared": self._shared}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Opens the file anew."""
        Hdf5JournalBackend.__init__(self, state["path"], state["interval"], shared=state["shared"])

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """The entries from a number on, each a fresh object."""
        with self._lock:
            if self._shared:
                self._reload()
            return [json.loads(line) for line in self._lines[log_number_from:]]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Adds entries; they reach the disk with the next write, or at once in a shared file."""
        lines = [json.dumps(entry, separators=(",", ":")) for entry in logs]
        with self._lock:
            if self._shared:
                held = JournalFileSymlinkLock(str(self._path))
                held.acquire()
                try:
                    self._reload()
                    self._lines += lines
                    self._write()
                finally:
                    held.release()
                return
            self._lines += lines
            if time.monotonic() - self._last_write >= self._interval:
                self._write()

    def flush(self) -> None:
        """Writes what is not on disk yet. Raises StoreError."""
        with self._lock:
            if self._written < len(self._lines):
                self._write()

    def _reload(self) -> None:
        """Takes in what is on disk, if it has changed since."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return
        except OSError as error:
            raise store_error(error, self._path, "read") from error
        mark = (status.st_ino, status.st_mtime_ns, status.st_size)
        if mark != self._seen:
            self._lines, self._seen = _read(self._path), mark

    def _write(self) -> None:
        text = "\n".join(self._lines).encode()
        buffer = io.BytesIO()
        with h5py.File(buffer, "w", userblock_size=_HEAD) as file:
            file.attrs["schema"] = SCHEMA
            file.create_dataset(
                "log",
                data=np.frombuffer(text, dtype=np.uint8),
                chunks=(min(max(1, len(text)), 2**16),),
                compression="gzip",
                compression_opts=1,
                fletcher32=True,
                track_times=False,
            )
        body = buffer.getvalue()[_HEAD:]
        write_bytes(self._path, _head_of(body) + body)
        self._written = len(self._lines)
        self._last_write = time.monotonic()


def _head_of(body: bytes) -> bytes:
    return f"{SCHEMA} sha256 {hashlib.sha256(body).hexdigest()}\n".encode().ljust(_HEAD, b"\0")


def check_journal(path: Path) -> bytes:
    """A journal's file, held against its own checksum; HDF5 does not see one that is damaged, which it may spin over.

    Raises:
        StoreError: it cannot be read.
        ContentError: it is damaged, or no journal.
    """
    content = read_file(path)
    if content[:_HEAD] != _head_of(content[_HEAD:]):
        raise _invalid(path)
    return content


def _read(path: Path) -> list[str]:
    content = check_journal(path)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            text: str = file["log"][...].tobytes().decode()
        lines = text.split("\n")
        for line in lines:
            json.loads(line)
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        raise _invalid(path) from error
    return lines


def _invalid(path: Path) -> ContentError:
    return ContentError(
        "is damaged or no journal of serab's",
        where=path,
        next_step="move the file away and run again; the study is then made anew",
    )
