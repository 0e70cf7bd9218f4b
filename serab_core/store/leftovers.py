"""Temporary names, and the removal of temporary files that killed writers left.

The temporary name of a file or folder NAME is `.NAME.part-HOST~PID.BEGAN.BOOT.NAMESPACE-RANDOM`. Process numbers mean
something only on one running kernel (BOOT, the kernel's boot id) and in one PID namespace (NAMESPACE), such as that
of a container. A sweep in the same namespace checks whether the process is still running. Any other sweep decides by
age alone.

On a file system that cannot exchange two names, a folder that is being replaced is called `.NAME.old-RANDOM` for a
moment. If its name is free later, the folder is renamed back, because it is the only copy.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import sys
import time
from functools import cache
from pathlib import Path

from serab_core.store.durable import fsync_folder

_PART = re.compile(
    r"\..*\.part-(?P<host>[^~]*)~(?P<pid>\d+)(\.(?P<began>\d+)(\.(?P<boot>[0-9a-z]+)\.(?P<namespace>\d+))?)?-[0-9a-f]{8}",
    re.DOTALL,
)
_OLD = re.compile(r"\.(?P<name>.+)\.old-[0-9a-f]{8}", re.DOTALL)
_EMPTY = re.compile(r"\.(probe-\d+|seen-[0-9a-f]{16})")  # probes of earlier versions, and of Dask workers
_DOWNLOAD = re.compile(r"tmp[a-z0-9_]{8}")  # the name that Python's tempfile gives to a download
DOWNLOADS = "downloads"  # the folder of the home that downloads go to
ELSEWHERE_AGE_S = (
    7 * 24 * 3600.0
)  # seconds without a change until a leftover of another machine or container is deleted
REBOOT_AGE_S = 24 * 3600.0  # the same for a leftover of this host before its last boot; another host may have its name
UNNAMED_AGE_S = 3600.0  # the same for a leftover that does not name its process
_MAX_NAME_BYTES = 255  # bytes of a file name, the limit of most file systems
_COMPARED = 60  # characters of a name that all its temporary names begin with
_UNKNOWN = "unknown"  # boot id of a process that cannot read it; it matches no other boot id


def temporary_name(path: Path) -> Path:
    """Return a new temporary name in the folder of `path`."""
    ending = f".part-{_host()}~{_identity(os.getpid())}-{secrets.token_hex(4)}"
    name = path.name.encode("utf-8", "replace")[: _MAX_NAME_BYTES - len(ending) - 1]
    return path.with_name(f".{name.decode('utf-8', 'ignore')}{ending}")


def outgoing_name(path: Path) -> Path:
    """Return a new name for a folder that another folder is about to replace."""
    return path.with_name(f".{path.name}.old-{secrets.token_hex(4)}")


def delete(path: Path) -> None:
    """Delete a file, a link or a folder with all that is in it. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path, *, deep: bool = True) -> list[Path]:
    """Delete the leftovers of killed writers below `folder`, and restore folders whose replacement was interrupted.

    A leftover of this PID namespace is deleted once its process has ended. Any other leftover is deleted by age.

    Args:
        folder: the folder to sweep.
        deep: include its subfolders.

    Returns:
        the paths that were deleted.
    """
    deleted = []
    for parent, folders, files in os.walk(folder):
        hidden = [name for name in (*folders, *files) if name[0] == "." or _DOWNLOAD.fullmatch(name)]
        for name in hidden:
            path = Path(parent, name)
            with contextlib.suppress(OSError):
                if _is_leftover(path):
                    delete(path)
                    deleted.append(path)
        if not deep:
            break
        skipped = {name for name in hidden if _PART.fullmatch(name) or _OLD.fullmatch(name)}
        folders[:] = [name for name in folders if name not in skipped]
    return deleted


def sweep_siblings(path: Path) -> None:
    """Delete the leftovers of killed writers of `path` in its folder, which no other sweep covers outside the home."""
    beginning = f".{path.name[:_COMPARED]}"
    with contextlib.suppress(OSError):
        for entry in [entry for entry in os.scandir(path.parent) if entry.name.startswith(beginning)]:
            with contextlib.suppress(OSError):
                if _is_leftover(Path(entry.path)):
                    delete(Path(entry.path))


