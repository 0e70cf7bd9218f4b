"""AU (Sun, NeXT): one header, then the audio, which ends with the file."""

from __future__ import annotations

import struct

from serab_core.audio.containers.length import Length, Stream, View, refusal, shortage, surplus, unknown_32

MAGICS = (b".snd", b"dns.")
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}  # bytes per sample, by codec
_BITS = {23: 4, 25: 3, 26: 5}  # bits per sample of G.721 and G.723, by codec
_BLOCK = 240  # maximum number of samples that libsndfile decodes together


def walk(view: View) -> Length:
    """Return the length of an AU file."""
    order = ">" if view[:4] == b".snd" else "<"
    if len(view) < 24:
        return Length("AU", fault="is cut short: the file ends in its header")
    start, promised, coding, _, channels = struct.unpack(f"{order}5I", view[4:24])
    available = len(view) - start
    if coding not in _WIDTHS and coding not in _BITS:
        return refusal("AU", f"holds audio in codec {coding} of AU, which serab does not decode")
    if not 0 < channels <= 1024 or start < 24 or available < 0:
        return Length("AU", fault="is damaged: its header says no channels, or audio behind the end of the file")
    frame = channels * _WIDTHS.get(coding, 1)
    unknown = (promised == 0 and available > 0) or unknown_32(promised)
    if not unknown:
        fault = shortage(promised, available, frame) or surplus(view, start + promised, promised)
        if fault:
            return Length("AU", fault=fault)
    if coding in _BITS:
        if unknown:
            return refusal("AU", "holds G.721 or G.723 and does not say its length")
        return Length("AU", min(promised, available) * 8 // _BITS[coding], slack=_BLOCK)
    samples = (available if unknown else min(promised, available)) // frame
    if not unknown:
        return Length("AU", samples)
    audio = view[start : start + samples * frame]
    return Length(
        "AU",
        samples,
        streams=(Stream(view[:8] + struct.pack(f"{order}I", len(audio)) + view[12:start] + audio, samples),),
    )
