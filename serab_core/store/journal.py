"""A backend for Optuna's `JournalStorage` that keeps the log of a study in one HDF5 file.

HDF5 files that are appended in place do not survive a kill, so the log lives in memory and the whole file is written
anew and renamed into place, at most every `interval` seconds and when asked. One process writes a study; what a kill
can cost is the last interval of finished trials.
"""

from __future__ import annotations

import io
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from optuna.storages.journal import BaseJournalBackend

from serab_core.errors import StoreError, store_error
from serab_core.store.atomic import write_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = "serab.journal/1"


class Hdf5JournalBackend(BaseJournalBackend):
    """Optuna's journal in an HDF5 file, one JSON text an entry.

    Args:
        path: the file; read if it exists.
        interval: the least time between two writes, in seconds.

    Raises:
        StoreError: the file is there but is no journal of ours.
    """

    def __init__(self, path: Path, interval: float = 0.5) -> None:
        self._path = path
        self._interval = interval
        self._lock = threading.Lock()
        self._lines = _read(path) if path.exists() else []
        self._written = len(self._lines)
        self._last_write = time.monotonic()

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """The entries from a number on, each a fresh object."""
        with self._lock:
            return [json.loads(line) for line in self._lines[log_number_from:]]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Adds entries; they reach the disk with the next write."""
        with self._lock:
            self._lines += [json.dumps(entry, separators=(",", ":")) for entry in logs]
            if time.monotonic() - self._last_write >= self._interval:
                self._write()

    def flush(self) -> None:
        """Writes what is not on disk yet. Raises StoreError."""
        with self._lock:
            if self._written < len(self._lines):
                self._write()

    def _write(self) -> None:
        text = "\n".join(self._lines).encode()
        buffer = io.BytesIO()
        with h5py.File(buffer, "w") as file:
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
        write_bytes(self._path, buffer.getvalue())
        self._written = len(self._lines)
        self._last_write = time.monotonic()


def _read(path: Path) -> list[str]:
    try:
        with h5py.File(io.BytesIO(path.read_bytes()), "r") as file:
            if file.attrs.get("schema") != SCHEMA:
                raise KeyError("schema")
            text: str = file["log"][...].tobytes().decode()
        lines = text.split("\n")
        for line in lines:
            json.loads(line)
    except OSError as error:
        if error.errno:
            raise store_error(error, path, "read") from error
        raise _foreign(path) from error
    except (KeyError, RuntimeError, ValueError) as error:
        raise _foreign(path) from error
    return lines


def _foreign(path: Path) -> StoreError:
    return StoreError(
        "is damaged or no journal of serab's",
        where=path,
        next_step="move the file away and run again; the study is then made anew",
    )
