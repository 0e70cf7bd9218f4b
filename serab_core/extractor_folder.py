"""The file `serab-extractor.json` in the folder of an extractor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from serab_core.store.codec import decode

if TYPE_CHECKING:
    from pathlib import Path


class ExtractorFolder(msgspec.Struct, frozen=True):
    """The fields of `serab-extractor.json` that the core reads; the extractor's plugin may add others."""

    schema: Literal["serab.extractor-folder/1"]
    entry: str


def read_entry(path: Path) -> str:
    """Return the name of the entry point that a file names. Raises ContentError, OSError."""
    return decode(path.read_bytes(), ExtractorFolder, where=path.parent, surrogates_in=("$",)).entry
