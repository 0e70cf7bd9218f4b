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
from typing import Literal

import msgspec

from serab_core.errors import StoreError, store_error
from serab_core.store import codec
from serab_core.store.atomic import write_bytes
from serab_core.store.home import find_home
from serab_core.store.weights import content_sha256, file_sha256

MIN_CACHED_BYTES = 1 << 20  # bytes; hashing a smaller file takes about a millisecond
SETTLED_S = 5.0  # seconds; a file changed later may change again within the resolution of its times (FAT: 2 s)


class FileState(msgspec.Struct, frozen=True):
    """A file as the system describes it."""

    path: str
    size: int
    inode: int
    device: int
    mtime_ns: int
    ctime_ns: int


class DigestDocument(msgspec.Struct, frozen=True):
    """The cached digest of a file."""

    schema: Literal["serab.file-digest/1"]
    state: FileState
    sha256: str


def known_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; use the cached digest if the file has not changed since it was hashed.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        state = _state(path)
    except OSError as error:
        raise store_error(error, path, "read") from error
    if state.size < MIN_CACHED_BYTES:
        return file_sha256(path)
    record = _record(path)
    with contextlib.suppress(StoreError):
        known = codec.read(record, DigestDocument)
        if known.state == state:
            return known.sha256
    sha256 = file_sha256(path)
    with contextlib.suppress(OSError, StoreError):  # the home may be read-only
        if _state(path) == state and time.time() - max(state.mtime_ns, state.ctime_ns) / 1e9 > SETTLED_S:
            write_bytes(record, codec.encode(DigestDocument("serab.file-digest/1", state, sha256)))
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
            known = codec.read(record, DigestDocument).state
            current = known == _state(Path(known.path))
        except (OSError, StoreError):
            current = False
        if not current:
            outdated.append(record)
    return outdated


def _state(path: Path) -> FileState:
    status = path.stat()
    name = os.fspath(path.absolute())
    return FileState(name, status.st_size, status.st_ino, status.st_dev, status.st_mtime_ns, status.st_ctime_ns)


def _record(path: Path) -> Path:
    name = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    return _folder() / f"{name}.json"


def _folder() -> Path:
    return find_home().root / "digests"
