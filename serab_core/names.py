"""Names of extractors that contain paths: a file or folder has the same name from every working folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from serab_core.errors import ContentError, UsageError
from serab_core.settings import absolute_path
from serab_core.system.hints import command

FOLDER_FILE = "serab-extractor.json"
"""File in the folder of an extractor: `{"schema": "serab.extractor-folder/1", "entry": "the entry point's name"}`."""
FOLDER_SCHEMA: Final = "serab.extractor-folder/1"
_OPTIONS = re.compile(r"(?P<argument>.+?)(?P<options>(\+[a-z][a-z0-9_]*(=[^+]*)?)*)")
_CODE = ".py"


def is_written_as_path(name: str) -> bool:
    """Return whether an extractor's name is certainly a path, such as `./folder`."""
    return name.startswith((".", "/", "~")) or (os.sep != "/" and os.sep in name)


def split_options(argument: str) -> tuple[str, list[str]]:
    """Split `argument+option+option=value` into the argument and its options.

    Args:
        argument: the text behind the colon of `entry:argument`; not empty.

    Example:
        >>> split_options("./model.py=w+1.pt+layer=3")
        ('./model.py=w+1.pt', ['layer=3'])
    """
    match = _OPTIONS.fullmatch(argument)
    assert match is not None
    return match["argument"], match["options"].split("+")[1:]


def canonical_path(path: str) -> str:
    """Return the path of a file or folder for names in results: absolute, without symbolic links, `~` for the home.

    Args:
        path: absolute, relative to the working folder, or beginning with `~`.

    Raises:
        UsageError: it is relative, and the working folder is deleted.
        UnknownNameError: it contains the home of an unknown user.
    """
    real = _real(path)
    try:
        home = Path.home().resolve()
    except (OSError, RuntimeError):  # a container without a home folder
        return str(real)
    return f"~/{real.relative_to(home).as_posix()}" if real != home and real.is_relative_to(home) else str(real)


def argument_paths(argument: str) -> tuple[str, str]:
    """Return an adapter's argument with absolute paths, for its plugin, and with canonical paths, for its name.

    `MODULE` or `WEIGHTS` of `MODULE=WEIGHTS` is a path if it begins with `.`, `/` or `~`, or ends with `.py`;
    `WEIGHTS` is also a path if it exists. The name of a model such as `facebook/hubert-base-ls960` is not changed.

    Raises:
        UsageError: a path is relative, and the working folder is deleted.
        UnknownNameError: a path contains the home of an unknown user.
    """
    module, equals, weights = argument.partition("=")
    pairs = [_part(module, _names_path(module))]
    if equals:
        pairs.append(_part(weights, bool(weights) and (_names_path(weights) or _exists(weights))))
    return "=".join(real for real, _ in pairs), "=".join(canonical for _, canonical in pairs)


def folder_entry(folder: Path) -> str:
    """Return the entry point of a folder that is an extractor. Raises UsageError if the folder is not an extractor."""
    from serab_core.extractor_folder import read_entry  # imported here, because msgspec is slow to import

    try:
        return read_entry(folder / FOLDER_FILE)
    except FileNotFoundError:
        reason = f"is not an extractor: {FOLDER_FILE} is missing" if folder.is_dir() else "does not exist"
    except OSError as error:
        reason = f"{FOLDER_FILE} cannot be read ({error.strerror})"
    except ContentError as error:
        reason = f"{FOLDER_FILE} {error.what}"
    if folder.is_file():
        raise file_error(folder)
    raise UsageError(
        reason,
        where=folder,
        next_step="name a folder that pre-training or an export wrote, or an installed extractor "
        f"({command('list extractors')})",
    )


def file_error(file: Path) -> UsageError:
    """Return the error for the file of a model, which is not an extractor, with the next step."""
    write_plugin = command("new extractor", "NAME")
    if file.suffix == ".py":
        step = f"a module with the HEAR API is hear:{file}; for another model write a plugin: {write_plugin}"
    else:
        step = (
            f"weights need the code of their model: hear:MODULE={file} passes them to a module with the HEAR API; or "
            f"write a plugin: {write_plugin}"
        )
    return UsageError("is a file, but an extractor is a name or a folder", where=file, next_step=step)


def _part(text: str, resolve: bool) -> tuple[str, str]:
    return (str(_real(text)), canonical_path(text)) if resolve else (text, text)


def _names_path(text: str) -> bool:
    return text.startswith((".", "/", "~")) or text.endswith(_CODE)


def _exists(text: str) -> bool:
    try:
        return absolute_path(text).exists()
    except (OSError, ValueError, UsageError):
        return False


def _real(text: str) -> Path:
    path = absolute_path(text)
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, or a character that paths cannot have
        return path
