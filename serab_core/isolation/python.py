"""The command and the environment variables of the Python processes that serab starts."""

from __future__ import annotations

import os
import sys
import tempfile

from serab_core.settings import working_folder
from serab_core.system.session import current_session


def python_command(*arguments: str) -> list[str]:
    """Return the command of this interpreter, without imports from the working folder.

    Without `-P`, both `python -m` and `python -c` look for every module in the working folder first: a file of the
    user, such as `random.py`, would run in place of the library of that name.
    """
    return [sys.executable, "-P", *arguments]


def child_folder() -> str | None:
    """Return the folder for a child process: None for the working folder, or a temporary folder if it is deleted."""
    return None if working_folder() is not None else tempfile.gettempdir()


def child_environment(**changed: str) -> dict[str, str]:
    """Return the environment variables of a child process, which has this process's `sys.path` and writes UTF-8.

    Args:
        changed: variables that differ from those of this process.
    """
    return {
        **os.environ,
        **current_session().environment(),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),  # "" is the working folder
        "PYTHONIOENCODING": "utf-8:backslashreplace",  # the parent decodes UTF-8, independent of the terminal
        **changed,
    }
