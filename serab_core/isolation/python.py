"""The command and the environment of each Python process that serab starts."""

from __future__ import annotations

import os
import sys
import tempfile

from serab_core.settings import working_folder
from serab_core.system.session import current_session


def python_command(*arguments: str) -> list[str]:
    """The command of this interpreter, which does not import from the working folder.

    Without `-P`, both `python -m` and `python -c` look for every module in the working folder first: a file of the
    user, such as `random.py`, would run in place of the library of that name.
    """
    return [sys.executable, "-P", *arguments]


def child_folder() -> str | None:
    """The folder in which a child begins: the working folder, or the one for temporary files where that is deleted."""
    return None if working_folder() is not None else tempfile.gettempdir()


def child_environment(**changed: str) -> dict[str, str]:
    """The environment of a child that finds the modules that this process finds, and writes UTF-8.

    Args:
        changed: variables that differ from those of this process.
    """
    return {
        **os.environ,
        **current_session().environment(),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),  # "" is the working folder
        "PYTHONIOENCODING": "utf-8:backslashreplace",  # what the parent decodes, whatever the terminal's encoding
        **changed,
    }
