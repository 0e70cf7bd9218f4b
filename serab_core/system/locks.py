"""Locks between processes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_S = 0.05  # seconds between two attempts to get the lock


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; other processes and threads wait. The system releases a dead process's lock.

    Args:
        path: the file, which is not deleted afterwards; its folder must exist.

    Raises:
        OSError: the file cannot be opened for writing.
    """
    from filelock import FileLock

    with FileLock(path, poll_interval=POLL_S):
        yield
