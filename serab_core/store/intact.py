"""Detects weight files that are empty, truncated or not weights at all. Only headers are read."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING

from serab_core.audio.pointers import POINTER_BYTES, pointer
from serab_core.errors import WeightsError, store_error

if TYPE_CHECKING:
    from pathlib import Path

_HEADER_BYTES = 100_000_000  # bytes; the longest header that safetensors itself accepts
_AGAIN = "download it again, or save it again"


def require_no_pointer(path: Path, head: bytes) -> None:
    """Raise WeightsError if a file is a pointer of git-lfs or git-annex."""
    if (reason := pointer(head)) is not None:
        raise WeightsError(reason[0], where=path, next_step=reason[1])


def require_intact(path: Path) -> None:
    """Check that a weight file is not visibly damaged.

    Raises:
        WeightsError: it is empty, a pointer or a web page; or it is a zip (as torch writes it) or a safetensors file
            that is truncated.
        StoreError: it cannot be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(POINTER_BYTES)
        require_no_pointer(path, head)
        if not size:
            raise WeightsError("is empty", where=path, next_step=_AGAIN)
        if head.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
            raise WeightsError("is a web page, not the weights", where=path, next_step=_AGAIN)
        cut = _is_cut_safetensors(path, size) if path.suffix == ".safetensors" else _is_cut_zip(path, head)
    except OSError as error:
        raise store_error(error, path, "read") from error
    if cut:
        raise WeightsError(f"is truncated after {size:,} bytes", where=path, next_step=_AGAIN)


def _is_cut_zip(path: Path, head: bytes) -> bool:
    return head.startswith(b"PK") and not zipfile.is_zipfile(path)


def _is_cut_safetensors(path: Path, size: int) -> bool:
    """Return whether a file is shorter than its header says: eight bytes of length, a JSON header, the tensors."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or (length <= _HEADER_BYTES and size < 8 + length):
            return True
        try:
            if length > _HEADER_BYTES:
                raise ValueError
            tensors = json.loads(file.read(length))
            ends = [int(entry["data_offsets"][1]) for name, entry in tensors.items() if name != "__metadata__"]
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise WeightsError("is not a safetensors file", where=path, next_step=_AGAIN) from error
    if not ends:
        raise WeightsError("has no tensors", where=path, next_step=_AGAIN)
    return size < 8 + length + max(ends)
