"""How much memory a process and all that it has started hold, as far as the system tells (Linux does)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def family(process: int) -> list[int]:
    """A process and all that it has started."""
    found = [process]
    for own in found:
        with contextlib.suppress(OSError, ValueError):
            for thread in Path(f"/proc/{own}/task").iterdir():
                found.extend(int(word) for word in (thread / "children").read_text(encoding="ascii").split())
    return found


def resident(process: int) -> int:
    """Memory that they hold now, in bytes; 0 where the system does not tell."""
    pages = 0
    for own in family(process):
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages += int(Path(f"/proc/{own}/statm").read_text(encoding="ascii").split()[1])
    return pages * (os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096)


def total_memory() -> int:
    """What this process may use at most, the machine's memory or its control group's; 0 where nobody tells."""
    found = []
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path(path).read_text(encoding="ascii")))
    return min((own for own in found if own > 0), default=0)


def peak(process: int) -> int:
    """The most that each of them held at any time, added up, in bytes; 0 where the system does not tell."""
    kilobytes = 0
    for own in family(process):
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = Path(f"/proc/{own}/status").read_text(encoding="ascii", errors="replace").splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return kilobytes * 1024
