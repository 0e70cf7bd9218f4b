"""Flushes files, folders and trees to the disk, and exchanges two names in one step.

A file is on the disk once it was flushed by `fsync`, and its name once the folder that lists it was flushed too.
Without that, a power cut can leave a name whose file is empty, or no name at all.
"""

from __future__ import annotations

import contextlib
import errno
import os
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FLUSH_THREADS = 16  # threads; a journalling file system commits concurrent fsync calls together, ten times faster
_RENAME_EXCHANGE = 2  # flag of renameat2, from linux/fs.h
_AT_FDCWD = -100  # "relative to the working folder", from fcntl.h
_HANDLE_FLAGS = os.O_RDWR if os.name == "nt" else os.O_RDONLY  # Windows flushes only writable handles
_UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP)  # errors of file systems that cannot flush a folder


def fsync_file(path: Path | str) -> None:
    """Flush a file's content to the disk. Raises OSError."""
    handle = os.open(path, _HANDLE_FLAGS)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def fsync_folder(folder: Path | str) -> None:
    """Flush the names in a folder to the disk, if the platform can open folders. Raises OSError."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows; or a folder that this user may write but not list
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, and flush each new name to the disk. Raises OSError."""
    if folder.is_dir():
        return
    try:
        folder.mkdir()
    except FileNotFoundError:
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
    fsync_folder(folder.parent)


def flush_tree(root: Path) -> None:
    """Flush every file and folder below `root`, and `root` itself, to the disk. Raises OSError."""
    files: list[str] = []
    folders = [str(root)]
    for folder in folders:  # grows while it is read
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.path)
    if len(files) > 1:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(FLUSH_THREADS, len(files)), "flush") as pool:
            for _ in pool.map(fsync_file, files):
                pass
    else:
        for file in files:
            fsync_file(file)
    for folder in reversed(folders):
        fsync_folder(folder)


def exchange(first: Path, second: Path) -> bool:
    """Exchange the names of two files or folders in one step.

    Returns:
        whether the names were exchanged; False if the platform or the file system cannot do it.
    """
    function = _renameat2()
    if function is None:
        return False
    inode = first.lstat().st_ino
    result: int = function(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    if result == 0:
        return True
    with contextlib.suppress(OSError):
        return second.lstat().st_ino == inode  # a network file system may report an error for a completed exchange
    return False


@cache
def _renameat2() -> Any:
    """Return the system's function; None if the system does not have it."""
    import ctypes

    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # not Linux, or a C library older than 2018
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return function
