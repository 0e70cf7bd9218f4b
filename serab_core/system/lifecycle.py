"""How a process of serab begins and ends: what it imports from, and what is still done when a thread is stuck."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import NoReturn

_LIBRARY_FOLDERS = ("site-packages", "dist-packages", "lib-dynload")  # on the path for themselves, also from inside
_INSTALLED = ("site-packages", "dist-packages")
_NUMBA_VARIABLES = ("NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES", "NUMBA_CUDA_DRIVER")
"""Settings of Numba that name code to load; "" is the default of each."""
_LIMIT_S = 3.0  # seconds for the functions of `atexit`, one of which may wait for the very thread that is stuck


def leave_working_folder() -> None:
    """Take the working folder off this process's path for imports, where nobody named it.

    `python -m` and `python -c` put it first, and an empty item of PYTHONPATH stands for it: a file of that folder would
    run in place of a library, and the metadata of a plugin there would count as installed. A folder that PYTHONPATH
    names stays, and so does one that an installed package lies in, as an editable install does: its entry comes from a
    `.pth` file, and so stands behind the folder of installed packages. PYTHONSAFEPATH says the same to every process
    that serab, a library or a plugin starts, unless the user has set it himself.
    """
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:  # it is deleted
        here = ""
    items = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    allowed = {os.path.abspath(item) for item in items if item}  # noqa: PTH100  Path fails in a folder that is deleted
    allowed.add(str(Path(os.__file__).parent))
    if here not in allowed and os.path.basename(here) not in _LIBRARY_FOLDERS:  # noqa: PTH119
        installed = [place for place, path in enumerate(sys.path) if os.path.basename(path) in _INSTALLED]  # noqa: PTH119
        first = installed[0] if installed else len(sys.path)
        sys.path[:] = [path for place, path in enumerate(sys.path) if path and (path != here or place > first)]
    if "" in items and len(items) > 1:
        os.environ["PYTHONPATH"] = os.pathsep.join(item for item in items if item)


def ignore_numba_file() -> None:
    """Keep a file `.numba_config.yaml` in the working folder from naming code to load; before Numba is imported.

    Numba reads it there. A folder of compiled code that it named would be unpickled, and a library that it named be
    loaded. What the environment sets goes before the file, and stays as it is.
    """
    for name in _NUMBA_VARIABLES:
        os.environ.setdefault(name, "")


def end_process(code: int) -> NoReturn:
    """Run what is registered with `atexit`, flush the standard streams, and end the process from any thread.

    `sys.exit` would wait for every thread that is no daemon.
    """
    finishing = threading.Thread(target=_run_exit_functions, daemon=True)
    finishing.start()
    finishing.join(_LIMIT_S)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or None where there is none
            stream.flush()
    os._exit(code)


def _run_exit_functions() -> None:
    with contextlib.suppress(BaseException):  # one may raise SystemExit; the process ends anyway
        atexit._run_exitfuncs()
