"""Work that one process does while others wait."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds a lock on a file, which stays behind; a process that dies lets go of it.

    Args:
        path: the file; its folder must be there.

    Raises:
        OSError: it cannot be opened for writing.
    """
    with path.open("w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows: two processes may do the same work, and the later one's file is kept
            pass
        else:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX)
        yield
