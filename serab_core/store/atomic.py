"""Writes files and folders that are there whole or not at all, even when the process is killed or the power fails.

Content goes to a temporary name in the same folder, is flushed to the disk, and takes its real name in one step. The
folder is flushed then, and only after that what the new content replaces is deleted. `leftovers` clears what a killed
writer left.
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

_DONE_ALREADY = (errno.ENOENT, errno.ESTALE)
"""Answers of a network file system to a rename that was sent twice, because the first answer was lost."""
_NAME_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
_MAX_ATTEMPTS = 100  # to take a name that other processes take at the same time


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path to write to; at the end it becomes `path`, or is removed if anything was raised.

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
    """Gives a temporary folder to fill; at the end it becomes `path`, in place of what stood there.

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
        # Before the new name is on the disk, what it replaces is all that a power cut would leave.
        fsync_folder(path.parent)
        for old in outgoing:
            _try_to_delete(old)
    except OSError as error:
        raise store_error(error, path) from error


def remove_folder(path: Path) -> None:
    """Remove a folder in one step: it gets a temporary name first, so that a killed process leaves no half of it.

    Raises:
        StoreError: the folder around it cannot be written.
    """
    try:
        if path.is_symlink():
            path.unlink()  # the folder behind a link belongs to whoever made the link
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
    """Gives a temporary folder below `folder`, removed at the end.

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
    """Write a small file of the home whole or not at all. Raises StoreError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def write_output(path: Path, content: bytes) -> None:
    """Write a file to where the user wants it, whole or not at all. Raises StoreError."""
    sweep_siblings(path)
    write_bytes(path, content)


def _try_to_delete(path: Path) -> None:
    """Delete what has a temporary name; where that fails, the sweep of a later command does it."""
    with contextlib.suppress(OSError):
        delete(path)


def _rename(old: Path, new: Path) -> None:
    """Rename a file or folder. An error is none where a network file system lost the answer and has done it."""
    inode = old.lstat().st_ino
    try:
        os.replace(old, new)  # noqa: PTH105  the name that the design and its readers know
    except OSError as error:
        if error.errno not in _DONE_ALREADY or os.path.lexists(old) or new.lstat().st_ino != inode:
            raise


def _take_name(temporary: Path, path: Path) -> list[Path]:
    """Give a complete folder the name `path`. Returns where the folders are that had the name. Raises OSError."""
    outgoing: list[Path] = []
    for _ in range(_MAX_ATTEMPTS):
        if os.path.lexists(path):
            if exchange(temporary, path):
                return [*outgoing, temporary]
            outgoing.append(outgoing_name(path))
            with contextlib.suppress(FileNotFoundError):  # another process took it away
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
    for old in reversed(outgoing):
        with contextlib.suppress(OSError):  # the name is taken
            old.rename(path)
