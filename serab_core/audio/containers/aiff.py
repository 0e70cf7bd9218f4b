"""AIFF and AIFC: big-endian chunks; COMM counts samples, SSND holds them."""

from __future__ import annotations

import struct

from serab_core.audio.containers.length import (
    TOLERATED_BYTES,
    Length,
    Stream,
    View,
    refusal,
    shortage,
    surplus,
    unknown_32,
)

_WIDTHS = {b"fl32": 4, b"FL32": 4, b"fl64": 8, b"FL64": 8, b"ulaw": 1, b"ULAW": 1, b"alaw": 1, b"ALAW": 1,
           b"in24": 3, b"in32": 4, b"42n1": 3, b"23ni": 4, b"raw ": 1}  # fmt: skip
_BITS = (b"NONE", b"twos", b"sowt")  # PCM codecs, whose sample size COMM gives in bits
_BLOCKS = {b"ima4": (34, 64), b"GSM ": (33, 160)}  # bytes and samples of one block of one channel, by codec


def walk(view: View) -> Length:
    """Return the length of an AIFF or AIFC file."""
    kind = view[8:12].decode("ascii", "replace")
    comm: int | None = None
    ssnd_chunk: tuple[int, int] | None = None
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
        elif name == b"SSND" and ssnd_chunk is None:
            ssnd_chunk = position, size
            if size == 0 or unknown_32(size):
                break
        position += 8 + size + size % 2
    if ssnd_chunk is None or comm is None:
        missing_chunk = "no SSND chunk" if ssnd_chunk is None else "no COMM chunk"
        if position + 8 > len(view):
            return Length(kind, fault=f"is cut short: the file ends before its audio ({missing_chunk})")
        return Length(
            kind, fault=f"is damaged: no chunk begins at byte {position}, where a chunk must begin ({missing_chunk})"
        )
    return _length(view, kind, comm, *ssnd_chunk, min(position, len(view)))


def _length(view: View, kind: str, comm: int, ssnd: int, size: int, end: int) -> Length:
    """Return the length of a file with the COMM chunk at `comm` and the SSND chunk of `size` bytes at `ssnd`.

    `end` is the byte at which the walk over the chunks stopped.
    """
    common = view[comm + 8 : comm + 30]
    if len(common) < 18 or len(view) < ssnd + 16:
        return Length(kind, fault="is cut short: the file ends in its header")
    channels, header_samples, bits = struct.unpack(">HIH", common[:8])
    coding = common[18:22] if kind == "AIFC" else b"NONE"
    offset = struct.unpack(">I", view[ssnd + 8 : ssnd + 12])[0]
    if not channels or offset > len(view):
        return Length(kind, fault="is damaged: its header says no channels, or audio behind the end of the file")
    start, available = ssnd + 16 + offset, len(view) - ssnd - 16 - offset
    per_block = 1
    if coding in _BITS:
        frame = channels * max(1, (bits + 7) // 8)
    elif coding in _WIDTHS:
        frame = channels * _WIDTHS[coding]
    elif coding in _BLOCKS:
        frame, per_block = channels * _BLOCKS[coding][0], _BLOCKS[coding][1]
    else:
        return refusal(kind, f"holds audio in the codec {coding!r}, which serab does not decode")
    promised = size - 8 - offset
    unknown = (
        size <= 8 + offset and available > 0 and (header_samples != 0 or end <= ssnd or size == 0)
    ) or unknown_32(size)
    if size <= 8 + offset and not unknown:
        return Length(kind, 0)
    if unknown:
        audio = available
    else:
        fault = shortage(promised, available, frame if per_block == 1 else 1) or surplus(view, end, promised)
        if fault:
            return Length(kind, fault=fault)
        audio = min(promised, available)
    samples = audio // frame * per_block
    missing = (header_samples - samples) * frame if per_block == 1 and not unknown_32(header_samples * frame) else 0
    if not unknown and missing > max(TOLERATED_BYTES, frame):
        return Length(kind, fault=f"is cut short: its header promises {header_samples} samples, and it holds {samples}")
    if per_block > 1:
        if unknown:
            return refusal(kind, f"holds audio in the codec {coding!r} and does not say its length")
        return Length(f"{kind} ({coding.decode()})", samples, per_block)
    streams: tuple[Stream, ...] = ()
    if unknown or header_samples != samples:
        streams = (Stream(_repaired_file(view, comm, ssnd, start, start + samples * frame, samples), samples),)
    return Length(kind, samples, streams=streams)


def _repaired_file(view: View, comm: int, ssnd: int, start: int, end: int, samples: int) -> bytes:
    """Return the file with corrected sizes in its headers, and without the bytes behind its audio."""
    data = bytearray(view[:end] + bytes(end % 2))
    if comm > ssnd:  # move COMM in front of the audio, because the cut drops what follows the audio
        moved = view[comm : comm + 8 + int.from_bytes(view[comm + 4 : comm + 8], "big")]
        moved += bytes(len(moved) % 2)
        data[ssnd:ssnd] = moved
        comm, ssnd, start, end = ssnd, ssnd + len(moved), start + len(moved), end + len(moved)
    data[4:8] = struct.pack(">I", len(data) - 8)
    data[comm + 10 : comm + 14] = struct.pack(">I", samples)
    data[ssnd + 4 : ssnd + 8] = struct.pack(">I", end - ssnd - 8)
    return bytes(data)
