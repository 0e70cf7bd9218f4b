"""A cache of SHA-256 digests in the home, so that weights of gigabytes are read once and not by each command.

A digest is reused only while the file has the same path, size, inode, modification time and change time. Programs
cannot set the change time, so a file whose modification time was reset is read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import Any

from serab_core.errors import StoreError, store_error
from serab_core.store.codec import read_json
from serab_core.store.home import find_home
from serab_core.store.jsonio import write_json
from serab_core.store.weights import content_sha256, file_sha256

SCHEMA = "serab.file-digest/1"
MIN_CACHED_BYTES = 1 << 20  # bytes; hashing a smaller file takes about a millisecond
SETTLED_S = 5.0  # seconds; a file changed later may change again within the resolution of its times (FAT: 2 s)


def known_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; use the cached digest if the file has not changed since it was hashed.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        state = _state(path)
    except OSError as error:
        raise store_error(error, path, "read") from error
    if state["size"] < MIN_CACHED_BYTES:
        return file_sha256(path)
    record = _record(path)
    with contextlib.suppress(StoreError, KeyError):
        known = read_json(record, SCHEMA)
        if known["state"] == state:
            return str(known["sha256"])
    sha256 = file_sha256(path)
    with contextlib.suppress(OSError, StoreError):  # the home may be read-only
        if _state(path) == state and time.time() - max(state["mtime_ns"], state["ctime_ns"]) / 1e9 > SETTLED_S:
            write_json(record, {"schema": SCHEMA, "state": state, "sha256": sha256})
    return sha256


def known_content_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and contents of all files in a folder; cached by `known_sha256`.

    Raises:
        StoreError: a file cannot be read.
    """
    return content_sha256(path, known_sha256)


def outdated_records() -> list[Path]:
    """Return the cached records of files that were deleted or have changed."""
    outdated = []
    for record in sorted(_folder().glob("*.json")):
        try:
            known = read_json(record, SCHEMA)["state"]
            current = known == _state(Path(known["path"]))
        except (OSError, StoreError, KeyError, TypeError):
            current = False
        if not current:
            outdated.append(record)
    return outdated


def _state(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {
        "path": os.fspath(path.absolute()),
        "size": status.st_size,
        "inode": status.st_ino,
        "device": status.st_dev,
        "mtime_ns": status.st_mtime_ns,
        "ctime_ns": status.st_ctime_ns,
    }


def _record(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    return _folder() / f"{name}.json"


def _folder() -> Path:
    return find_home().root / "digests"
