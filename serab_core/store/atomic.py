"""Atomic writes: a file or folder is complete or absent, even when the process is killed or the power fails.

Content is written under a temporary name in the same folder, flushed to the disk, and renamed in one step. The folder
is flushed next, and only then is the replaced content deleted. `leftovers` deletes the temporary files of killed
writers.
"""

from __future__ import annotations

import contextlib
import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from serab_core.errors import store_error
from serab_core.store.durable import exchange, flush_tree, fsync_file, fsync_folder, make_folder
from serab_core.store.leftovers import delete, outgoing_name, sweep_siblings, temporary_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RENAME_REPEATED = (errno.ENOENT, errno.ESTALE)
"""Errors of a network file system for a rename that it received twice, because its first response was lost."""
_NAME_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
_MAX_ATTEMPTS = 100  # attempts to take a name that other processes take at the same time


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Provide a temporary path to write to; rename it to `path` at the end, or remove it after an exception.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    temporary = temporary_name(path)
    try:
        make_folder(path.parent)
        yield temporary
        fsync_file(temporary)
        _rename(temporary, path)
        fsync_folder(path.parent)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Provide a temporary folder to fill; at the end it replaces `path`.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    temporary = temporary_name(path)
    try:
        try:
            make_folder(path.parent)
            sweep_siblings(path)
            temporary.mkdir()
            yield temporary
            flush_tree(temporary)
            outgoing = _take_name(temporary, path)
        except BaseException:
            _try_to_delete(temporary)
            raise
        # Until the new name is on the disk, the old content is all that a power cut would leave.
        fsync_folder(path.parent)
        for old in outgoing:
            _try_to_delete(old)
    except OSError as error:
        raise store_error(error, path) from error


def remove_folder(path: Path) -> None:
    """Remove a folder in one step. It is renamed first, so that a killed process does not leave half of it.

    Raises:
        StoreError: the parent folder cannot be written.
    """
    try:
        if path.is_symlink():
            path.unlink()  # only the link: the folder that it leads to belongs to the creator of the link
            fsync_folder(path.parent)
        else:
            outgoing = temporary_name(path)
            path.rename(outgoing)
            fsync_folder(path.parent)
            _try_to_delete(outgoing)
    except OSError as error:
        raise store_error(error, path, "removed") from error


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Provide a temporary folder below `folder`, and remove it at the end.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    temporary = temporary_name(folder / "scratch")
    try:
        temporary.mkdir(parents=True)
        yield temporary
    except OSError as error:
        raise store_error(error, folder) from error
    finally:
        _try_to_delete(temporary)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a small file of the home atomically. Raises StoreError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_output(path: Path, content: bytes) -> None:
    """Write a file to a path that the user chose, atomically. Raises StoreError."""
    sweep_siblings(path)
    write_bytes(path, content)


def _try_to_delete(path: Path) -> None:
    """Delete a temporary file or folder; after a failure, the sweep of a later command deletes it."""
    with contextlib.suppress(OSError):
        delete(path)


def _rename(old: Path, new: Path) -> None:
    """Rename a file or folder. Ignore the error of a network file system that lost its response but did rename it."""
    inode = old.lstat().st_ino
    try:
        os.replace(old, new)  # noqa: PTH105  the usual name of this atomic operation
    except OSError as error:
        if error.errno not in _RENAME_REPEATED or os.path.lexists(old) or new.lstat().st_ino != inode:
            raise


def _take_name(temporary: Path, path: Path) -> list[Path]:
    """Rename a complete folder to `path`, and return where the folders are now that had the name. Raises OSError."""
    outgoing: list[Path] = []
    for _ in range(_MAX_ATTEMPTS):
        if os.path.lexists(path):
            if exchange(temporary, path):
                return [*outgoing, temporary]
            outgoing.append(outgoing_name(path))
            with contextlib.suppress(FileNotFoundError):  # another process has renamed it
                path.rename(outgoing[-1])
        try:
            _rename(temporary, path)
        except OSError as error:
            if error.errno not in _NAME_TAKEN:
                _put_back(outgoing, path)
                raise
        except BaseException:
            _put_back(outgoing, path)
            raise
        else:
            return outgoing
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))


def _put_back(outgoing: list[Path], path: Path) -> None:
    """Rename the replaced folders back to `path`, the last one first."""
    for old in reversed(outgoing):
        with contextlib.suppress(OSError):  # the name is taken
            old.rename(path)
