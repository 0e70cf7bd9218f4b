"""NIST SPHERE: a header of text, then the audio."""

from __future__ import annotations

import re

from serab_core.audio.containers.length import Length, View, refusal, shortage, surplus

MAGIC = b"NIST_1A\n"
_FIELD = re.compile(rb"^(\w+) -(?:i|s\d+) (\S+)\s*$", re.MULTILINE)


def walk(view: View) -> Length:
    """Return the length of a SPHERE file."""
    kind = "NIST SPHERE"
    size_field = view[8:16].strip()
    start = int(size_field) if size_field.isdigit() else 0
    if not 16 < start <= 1 << 20:
        return Length(kind, fault="is damaged: its second line does not say how long the header is")
    if len(view) < start:
        return Length(kind, fault="is cut short: the file ends in its header")
    fields = {match[1]: match[2] for match in _FIELD.finditer(view[:start])}
    coding = fields.get(b"sample_coding", b"pcm").lower()
    if coding not in (b"pcm", b"ulaw", b"mu-law", b"alaw"):
        return refusal(
            kind, f"holds audio in the coding {coding.decode('ascii', 'replace')}, which serab does not decode"
        )
    numbers = [fields.get(name, b"") for name in (b"channel_count", b"sample_n_bytes", b"sample_count")]
    channels, width, promised = (int(number) if number.isdigit() and len(number) < 16 else 0 for number in numbers)
    frame, available = max(1, channels) * max(1, width), len(view) - start
    if not channels or not (width or coding != b"pcm"):
        return Length(kind, fault="is damaged: its header does not say how many channels, or bytes a sample, it has")
    fault = shortage(promised * frame, available, frame)
    if promised:
        fault = fault or surplus(view, start + promised * frame, promised * frame)
    if fault:
        return Length(kind, fault=fault)
    return Length(kind, min(promised, available // frame) if promised else available // frame)
