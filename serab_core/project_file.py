"""The settings file of a project: its search, and its ownership check.

A file in the working folder may come from a third party: with a cloned repository, in an archive, or in a shared
folder. Without the user's trust it may set only settings that cannot run code and cannot redirect the user's data.
"""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serab_core.errors import ConfigError
from serab_core.system.hints import command
from serab_core.system.ownership import untrusted_file_reason

FILE = "serab.toml"
PYPROJECT = "pyproject.toml"
_MAX_BYTES = 1 << 20  # bytes; a larger file is not a settings file, and parsing it would take minutes


@dataclass(frozen=True, slots=True)
class IgnoredSetting:
    """A setting, or a file, of a project that is ignored.

    Attributes:
        file: the project's file.
        key: the setting; "" for the whole file.
        reason: the reason, as a predicate of the setting or the file.
        next_step: what the user can do so that it applies.
    """

    file: Path
    key: str
    reason: str
    next_step: str

    def __str__(self) -> str:
        subject = f"the setting {self.key}" if self.key else "the file"
        return f"{self.file}: {subject} is ignored: it {self.reason}. Next: {self.next_step}."


def load_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
        return tomllib.loads(content.decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # TOML's and Unicode's errors are ValueErrors
        raise ConfigError(
            f"cannot be read ({error})", where=path, next_step=f"correct it; see {command('config')}"
        ) from error


def settings_table(path: Path) -> Mapping[str, Any]:
    """Return the unchecked settings of a file: the whole content, or the table `tool.serab` of a `pyproject.toml`.

    Raises:
        ConfigError: it cannot be read, or has no such table.
    """
    content = load_toml(path)
    if path.name != PYPROJECT:
        return content
    table = _tool_table(content)
    if not isinstance(table, dict):
        raise ConfigError("has no table tool.serab", where=path, next_step="write [tool.serab]")
    return table


def find_project_file(here: Path | None) -> tuple[Path | None, list[IgnoredSetting]]:
    """Return the nearest settings file in the working folder or its parents, and the ignored files.

    The search ends at the user's home folder and at the boundary of the file system. A file that another user owns or
    can write is ignored.

    Args:
        here: the working folder; None if it is deleted.

    Raises:
        ConfigError: a `pyproject.toml` that mentions serab is not valid TOML.
    """
    ignored: list[IgnoredSetting] = []
    for folder in _searched_folders(here):
        for path in (folder / FILE, folder / PYPROJECT):
            if not _is_file(path) or (path.name == PYPROJECT and not _mentions_serab(path)):
                continue
            reason = _untrusted_reason(path)
            if reason:
                if path.name == FILE or _has_table(path):
                    ignored.append(IgnoredSetting(path, "", reason, _obey_step(path)))
                continue
            if path.name == FILE or _tool_table(load_toml(path)) is not None:
                return path, ignored
    return None, ignored


def _obey_step(path: Path) -> str:
    return (
        f"write the settings into a file that only you can write, or, if you trust this file, set "
        f"SERAB_CONFIG={shlex.quote(str(path))}"
    )


def _searched_folders(here: Path | None) -> Iterator[Path]:
    if here is None:
        return
    home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111  Path.expanduser fails without a home folder
    try:
        device = here.stat().st_dev
        for folder in (here, *here.parents):
            if folder.stat().st_dev != device:
                return
            yield folder
            if str(folder) == home:
                return
    except OSError:
        return


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _untrusted_reason(path: Path) -> str:
    try:
        return untrusted_file_reason(path)
    except OSError as error:
        return f"cannot be examined ({error.strerror})"


def _mentions_serab(path: Path) -> bool:
    """Return whether a `pyproject.toml` mentions serab; other files are not parsed, and may be templates, not TOML."""
    try:
        with path.open("rb") as file:
            return b"serab" in file.read(_MAX_BYTES)
    except OSError:
        return False


def _has_table(path: Path) -> bool:
    try:
        return _tool_table(load_toml(path)) is not None
    except ConfigError:
        return False


def _tool_table(content: Mapping[str, Any]) -> object:
    """Return the value of `tool.serab` in a `pyproject.toml`; None if it is missing."""
    tool = content.get("tool")
    return tool.get("serab") if isinstance(tool, dict) else None
