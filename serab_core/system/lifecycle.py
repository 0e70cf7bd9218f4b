"""The start and the end of a process of serab: its import path, and its exit while a thread is blocked."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import NoReturn

_LIBRARY_FOLDERS = ("site-packages", "dist-packages", "lib-dynload")  # stay on the path, even as the working folder
_INSTALLED = ("site-packages", "dist-packages")
_NUMBA_VARIABLES = ("NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES", "NUMBA_CUDA_DRIVER")
"""Settings of Numba that name code to load; "" is the default of each."""
_LIMIT_S = 3.0  # seconds for the functions of `atexit`; one of them may wait for the blocked thread


def leave_working_folder() -> None:
    """Remove the working folder from this process's import path, unless the user has named it.

    `python -m` and `python -c` put it first, and an empty item of PYTHONPATH means the working folder. A file of that
    folder would run instead of a library, and the metadata of a plugin there would count as installed. A folder that
    PYTHONPATH names stays. The folder of an editable install stays too: its entry comes from a `.pth` file, and
    therefore follows the folder of installed packages. PYTHONSAFEPATH has the same effect on every process that serab,
    a library or a plugin starts, unless the user has set it.
    """
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    try:
        here = os.getcwd()  # noqa: PTH109
    except OSError:  # the working folder is deleted
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
    """Ignore the code that `.numba_config.yaml` in the working folder names. Call this before Numba is imported.

    Numba reads this file. It would unpickle a folder of compiled code, and load a library, that the file names.
    Variables of the environment take precedence over the file, and existing values are not changed.
    """
    for name in _NUMBA_VARIABLES:
        os.environ.setdefault(name, "")


def end_process(code: int) -> NoReturn:
    """Run the functions registered with `atexit`, flush the standard streams, and end the process from any thread.

    `sys.exit` would wait for every thread that is not a daemon.
    """
    finishing = threading.Thread(target=_run_exit_functions, daemon=True)
    finishing.start()
    finishing.join(_LIMIT_S)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or None where there is none
            stream.flush()
    os._exit(code)


def _run_exit_functions() -> None:
    with contextlib.suppress(BaseException):  # a function may raise SystemExit; the process ends anyway
        atexit._run_exitfuncs()
