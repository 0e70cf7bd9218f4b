"""A backend for Optuna's `JournalStorage` that stores the log of a study in one HDF5 file.

A kill can damage an HDF5 file that is appended in place. Therefore the log is held in memory, and the whole file is
rewritten and renamed into place at most every `interval` seconds, and by `flush`. A kill loses at most the finished
trials of the last interval. One process writes a study, unless the study is shared: then each append takes a lock,
reads the entries of other processes, and writes at once.
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
"""Bytes of the HDF5 user block at the start of the file: the schema, and the sha256 of all bytes behind it."""


class Hdf5JournalBackend(BaseJournalBackend):
    """Optuna's journal in an HDF5 file, one JSON text per entry.

    Args:
        path: the file; it is read if it exists.
        interval: the minimum time between two writes, in seconds.
        shared: several processes use the file at the same time; this takes about 20 ms per entry.

    Raises:
        StoreError: the file exists and is not a journal of serab.
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
        """Return the arguments for a copy in another process, which reads the file itself."""
        self.flush()
        return {"path": self._path, "interval": self._interval, "shared": self._shared}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file again."""
        Hdf5JournalBackend.__init__(self, state["path"], state["interval"], shared=state["shared"])

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Return the entries from a number on, each as a new object."""
        with self._lock:
            if self._shared:
                self._reload()
            return [json.loads(line) for line in self._lines[log_number_from:]]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries; they reach the disk with the next write, or at once in a shared file."""
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
        """Write the entries that are not on the disk yet. Raises StoreError."""
        with self._lock:
            if self._written < len(self._lines):
                self._write()

    def _reload(self) -> None:
        """Read the file if it has changed since the last read."""
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
    """Return the content of a journal, checked against its checksum; HDF5 may loop forever over a damaged file.

    Raises:
        StoreError: it cannot be read.
        ContentError: it is damaged, or not a journal.
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
        "is damaged, or is not a journal of serab",
        where=path,
        next_step="move the file away and run again; the study then starts from its first trial",
    )
