"""Settings from `serab.toml`, from a project's `pyproject.toml`, or from environment variables.

The order of precedence is: the command line, the environment, the project's file, the user's file, the default. A
project's file may set a setting that can run code, or redirect the user's data, only if the user trusts its folder.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, TypeAlias, get_type_hints

from platformdirs import user_config_path, user_data_path

from serab_core.errors import ConfigError, UnknownNameError, UsageError
from serab_core.project_file import FILE, IgnoredSetting, find_project_file, settings_table
from serab_core.system.cpu import available_cores
from serab_core.system.hints import command
from serab_core.system.session import current_session

Value: TypeAlias = str | int | tuple[str, ...]
FILE_VARIABLE = "SERAB_CONFIG"
"""Variable with the only settings file to read, instead of the project's and the user's; empty for no file."""
MAX_UNTRUSTED_JOBS = 64
"""Processes that an untrusted project's file may set at most; thousands would block the machine."""
TIMEOUT_S = 3600  # seconds without a heartbeat; a single point of a search may take minutes on a large corpus


@dataclass(frozen=True, slots=True)
class Setting:
    """The declaration of a setting.

    Attributes:
        variable: the environment variable; commas separate the items of a list.
        description: one sentence about its effect.
        default: a description of the default.
        needs_trust: a project's file may set it only if the user trusts the folder.
        kind: the type of its value.
    """

    variable: str
    description: str
    default: str
    needs_trust: bool = False
    kind: Any = None


