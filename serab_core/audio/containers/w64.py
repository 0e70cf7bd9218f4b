"""Sony Wave64: WAV's chunks with names of 16 bytes and sizes of 64 bits."""

from __future__ import annotations

from serab_core.audio.containers.length import Length, View, shortage, surplus, unknown_64
from serab_core.audio.containers.riff import coded, read_format

MAGIC = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
_TAIL = b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"  # the last 12 bytes of every chunk name
_HEAD = 24  # bytes of a chunk's name and size; the size includes them
_KIND = "W64"


def walk(view: View) -> Length:
    """Return the length of a W64 file."""
    position, raw = 40, b""
    while True:
        if len(view) < position + _HEAD:
            return Length(_KIND, fault="is cut short: the file ends before its audio (no data chunk)")
        name = view[position : position + 16]
        size = int.from_bytes(view[position + 16 : position + _HEAD], "little")
        start = position + _HEAD
        if name == b"data" + _TAIL:
            break
        if size < _HEAD:
            return Length(_KIND, fault=f"is damaged: the chunk at byte {position} states a size of {size} bytes")
        if name == b"fmt " + _TAIL:
            raw = view[start : start + min(size - _HEAD, 4096)]
        position += size + -size % 8
    fmt = read_format(raw)
    if fmt is None:
        return Length(_KIND, fault="is damaged: its fmt chunk is missing, or cannot be read")
    available = len(view) - start
    unknown = unknown_64(size) or size in (0, _HEAD)
    if view[start : start + 16] == MAGIC or 0 < size < _HEAD:
        return Length(
            _KIND, fault="is damaged: its header was written twice, or its data chunk is smaller than its head"
        )
    promised = size - _HEAD
    if not unknown:
        fault = shortage(promised, available, fmt.sample) or surplus(view, _chunks_end(view, position), promised)
        if fault:
            return Length(_KIND, fault=fault)
    return coded(view, _KIND, fmt, start, available if unknown else min(promised, available), rewrite=unknown)


def _chunks_end(view: View, position: int) -> int:
    """Return the end of a sequence of chunks that begins at `position`."""
    while position + _HEAD <= len(view):
        size = int.from_bytes(view[position + 16 : position + _HEAD], "little")
        if (
            view[position + 4 : position + 16] != _TAIL and not view[position : position + 4].isalpha()
        ) or size < _HEAD:
            return position
        position += size + -size % 8
    return position
