"""Memory of a process and of the processes that it started, and the memory limit of this process."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any


def family(process: int) -> list[int]:
    """Return the ids of a process and of all its descendants; an empty list if it has ended."""
    return [member.pid for member in _members(process)]


def resident(process: int) -> int:
    """Return the resident memory of a process and its descendants, in bytes; 0 if it has ended."""
    import psutil

    total = 0
    for member in _members(process):
        with contextlib.suppress(psutil.Error):  # the process has ended meanwhile
            total += int(member.memory_info().rss)
    return total


def total_memory() -> int:
    """Return the memory that this process may use, in bytes: the machine's, or the limit of its control group."""
    import psutil

    limits = [int(psutil.virtual_memory().total)]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):  # no such control group, or "max"; psutil does not read these
            limits.append(int(Path(path).read_text(encoding="ascii")))
    return min(limit for limit in limits if limit > 0)


def peak(process: int) -> int:
    """Return the sum of the peak memory of a process and its descendants, in bytes; 0 if the system has no record."""
    return sum(_peak_of(member) for member in _members(process))


def _members(process: int) -> list[Any]:
    """Return a process and all its descendants, as psutil's objects."""
    import psutil

    try:
        root = psutil.Process(process)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def _peak_of(member: Any) -> int:
    """Return the largest resident memory that a process ever had, in bytes; psutil has it on Windows only."""
    import psutil

    with contextlib.suppress(psutil.Error, OSError, ValueError):
        windows_peak: int = getattr(member.memory_info(), "peak_wset", 0)
        if windows_peak:
            return windows_peak
        for line in Path(f"/proc/{member.pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return 0
