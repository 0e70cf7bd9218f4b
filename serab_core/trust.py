"""The list of folders whose settings the user trusts: `trusted.json` in the user's configuration folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from serab_core.errors import ConfigError, StoreError, store_error
from serab_core.store.atomic import write_bytes
from serab_core.store.codec import decode, encode
from serab_core.store.reading import read_file
from serab_core.system.hints import command
from serab_core.system.ownership import untrusted_file_reason

if TYPE_CHECKING:
    from pathlib import Path

Trusted: TypeAlias = dict[str, dict[str, str | int | tuple[str, ...]]]
"""The trusted values of settings, by the folder of their file and by key."""


class TrustedDocument(msgspec.Struct, frozen=True):
    """The stored list; it is also what `serab config trust --json` prints."""

    schema: Literal["serab.trusted/1"]
    folders: Trusted


def read_trusted(path: Path) -> Trusted:
    """Return the trusted settings, by the folder of their file.

    Args:
        path: the list of trusted folders.

    Raises:
        ConfigError: it cannot be read, or other users can write it.
    """
    if not path.exists():
        return {}
    if reason := untrusted_file_reason(path):
        raise ConfigError(
            f"{reason}, and is ignored",
            where=path,
            next_step="remove the write permission of others from the file and its folder: chmod go-w",
        )
    try:
        return decode(read_file(path), TrustedDocument, where=path, surrogates_in=("$",)).folders
    except StoreError as error:
        step = f"move it away, and trust your folders again with {command('config trust', 'FOLDER')}"
        raise ConfigError(error.what, where=path, next_step=step) from error


def write_trusted(path: Path, folders: Trusted) -> None:
    """Write the list, readable by the user alone. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_bytes(path, encode(TrustedDocument("serab.trusted/1", folders)))
        path.chmod(0o600)
    except OSError as error:
        raise store_error(error, path) from error
