"""Reads files of the home. A file that cannot be read is an error; it does not count as missing or damaged."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.errors import StoreError, store_error

if TYPE_CHECKING:
    from collections.abc import Iterator

_ABSENT = (errno.ENOENT, errno.ENOTDIR)


def file_exists(path: Path) -> bool:
    """Return whether a file or folder exists.

    Raises:
        StoreError: the system cannot say, because of permissions or a disk error.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno in _ABSENT:
            return False
        raise store_error(error, path, "read") from error
    return True


def may_exist(path: Path) -> bool:
    """Return False only if a file certainly does not exist; the caller that reads the file gets the error."""
    try:
        return file_exists(path)
    except StoreError:
        return True


def read_file(path: Path) -> bytes:
    """Return a file's content. Raises StoreError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise store_error(error, path, "read") from error


def files_below(folder: Path, suffix: str) -> tuple[list[Path], list[StoreError]]:
    """Return the files below a folder whose names end in `suffix`, sorted, and the errors of unreadable folders.

    Hidden folders are skipped, because they are incomplete. Folders behind links are included, each once.
    """
    files: list[Path] = []
    errors: list[StoreError] = []
    visited: set[str] = set()

    def note(error: OSError) -> None:
        if error.errno not in _ABSENT:
            errors.append(store_error(error, error.filename or folder, "read"))

    for parent, folders, names in os.walk(folder, onerror=note, followlinks=True):
        if (real := os.path.realpath(parent)) in visited:
            folders.clear()
            continue
        visited.add(real)
        folders[:] = [name for name in folders if name[0] != "."]
        files += [Path(parent, name) for name in names if name.endswith(suffix) and name[0] != "."]
    return sorted(files), errors


def raise_first(listing: tuple[list[Path], list[StoreError]]) -> Iterator[Path]:
    """Yield the files that `files_below` returned. Raises its first error."""
    files, errors = listing
    if errors:
        raise errors[0]
    yield from files
