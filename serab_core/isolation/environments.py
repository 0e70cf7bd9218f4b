"""Environments that plugins have to themselves: `$SERAB_HOME/isolated/NAME`, each with a record of what is in it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from serab_core import settings
from serab_core.system.session import ISOLATE_VARIABLE, current_session

SCHEMA = "serab.isolated/1"
FILE = "isolated.json"
INSIDE_VARIABLE = "SERAB_INSIDE"
"""Set in the process of an isolated extractor, which isolates nothing itself."""


@dataclass(frozen=True, slots=True)
class Environment:
    """An interpreter with plugins of its own.

    Attributes:
        name, version: of the plugin's distribution.
        python: the interpreter.
        extractors: names of its entry points.
        error: why it cannot be used; "" where it can.
    """

    name: str
    folder: Path
    python: Path
    version: str = ""
    extractors: tuple[str, ...] = ()
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """Plain values, in the shape that `serab plugins --json` prints."""
        return {
            "distribution": self.name,
            "version": self.version,
            "python": str(self.python),
            "extractors": list(self.extractors),
            "error": self.error,
        }


def folder_of(name: str) -> Path:
    """Where the environment of a distribution is."""
    return settings.home() / "isolated" / name


def interpreter_in(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def environments() -> list[Environment]:
    """Those that are there, by name."""
    room = settings.home() / "isolated"
    return [_read(path.parent) for path in sorted(room.glob(f"[!.]*/{FILE}"))] if room.is_dir() else []


def find(entry: str, distribution: str = "") -> list[Environment]:
    """Environments with an extractor of that name, of that distribution where one is named."""
    return [
        environment
        for environment in environments()
        if entry in environment.extractors and distribution in ("", environment.name) and not environment.error
    ]


def is_requested() -> bool:
    """Return whether every extractor is to run in a process of its own."""
    requested = current_session().isolate or os.environ.get(ISOLATE_VARIABLE, "") not in ("", "0")
    return requested and not is_isolated_child()


def is_isolated_child() -> bool:
    """Return whether this process runs an isolated extractor."""
    return bool(os.environ.get(INSIDE_VARIABLE))


def _read(folder: Path) -> Environment:
    try:
        record = json.loads((folder / FILE).read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise ValueError(f"schema {record['schema']!r}")
        python = folder / record["python"]
        name, version, extractors = str(record["distribution"]), str(record["version"]), tuple(record["extractors"])
        if not isinstance(record["extractors"], list) or not all(isinstance(entry, str) for entry in extractors):
            raise TypeError("extractors")
        gone = "" if python.exists() else f"{python} is gone"
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        return Environment(folder.name, folder, folder, error=f"{FILE} cannot be read ({type(error).__name__})")
    return Environment(name, folder, python, version, extractors, gone)
