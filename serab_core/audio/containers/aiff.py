"""AIFF and AIFC: big-endian chunks; COMM counts samples, SSND holds them."""

from __future__ import annotations

import struct

from serab_core.audio.containers.length import (
    TOLERATED_BYTES,
    Length,
    Stream,
    View,
    refused,
    shortage,
    surplus,
    unknown_32,
)

_WIDTHS = {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1,
           b"in24": 3, b"in32": 4, b"42n1": 3, b"23ni": 4, b"raw ": 1}  # fmt: skip
_BITS = (b"NONE", b"twos", b"sowt")
_BLOCKS = {b"ima4": (34, 64), b"GSM ": (33, 160)}
"""Bytes and samples of a block of one channel."""


def walk(view: View) -> Length:
    """Return the length of an AIFF or AIFC file."""
    kind = view[8:12].decode("ascii", "replace")
    comm: int | None = None
    sound: tuple[int, int] | None = None
    position = 12
    while position + 8 <= len(view):
        name, size = view[position : position + 4], struct.unpack(">I", view[position + 4 : position + 8])[0]
        if not all(32 <= c < 127 for c in name):
            if all(32 <= c < 127 for c in view[position - 1 : position + 3]):
                position -= 1  # the pad byte of the chunk before is missing
                continue
            break
        if name == b"COMM" and comm is None:
            comm = position
        elif name == b"SSND" and sound is None:
            sound = position, size
            if size == 0 or unknown_32(size):
                break
        position += 8 + size + size % 2
    if sound is None or comm is None:
        missing_chunk = "no SSND chunk" if sound is None else "no COMM chunk"
        if position + 8 > len(view):
            return Length(kind, fault=f"is cut short: the file ends before its audio ({missing_chunk})")
        return Length(kind, fault=f"is damaged: no chunk begins at byte {position}, where one has to ({missing_chunk})")
    return _sized(view, kind, comm, *sound, min(position, len(view)))


def _sized(view: View, kind: str, comm: int, place: int, size: int, end: int) -> Length:
    described = view[comm + 8 : comm + 30]
    if len(described) < 18 or len(view) < place + 16:
        return Length(kind, fault="is cut short: the file ends in its header")
    channels, counted, bits = struct.unpack(">HIH", described[:8])
    coding = described[18:22] if kind == "AIFC" else b"NONE"
    offset = struct.unpack(">I", view[place + 8 : place + 12])[0]
    if not channels or offset > len(view):
        return Length(kind, fault="is damaged: its header says no channels, or a place behind the file's end")
    start, there = place + 16 + offset, len(view) - place - 16 - offset
    per_block = 1
    if coding in _BITS:
        frame = channels * max(1, (bits + 7) // 8)
    elif coding in _WIDTHS:
        frame = channels * _WIDTHS[coding]
    elif coding in _BLOCKS:
        frame, per_block = channels * _BLOCKS[coding][0], _BLOCKS[coding][1]
    else:
        return refused(kind, f"holds audio in the codec {coding!r}, which serab does not decode")
    promised = size - 8 - offset
    unknown = (size <= 8 + offset and there > 0 and (counted != 0 or end <= place or size == 0)) or unknown_32(size)
    if size <= 8 + offset and not unknown:
        return Length(kind, 0)
    if unknown:
        audio = there
    else:
        fault = shortage(promised, there, frame if per_block == 1 else 1) or surplus(view, end, promised)
        if fault:
            return Length(kind, fault=fault)
        audio = min(promised, there)
    samples = audio // frame * per_block
    missing = (counted - samples) * frame if per_block == 1 and not unknown_32(counted * frame) else 0
    if not unknown and missing > max(TOLERATED_BYTES, frame):
        return Length(kind, fault=f"is cut short: its header promises {counted} samples, and it holds {samples}")
    if per_block > 1:
        if unknown:
            return refused(kind, f"holds audio in the codec {coding!r} and does not say its length")
        return Length(f"{kind} ({coding.decode()})", samples, per_block)
    streams: tuple[Stream, ...] = ()
    if unknown or counted != samples:
        streams = (Stream(_patched(view, comm, place, start, start + samples * frame, samples), samples),)
    return Length(kind, samples, streams=streams)


def _patched(view: View, comm: int, place: int, start: int, end: int, samples: int) -> bytes:
    """The file with the right sizes, and nothing behind its audio."""
    data = bytearray(view[:end] + bytes(end % 2))
    if comm > place:  # move COMM in front of the audio, because the cut drops what follows the audio
        moved = view[comm : comm + 8 + int.from_bytes(view[comm + 4 : comm + 8], "big")]
        moved += bytes(len(moved) % 2)
        data[place:place] = moved
        comm, place, start, end = place, place + len(moved), start + len(moved), end + len(moved)
    data[4:8] = struct.pack(">I", len(data) - 8)
    data[comm + 10 : comm + 14] = struct.pack(">I", samples)
    data[place + 4 : place + 8] = struct.pack(">I", end - place - 8)
    return bytes(data)
