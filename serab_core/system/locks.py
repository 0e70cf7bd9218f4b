"""Work that one process does while others wait."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_S = 0.05  # seconds between two attempts to get the lock


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold a lock on a file while other processes and threads wait; the lock of a process that dies is released.

    Args:
        path: the file, which stays behind; its folder must exist.

    Raises:
        OSError: the file cannot be opened for writing.
    """
    from filelock import FileLock

    with FileLock(path, poll_interval=POLL_S):
        yield
