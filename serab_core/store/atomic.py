"""Writes files and folders that are there whole or not at all, even when the process is killed.

Content goes to a unique temporary name in the same folder, is flushed to the disk, and takes its real name by
`os.replace`. A temporary name holds the writer's host and process, so that what a killed writer left can be told
from what a living one is still writing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.errors import store_error

if TYPE_CHECKING:
    from collections.abc import Iterator

_PART = re.compile(r"\.part-(?P<host>[^~]*)~(?P<pid>\d+)(\.(?P<began>\d+))?-[0-9a-f]{8}$")
_FOREIGN_AGE_S = 7 * 24 * 3600.0
_DONE_ALREADY = (errno.ENOENT, errno.ESTALE)
"""What a network file system may answer to a rename that it was asked for twice, for the first answer was lost."""


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())


def _temporary(path: Path) -> Path:
    began = _began(os.getpid()) or ("", 0)
    return path.with_name(f".{path.name}.part-{_host()}~{os.getpid()}.{began[1]}-{secrets.token_hex(4)}")


def _began(pid: int) -> tuple[str, int] | None:
    """A process's state, and when it began, in ticks since the machine did: no clock that is set changes that."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return told[0], int(told[19])
    except (OSError, ValueError, IndexError):
        return None


def fsync_folder(folder: Path) -> None:
    """Makes a rename in `folder` durable; does nothing where the platform cannot open folders."""
    with contextlib.suppress(PermissionError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Gives a temporary path to write to; at the end it becomes `path`, or is removed if anything was raised.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    temporary = _temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
            written = os.fstat(file.fileno()).st_ino
        _rename(temporary, path, written)
        fsync_folder(path.parent)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _rename(temporary: Path, path: Path, written: int) -> None:
    try:
        os.replace(temporary, path)  # noqa: PTH105  the name that the design and its readers know
    except OSError as error:
        if error.errno not in _DONE_ALREADY or temporary.exists() or path.stat().st_ino != written:
            raise


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Gives a temporary folder to fill; at the end it becomes `path`, in place of what stood there.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    temporary = _temporary(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            outgoing = _temporary(path)
            path.rename(outgoing)
            temporary.rename(path)
            shutil.rmtree(outgoing, ignore_errors=True)
        else:
            temporary.rename(path)
        fsync_folder(path.parent)
    except OSError as error:
        raise store_error(error, path) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(path: Path) -> None:
    """Remove a folder at once: it is renamed first, so that a killed process leaves none that is half there.

    Raises:
        StoreError: the folder around it cannot be written.
    """
    try:
        if path.is_symlink():
            path.unlink()  # the folder behind a link belongs to whoever made the link
        else:
            outgoing = _temporary(path)
            path.rename(outgoing)
            shutil.rmtree(outgoing, ignore_errors=True)
        fsync_folder(path.parent)
    except OSError as error:
        raise store_error(error, path, "removed") from error


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """Gives a temporary folder below `folder`, removed at the end.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    temporary = _temporary(folder / "scratch")
    try:
        temporary.mkdir(parents=True)
        yield temporary
    except OSError as error:
        raise store_error(error, folder) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a small file whole or not at all. Raises StoreError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def sweep(folder: Path) -> list[Path]:
    """Removes what killed writers left anywhere below `folder`, and returns it.

    A temporary name of this host goes when its process is gone; one of another host when it is a week old.
    """
    removed = []
    for path in folder.rglob(".*.part-*"):
        match = _PART.search(path.name)
        if match is None or not _abandoned(path, match["host"], int(match["pid"]), int(match["began"] or 0)):
            continue
        with contextlib.suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            removed.append(path)
    return removed


def _abandoned(path: Path, host: str, pid: int, began: int) -> bool:
    if host != _host() or os.name != "posix":  # elsewhere a process cannot be asked after without harm
        try:
            return time.time() - path.stat().st_mtime > _FOREIGN_AGE_S
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    now = _began(pid)
    # Dead and not buried yet; or the number is another process's by now.
    return now is not None and (now[0] in "ZX" or (began > 0 and now[1] != began))