def _user_home() -> Path:
    return user_data_path("serab", appauthor=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force; a setting that neither a variable nor a file sets has its default."""

    home: Annotated[
        Path,
        Setting("SERAB_HOME", "The folder where everything is stored.", "the platform's folder for user data", True),
    ] = field(default_factory=_user_home)
    engine: Annotated[
        str, Setting("SERAB_ENGINE", "The engine that runs jobs: local, or dask://HOST:PORT.", "local", True)
    ] = "local"
    jobs: Annotated[int, Setting("SERAB_JOBS", "Number of worker processes.", "one per core")] = field(
        default_factory=available_cores
    )
    patience: Annotated[int, Setting("SERAB_PATIENCE", "Seconds until a silent worker is killed.", str(TIMEOUT_S))] = (
        TIMEOUT_S
    )
    protocol: Annotated[str, Setting("SERAB_PROTOCOL", "The protocol, such as serab, strict or loso.", "serab")] = (
        "serab"
    )
    tasks: Annotated[tuple[str, ...], Setting("SERAB_TASKS", "Tasks to evaluate on.", "the prepared tasks")] = ()
    disabled_plugins: Annotated[
        tuple[str, ...],
        Setting("SERAB_DISABLE_PLUGINS", "Plugins that are not loaded, by name or distribution.", "none"),
    ] = ()


SETTINGS: dict[str, Setting] = {
    name.replace("_", "-"): replace(hint.__metadata__[0], kind=hint.__origin__)
    for name, hint in get_type_hints(Settings, include_extras=True).items()
}
"""The declaration of each setting, by its key in files."""
MAX_INTEGER = 2**31 - 1  # the largest number that every system takes
_WORD = {"type": "string", "minLength": 1, "pattern": "^[^\\u0000]*$"}
KINDS: dict[Any, tuple[str, dict[str, Any]]] = {
    Path: ("a path", _WORD),
    str: ("a word", _WORD),
    tuple[str, ...]: ("a list of words", {"type": "array", "items": _WORD}),
    int: ("a positive integer up to 2147483647", {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}),
}
"""A noun phrase and the JSON Schema for each type of setting."""


@dataclass(frozen=True, slots=True)
class SettingFiles:
    """The settings files.

    Attributes:
        tables: the settings of each file, in order of precedence.
        ignored: the ignored settings of a project's file.
    """

    tables: tuple[tuple[Path, Mapping[str, Value]], ...] = ()
    ignored: tuple[IgnoredSetting, ...] = ()


on_ignored: Callable[[IgnoredSetting], None] | None = None
"""Function to call for each ignored setting when the files are read; the command line sets it to print a message."""


def current_settings() -> Settings:
    """Return the settings in force. A session reads the files once.

    Raises:
        ConfigError: a file or a variable has an invalid value.
    """
    return Settings(
        **{key.replace("-", "_"): SETTINGS[key].kind(value) for key, (value, _) in assigned_values().items()}
    )


def assigned_values() -> dict[str, tuple[Value, str]]:
    """Return the settings that have no default value, by key: the value, and its variable or file.

    Raises:
        ConfigError: a file or a variable has an invalid value.
    """
    files, assigned = _files(), dict[str, tuple[Value, str]]()
    for key, setting in SETTINGS.items():
        origins = [(table[key], str(path)) for path, table in files.tables if key in table]
        if text := os.environ.get(setting.variable, "").strip():
            origins.insert(0, (_parsed(setting, text), f"${setting.variable}"))
        if origins:
            assigned[key] = origins[0]
    return assigned


def effective_values() -> dict[str, tuple[Value, str]]:
    """Return every setting by key: the value in force, and its variable, its file or "default".

    Raises:
        ConfigError: a file or a variable has an invalid value.
    """
    settings, assigned = current_settings(), assigned_values()
    values = {key: getattr(settings, key.replace("-", "_")) for key in SETTINGS} | {"home": str(home())}
    return {key: (value, assigned[key][1] if key in assigned else "default") for key, value in values.items()}


def ignored_settings() -> tuple[IgnoredSetting, ...]:
    """Return the ignored settings of a project's file. Raises ConfigError."""
    return _files().ignored


@contextmanager
def existing_folder() -> Iterator[None]:
    """Change to the folder for temporary files meanwhile, if the working folder is deleted.

    Libraries and new processes read the working folder, and fail if it is deleted.
    """
    if working_folder() is not None:
        yield
        return
    deleted = os.open(".", os.O_RDONLY)
    os.chdir(tempfile.gettempdir())
    try:
        yield
    finally:
        os.fchdir(deleted)
        os.close(deleted)


def home() -> Path:
    """Return the folder where everything is stored, from the session or the settings. Raises ConfigError."""
    return current_session().home or current_settings().home


def config_files() -> list[Path]:
    """Return the settings files that are read, in order of precedence: the project's and the user's."""
    return [path for path, _ in _files().tables]


def absolute_path(path: str | Path) -> Path:
    """Return the path, absolute, with ~ for a home folder.

    Raises:
        UsageError: it is relative, and the working folder is deleted.
        UnknownNameError: it contains the home of an unknown user.
    """
    try:
        expanded = Path(path).expanduser()
    except RuntimeError as error:
        raise UnknownNameError(
            f"{str(path)!r} contains the home of an unknown user", next_step="write it without ~"
        ) from error
    try:
        return expanded.absolute()
    except OSError as error:
        raise UsageError(
            "is a relative path, and the working folder is deleted",
            where=str(path),
            next_step="change to a folder that exists, or write the path in full",
        ) from error


def working_folder() -> Path | None:
    """Return the working folder; None if it is deleted or cannot be read."""
    try:
        return Path.cwd()
    except OSError:
        return None


def _files() -> SettingFiles:
    """Return the settings files of the project and the user, which a session reads once. Raises ConfigError."""
    here, named = working_folder(), os.environ.get(FILE_VARIABLE)

    def read() -> SettingFiles:
        files = _read_files(here, named)
        if on_ignored is not None:
            for entry in files.ignored:
                on_ignored(entry)
        return files

    return current_session().cached(("settings", here, named), read)


def _read_files(here: Path | None, named: str | None) -> SettingFiles:
    if named == "":
        return SettingFiles()
    if named is not None:
        only = absolute_path(_expanded(named, f"${FILE_VARIABLE}"))
        if not only.is_file():
            raise ConfigError("is not a file", where=only, next_step=f"correct {FILE_VARIABLE}, or unset it")
        return SettingFiles(((only, read_settings(only)),))
    user = user_folder() / FILE
    users = ((user, read_settings(user)),) if user.is_file() else ()
    path, ignored = find_project_file(here)
    if path is None or (users and path.samefile(user)):
        return SettingFiles(users, tuple(ignored))
    table, untrusted = _split_by_trust(path, read_settings(path))
    return SettingFiles(((path, table), *users), (*ignored, *untrusted))


def user_folder() -> Path:
    """Return the user's configuration folder, with `serab.toml` and the list of trusted folders."""
    return user_config_path("serab", appauthor=False)


def trust_file() -> Path:
    """Return the path of the list of folders that the user trusts."""
    return user_folder() / "trusted.json"


def values_to_trust(table: Mapping[str, Value]) -> dict[str, Value]:
    """Return the settings of a project's file that apply only if the user trusts the folder."""
    return {key: value for key, value in table.items() if SETTINGS[key].needs_trust or _is_excessive(key, value)}


def _is_excessive(key: str, value: Value) -> bool:
    return key == "jobs" and isinstance(value, int) and value > MAX_UNTRUSTED_JOBS


def _split_by_trust(path: Path, table: Mapping[str, Value]) -> tuple[dict[str, Value], list[IgnoredSetting]]:
    """Return the settings of a project's file that apply, and the ignored ones."""
    critical = values_to_trust(table)
    if not critical:
        return dict(table), []
    reason, step = (
        "needs your trust, because the file may come from a third party",
        f"trust it with {command('config trust', str(path.parent))}",
    )
    from serab_core.trust import read_trusted  # imported here, because msgspec is slow to import

    trusted: Mapping[str, Value] = {}
    try:
        trusted = read_trusted(trust_file()).get(os.path.realpath(path.parent), {})
    except ConfigError as error:
        reason, step = f"needs your trust, and {error.where} {error.what}", str(error.next_step)
    ignored = [
        IgnoredSetting(path, key, f"is {value!r}, and you trusted {trusted[key]!r}" if key in trusted else reason, step)
        for key, value in critical.items()
        if trusted.get(key) != value
    ]
    keys = {entry.key for entry in ignored}
    return {key: value for key, value in table.items() if key not in keys}, ignored


def read_settings(path: Path) -> Mapping[str, Value]:
    """Return the settings of a file, checked. Raises ConfigError."""
    table = settings_table(path)
    for key in table:
        if key not in SETTINGS:
            raise ConfigError(
                f"has the unknown setting {key!r}",
                where=path,
                next_step=f"the settings are {', '.join(SETTINGS)}",
                suggestions=difflib.get_close_matches(key, SETTINGS, 1),
            )
    return {key: _typed(key, content, path) for key, content in table.items()}


def _expanded(text: str, where: Path | str) -> Path:
    """Return a path with `~` expanded."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"has the path {text!r}, and there is no such user",
            where=where,
            next_step="write the path without ~",
        ) from error


def _typed(key: str, content: Any, path: Path) -> Value:
    """Return the checked value of a setting in a file. Paths are relative to the file."""
    kind = SETTINGS[key].kind
    if kind == tuple[str, ...] and isinstance(content, list) and all(map(_is_word, content)):
        return tuple(word.strip() for word in content)
    if kind is int and isinstance(content, int) and not isinstance(content, bool) and 1 <= content <= MAX_INTEGER:
        return content
    if kind in (str, Path) and _is_word(content):
        return str((path.parent / _expanded(content, path)).absolute()) if kind is Path else content
    raise ConfigError(
        f"sets {key} to {content!r}, which is not {KINDS[kind][0]}",
        where=path,
        next_step=f"correct it; see {command('config')}",
    )


def _is_word(content: object) -> bool:
    return isinstance(content, str) and bool(content.strip()) and "\0" not in content


def _parsed(setting: Setting, text: str) -> Value:
    """Return the checked value of an environment variable."""
    if setting.kind == tuple[str, ...]:
        return tuple(word.strip() for word in text.split(",") if word.strip())
    if setting.kind is Path:
        return str(absolute_path(_expanded(text, f"${setting.variable}")))
    if setting.kind is int:
        digits = text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INTEGER))
        if not digits or not 1 <= int(text) <= MAX_INTEGER:
            raise ConfigError(
                f"is {text!r}, which is not {KINDS[int][0]}",
                where=f"${setting.variable}",
                next_step=f"correct or unset it; see {command('config')}",
            )
        return int(text)
    return text


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of `serab.toml`, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FILE,
        "description": "Settings of serab; also the table tool.serab of a pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key: {**KINDS[setting.kind][1], "description": f"{setting.description} Default: {setting.default}."}
            for key, setting in SETTINGS.items()
        },
    }
