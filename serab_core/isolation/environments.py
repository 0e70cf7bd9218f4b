"""Isolated environments of plugins: `$SERAB_HOME/isolated/NAME`, each with a record of its content."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from serab_core import settings
from serab_core.errors import StoreError
from serab_core.system.session import ISOLATE_VARIABLE, current_session

FILE = "isolated.json"
INSIDE_VARIABLE = "SERAB_INSIDE"
"""Variable that is set in the process of an isolated extractor, which must not isolate others."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An isolated environment: an interpreter with its own plugins.

    Attributes:
        name, version: name and version of the plugin's distribution.
        python: the path of the interpreter.
        extractors: the names of its entry points for extractors.
        error: the reason why it cannot be used; "" if it can.
    """

    name: str
    folder: Path
    python: Path
    version: str = ""
    extractors: tuple[str, ...] = ()
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """Return plain values, as `serab plugins --json` prints them."""
        return {
            "distribution": self.name,
            "version": self.version,
            "python": str(self.python),
            "extractors": list(self.extractors),
            "error": self.error,
        }


def folder_of(name: str) -> Path:
    """Return the folder of a distribution's environment."""
    return settings.home() / "isolated" / name


def interpreter_in(folder: Path) -> Path:
    """Return the path of the interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def environments() -> list[Environment]:
    """Return all isolated environments, sorted by name."""
    room = settings.home() / "isolated"
    return [_read(path.parent) for path in sorted(room.glob(f"[!.]*/{FILE}"))] if room.is_dir() else []


def find(entry: str, distribution: str = "") -> list[Environment]:
    """Return the working environments with an extractor called `entry`, of any distribution or of the given one."""
    return [
        environment
        for environment in environments()
        if entry in environment.extractors and distribution in ("", environment.name) and not environment.error
    ]


def is_requested() -> bool:
    """Return whether every extractor must run in a separate process."""
    requested = current_session().isolate or os.environ.get(ISOLATE_VARIABLE, "") not in ("", "0")
    return requested and not is_isolated_child()


def is_isolated_child() -> bool:
    """Return whether this process runs an isolated extractor."""
    return bool(os.environ.get(INSIDE_VARIABLE))


def _read(folder: Path) -> Environment:
    from serab_core.isolation.record import EnvironmentDocument  # imported here, because msgspec is slow to import
    from serab_core.store.codec import read

    try:
        record = read(folder / FILE, EnvironmentDocument)
    except StoreError as error:
        return Environment(folder.name, folder, folder, error=f"{FILE} {error.what}")
    python = folder / record.python
    exists = os.path.exists(python)  # noqa: PTH110  False for a path that cannot exist; Path.exists may raise
    error_text = "" if exists else f"{python} does not exist any more"
    return Environment(record.distribution, folder, python, record.version, record.extractors, error_text)
