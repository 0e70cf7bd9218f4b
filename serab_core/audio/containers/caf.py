"""CAF (Apple Core Audio): big-endian chunks with sizes of 64 bits."""

from __future__ import annotations

import struct

from serab_core.audio.containers.length import Length, Stream, View, refusal, shortage, surplus, unknown_64

MAGIC = b"caff"
_PLAIN = (b"lpcm", b"ulaw", b"alaw")  # codecs with a fixed number of bytes per sample


def walk(view: View) -> Length:
    """Return the length of a CAF file."""
    position, desc, valid = 8, b"", None
    data: tuple[int, int] | None = None
    while position + 12 <= len(view):
        name, size = view[position : position + 4], int.from_bytes(view[position + 4 : position + 12], "big")
        if not all(32 <= c < 127 for c in name):
            break
        start = position + 12
        if name == b"desc":
            desc = view[start : start + 32]
        elif name == b"pakt" and size >= 24:
            valid = struct.unpack(">qqii", view[start : start + 24])[1] if len(view) >= start + 24 else None
        elif name == b"data":
            data = position, size
            if unknown_64(size) or size == 0:
                break
        position = start + size
    if data is None or len(desc) < 32:
        return Length("CAF", fault="is cut short: the file ends before its audio (no data chunk)")
    place, size = data
    start, available = place + 16, len(view) - place - 16  # the audio follows the data chunk's edit count
    coding, frame = desc[8:12], struct.unpack(">I", desc[16:20])[0]
    if view[start : start + 4] == MAGIC or view[start - 4 : start] == MAGIC:
        return Length("CAF", fault="is damaged: its header was written twice (sox does so to a pipe)")
    if coding not in (*_PLAIN, b"alac"):
        return refusal("CAF", f"holds audio in the codec {coding!r}, which serab does not decode")
    unknown = unknown_64(size) or (size == 0 and available > 0)
    promised = max(0, size - 4)
    if not unknown:
        fault = shortage(promised, available, max(1, frame)) or surplus(view, position, promised)
        if fault:
            return Length("CAF", fault=fault)
    if coding == b"alac":
        if unknown or valid is None:
            return refusal("CAF", "holds ALAC without a packet table that says its length")
        return Length("CAF (ALAC)", valid)
    if not frame:
        return Length("CAF", fault="is damaged: its header says no channels, or no size of a sample")
    samples = (available if unknown else min(promised, available)) // frame
    if not unknown:
        return Length("CAF", samples)
    audio = view[place + 12 : start + samples * frame]
    patched = view[: place + 4] + struct.pack(">q", len(audio)) + audio
    return Length("CAF", samples, streams=(Stream(patched, samples),))
