"""Puts back what a job's plugin changed in its process, before the next job, perhaps another plugin's, begins."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP") if hasattr(signal, name))


@contextlib.contextmanager
def surroundings_kept() -> Iterator[None]:
    """Keeps the folder, the environment, signal handlers, and the global generators of Python and NumPy."""
    folder, environment = Path.cwd(), dict(os.environ)
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS} if main else {}
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # the folder may be gone
            os.chdir(folder)
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update({name: own for name, own in environment.items() if os.environ.get(name) != own})
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