def restore_folders(parent: Path) -> None:
    """Restore each folder in `parent` whose replacement was interrupted, if its name is free."""
    with contextlib.suppress(OSError):
        for path in [Path(entry.path) for entry in os.scandir(parent) if _OLD.fullmatch(entry.name)]:
            _restore(path)


def _is_leftover(path: Path) -> bool:
    """Return whether a file or folder is the leftover of a writer that has ended. Raises OSError."""
    if match := _PART.fullmatch(path.name):
        if not _is_abandoned(path, match):
            return False
        fsync_folder(path.parent)  # it may be a replaced folder: flush the name of the new one before deleting it
        return True
    if _OLD.fullmatch(path.name):
        return not _restore(path)
    if _EMPTY.fullmatch(path.name):
        return path.lstat().st_size == 0 and _age(path) > UNNAMED_AGE_S
    is_download = path.parent.name == DOWNLOADS and _DOWNLOAD.fullmatch(path.name) is not None
    return is_download and _age(path) > UNNAMED_AGE_S and not _is_locked(path)


def _restore(outgoing: Path) -> bool:
    """Rename a folder back if its name is free, and return True; return False if another folder has the name."""
    match = _OLD.fullmatch(outgoing.name)
    assert match is not None
    path = outgoing.with_name(match["name"])
    if not os.path.lexists(path):
        outgoing.rename(path)
        fsync_folder(path.parent)
        return True
    fsync_folder(path.parent)  # flush the name of the other folder before this one may be deleted
    return False


def _is_abandoned(path: Path, match: re.Match[str]) -> bool:
    host, boot, namespace = match["host"], match["boot"] or "", match["namespace"] or ""
    is_known = boot != _UNKNOWN and (namespace != "0" or sys.platform != "linux") and os.name == "posix"
    if is_known and (boot, namespace) == (_boot(), _namespace()):
        return _has_ended(int(match["pid"]), int(match["began"]))
    is_reboot = host == _host() and boot not in ("", _UNKNOWN, _boot())
    return _age(path) > (REBOOT_AGE_S if is_reboot else ELSEWHERE_AGE_S)


def _has_ended(pid: int, began: int) -> bool:
    """Return whether a process of this PID namespace has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    state = _process_state(pid)
    # A zombie process has exited and is not reaped yet. Another start time means that a new process has the number.
    return state is not None and (state[0] in "ZX" or (began > 0 and state[1] != began))


def _age(path: Path) -> float:
    """Return the seconds since a file, or any file of a folder, was changed. Raises OSError."""
    latest = path.lstat().st_mtime
    if path.is_dir() and not path.is_symlink():
        for parent, folders, files in os.walk(path):
            for name in (*folders, *files):
                with contextlib.suppress(OSError):
                    latest = max(latest, Path(parent, name).lstat().st_mtime)
    return time.time() - latest


def _is_locked(path: Path) -> bool:
    """Return whether a running process holds a lock on a file."""
    if sys.platform == "win32":
        return False  # Windows itself refuses to delete an open file
    import fcntl

    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())


@cache
def _boot() -> str:
    """Return the first eight digits of the kernel's boot id; "0" on systems without PID namespaces."""
    if sys.platform != "linux":
        return "0"
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except (OSError, ValueError):
        return _UNKNOWN
    return re.sub(r"[^0-9a-f]", "", text)[:8] or _UNKNOWN


def _namespace() -> str:
    """Return the number of this process's PID namespace; "0" on systems without PID namespaces."""
    try:
        return re.sub(r"\D", "", os.readlink("/proc/self/ns/pid")) or "0"  # noqa: PTH115  no file of that name exists
    except OSError:
        return "0"


def _identity(pid: int) -> str:
    """Return the part of a temporary name that identifies a process."""
    state = _process_state(pid)
    return f"{pid}.{state[1] if state else 0}.{_boot()}.{_namespace()}"


def _process_state(pid: int) -> tuple[str, int] | None:
    """Return the state of a process and its start time, in ticks since boot, which clock changes do not affect."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    except (OSError, ValueError, IndexError):
        return None
