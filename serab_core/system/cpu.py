"""How many cores there are, and how many of them a plugin may use at this moment."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_core_budget: Callable[[], int] | None = None


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_cores() -> int:
    """How many threads a job may start now: its share of the cores, which grows when other workers have nothing to do.

    Results must not depend on it.
    """
    return available_cores() if _core_budget is None else _core_budget()


@contextmanager
def share_cores(core_budget: Callable[[], int]) -> Iterator[None]:
    """Lets `free_cores` answer with a share; serab's workers do so around each job."""
    global _core_budget
    before, _core_budget = _core_budget, core_budget
    try:
        yield
    finally:
        _core_budget = before
