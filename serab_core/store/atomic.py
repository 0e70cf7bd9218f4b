"""Writes files and folders that are there whole or not at all, even when the process is killed.

Content goes to a unique temporary name in the same folder, is flushed to the disk, and takes its real name by
`os.replace`. A temporary name holds the writer's host and process, so that what a killed writer left can be told
from what a living one is still writing.
"""

from __future__ import annotations

import contextlib
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

_PART = re.compile(r"\.part-(?P<host>[^~]*)~(?P<pid>\d+)-[0-9a-f]{8}$")
_FOREIGN_AGE_S = 7 * 24 * 3600.0
_CLOCKS_DIFFER_S = 2.0


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.part-{_host()}~{os.getpid()}-{secrets.token_hex(4)}")


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
        os.replace(temporary, path)  # noqa: PTH105  the name that the design and its readers know
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
        if match is None or not _abandoned(path, match["host"], int(match["pid"])):
            continue
        with contextlib.suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
            removed.append(path)
    return removed


def _abandoned(path: Path, host: str, pid: int) -> bool:
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
    return _is_somebody_else(path, pid)


def _is_somebody_else(path: Path, pid: int) -> bool:
    """Whether the process of that number is dead and not buried yet, or began after the file was written."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        began = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + int(told[19]) / os.sysconf("SC_CLK_TCK")
        return told[0] in "ZX" or began > path.stat().st_mtime + _CLOCKS_DIFFER_S
    except (OSError, ValueError, IndexError, AttributeError):
        return False
