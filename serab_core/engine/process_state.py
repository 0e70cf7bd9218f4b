"""Restores the state of the process after a job, because the next job may use another plugin."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.settings import existing_folder, working_folder
from serab_core.system.environment import restore_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP") if hasattr(signal, name))
_STDIN, _STDOUT, _STDERR = 0, 1, 2


@contextlib.contextmanager
def preserve_process_state() -> Iterator[None]:
    """Save the state of the process, and restore it at the end.

    The state is the working folder, the environment variables, the umask, signal handlers, standard streams, warning
    filters, NumPy's error handling, the global random generators of Python and NumPy, and the number of threads of
    torch if it is loaded. Meanwhile the standard output goes to the standard error, also from native code, and the
    standard input is empty, so that a plugin cannot read the user's input.
    """
    folder, environment = working_folder(), dict(os.environ)
    drawn, drawn_by_numpy = random.getstate(), np.random.get_state()
    faults, filters, streams = np.geterr(), warnings.filters[:], (sys.stdin, sys.stdout, sys.stderr)
    main = threading.current_thread() is threading.main_thread()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS} if main else {}
    masked, threads = _umask(), _torch_threads()
    try:
        with existing_folder(), _output_to_stderr(), empty_stdin():
            yield
    finally:
        if folder is not None:
            with contextlib.suppress(OSError):  # the folder may have been deleted
                os.chdir(folder)
        restore_variables(environment)
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        random.setstate(drawn)
        np.random.set_state(drawn_by_numpy)
        np.seterr(**faults)
        warnings.filters[:] = filters  # type: ignore[index]
        sys.stdin, sys.stdout, sys.stderr = streams
        os.umask(masked)
        if threads and _torch_threads() != threads:
            sys.modules["torch"].set_num_threads(threads)


@contextlib.contextmanager
def empty_stdin() -> Iterator[None]:
    """Replace the standard input by an empty one, for Python and for native code, and restore it afterwards."""
    original = sys.stdin
    try:
        saved = os.dup(_STDIN)
    except OSError:  # a process without a standard input
        saved = -1
    try:
        with Path(os.devnull).open(encoding="utf-8") as empty:
            if saved >= 0:
                os.dup2(empty.fileno(), _STDIN)
            sys.stdin = empty
            yield
    finally:
        sys.stdin = original
        if saved >= 0:
            os.dup2(saved, _STDIN)
            os.close(saved)


def _umask() -> int:
    masked = os.umask(0o077)
    os.umask(masked)
    return masked


def _torch_threads() -> int:
    """Return the number of threads of torch; 0 if torch is not loaded."""
    torch: Any = sys.modules.get("torch")
    return int(torch.get_num_threads()) if hasattr(torch, "get_num_threads") else 0


@contextlib.contextmanager
def _output_to_stderr() -> Iterator[None]:
    """Redirect the descriptor of the standard output, for native code; reopen it if a plugin closed it."""
    try:
        saved_stdout, saved_stderr = os.dup(_STDOUT), os.dup(_STDERR)
    except OSError:  # a process without standard streams
        yield
        return
    sys.stdout.flush()
    try:
        os.dup2(saved_stderr, _STDOUT)
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os.dup2(saved_stdout, _STDOUT)
        os.dup2(saved_stderr, _STDERR)
        os.close(saved_stdout)
        os.close(saved_stderr)
