"""The number of cores, and the number that a plugin may use at this moment."""

from __future__ import annotations

import os
import platform
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_core_budgets: list[Callable[[], int]] = []  # the last one holds


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """Return the name of the processor model, or else of the machine."""
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def free_cores() -> int:
    """Return the number of threads that a job may use now; it increases when other workers are idle.

    Results must not depend on this number.
    """
    return _core_budgets[-1]() if _core_budgets else available_cores()


@contextmanager
def share_cores(core_budget: Callable[[], int]) -> Iterator[None]:
    """Make `free_cores` return the value of `core_budget`; workers use this around each job."""
    _core_budgets.append(core_budget)
    try:
        yield
    finally:
        _core_budgets.remove(core_budget)
