"""Names of extractors that hold paths: one file or folder has one name, wherever it is named from."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from serab_core.errors import UsageError
from serab_core.settings import absolute_path

FOLDER_FILE = "serab-extractor.json"
"""In a folder that is an extractor: `{"schema": "serab.extractor-folder/1", "entry": "the entry point's name"}`."""
FOLDER_SCHEMA = "serab.extractor-folder/1"
_OPTIONS = re.compile(r"(?P<argument>.+?)(?P<options>(\+[a-z][a-z0-9_]*(=[^+]*)?)*)")
_CODE = ".py"


def is_written_as_path(name: str) -> bool:
    """Whether an extractor's name can be nothing else than a path, as `./folder` is."""
    return name.startswith((".", "/", "~")) or (os.sep != "/" and os.sep in name)


def split_options(argument: str) -> tuple[str, list[str]]:
    """Split `argument+option+option=value` into the argument and its options.

    Args:
        argument: what follows the colon of `entry:argument`; not empty.

    Example:
        >>> split_options("./model.py=w+1.pt+layer=3")
        ('./model.py=w+1.pt', ['layer=3'])
    """
    match = _OPTIONS.fullmatch(argument)
    assert match is not None
    return match["argument"], match["options"].split("+")[1:]


def canonical_path(path: str) -> str:
    """Return the path that names a file or folder in results: absolute, without symbolic links, `~` for the home.

    Args:
        path: absolute, relative to the working folder, or beginning with `~`.

    Raises:
        UsageError: it is relative, and the working folder is deleted.
        UnknownNameError: it names the home of a user who is not known.
    """
    real = _real(path)
    try:
        home = Path.home().resolve()
    except (OSError, RuntimeError):  # a container without a home folder
        return str(real)
    return f"~/{real.relative_to(home).as_posix()}" if real != home and real.is_relative_to(home) else str(real)


def argument_paths(argument: str) -> tuple[str, str]:
    """Return an adapter's argument for its plugin, with absolute paths, and for its name, with canonical ones.

    A part of `MODULE` or `MODULE=WEIGHTS` is a path if it begins with `.`, `/` or `~`, or ends with `.py`; what
    follows the `=` is one if it exists, too. The name of a model such as `facebook/hubert-base-ls960` stays as it is.

    Raises:
        UsageError: a path is relative, and the working folder is deleted.
        UnknownNameError: a path names the home of a user who is not known.
    """
    module, equals, weights = argument.partition("=")
    pairs = [_part(module, _names_path(module))]
    if equals:
        pairs.append(_part(weights, bool(weights) and (_names_path(weights) or _exists(weights))))
    return "=".join(real for real, _ in pairs), "=".join(canonical for _, canonical in pairs)


def folder_entry(folder: Path) -> str:
    """Return the entry point that a folder is an extractor of. Raises UsageError where it is no extractor."""
    try:
        described = json.loads((folder / FOLDER_FILE).read_text(encoding="utf-8"))
        if described["schema"] == FOLDER_SCHEMA:
            return str(described["entry"])
        reason = f"{FOLDER_FILE} has schema {described['schema']!r}, not {FOLDER_SCHEMA!r}"
    except FileNotFoundError:
        reason = f"holds no extractor: {FOLDER_FILE} is missing" if folder.is_dir() else "does not exist"
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = f"{FOLDER_FILE} cannot be read ({type(error).__name__})"
    if folder.is_file():
        raise file_error(folder)
    raise UsageError(
        reason,
        where=folder,
        next_step="name a folder that `serab pretrain` wrote, or an installed extractor (serab list extractors)",
    )


def file_error(file: Path) -> UsageError:
    """Return the error for a file of a model, which is no extractor, with what to do instead."""
    if file.suffix == ".py":
        step = f"a module with the HEAR API is hear:{file}; for another model write a plugin: serab new extractor NAME"
    else:
        step = (
            f"weights need the code of their model: hear:MODULE={file} passes them to a module with the HEAR API; or "
            "write a plugin: serab new extractor NAME"
        )
    return UsageError("is a file, and an extractor is a name or a folder", where=file, next_step=step)


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
    except (OSError, RuntimeError, ValueError):  # links in a circle, a character that no path has
        return path
