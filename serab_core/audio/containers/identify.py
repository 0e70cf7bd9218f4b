"""Identifies the container of a file by its content, not by its name, and returns the length of its audio."""

from __future__ import annotations

from collections.abc import Callable

from serab_core.audio.containers import aiff, au, caf, flac, mpeg, nist, ogg, riff, w64
from serab_core.audio.containers.length import Length, View, refusal

# Offset of the signature, the signature, the name of the container, and a program that converts it.
_UNSUPPORTED: tuple[tuple[int, bytes, str, str], ...] = (
    (4, b"ftyp", "MP4 or M4A", "ffmpeg"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "WMA (ASF)", "ffmpeg"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska or WebM", "ffmpeg"),
    (0, b"#!AMR", "AMR", "ffmpeg"),
    (0, b"#!SILK", "SILK", "ffmpeg"),
    (0, b"wvpk", "WavPack", "ffmpeg"),
    (0, b"MAC ", "Monkey's Audio", "ffmpeg"),
    (0, b"TTA1", "True Audio", "ffmpeg"),
    (0, b"ajkg", "Shorten", "ffmpeg"),
    (0, b".RMF", "RealMedia", "ffmpeg"),
    (0, b"FLV\x01", "Flash video", "ffmpeg"),
    (0, b"ADIF", "AAC", "ffmpeg"),
    (0, b"Creative Voice File", "VOC", "ffmpeg"),
    (8, b"8SVX", "8SVX", "ffmpeg"),
    (8, b"16SV", "16SV", "sox"),
    (8, b"AVI ", "AVI", "ffmpeg"),
    (0, b" paf", "PAF", "ffmpeg"),
    (0, b"fap ", "PAF", "ffmpeg"),
    (0, b"PVF1\n", "PVF", "ffmpeg"),
    (0, b"PVF2\n", "PVF", "ffmpeg"),
    (0, b"2BIT", "AVR", "sox"),
    (0, b"\x64\xa3", "IRCAM", "ffmpeg"),
    (1, b"\xa3\x64\x00", "IRCAM", "ffmpeg"),
    (2, b"\xa3\x64", "IRCAM", "ffmpeg"),
    (0, b"ALawSoundFile**", "Psion WVE", "ffmpeg"),
    (0, b"Extended Instrument:", "FastTracker XI", "sox"),
    (0, b"MATLAB 5.0 MAT-file", "MATLAB", ""),
    (0, b"SOUND SAMPLE DATA", "SMP", "sox"),
)

_PAGES = (b"<!doctype html", b"<html", b"<?xml")  # how web pages begin


def measure(view: View) -> Length | None:
    """Return the length of an audio file; None if its content has no known signature."""
    head = view[:64]
    length: Length | None = None
    if head[:4] in riff.MAGICS and head[8:12] == b"WAVE":
        length = riff.walk(view)
    elif head[:16] == w64.MAGIC:
        length = w64.walk(view)
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        length = aiff.walk(view)
    elif head[:4] in au.MAGICS:
        length = au.walk(view)
    elif head[:4] == caf.MAGIC:
        length = caf.walk(view)
    elif head[:8] == nist.MAGIC:
        length = nist.walk(view)
    else:
        length = _tagged(view) or _unsupported(head)
    return length


def _tagged(view: View) -> Length | None:
    """Return the length of a file in a container that tags may precede; None for other files."""
    begin = mpeg.skip_tags(view, 0)
    mark = view[begin : begin + 4]
    if mark == flac.MAGIC:
        return flac.walk(view)
    if mark == ogg.MAGIC:
        return ogg.walk(view)
    if begin == 0 and _unsupported(view[:64]) is not None:
        return None
    if begin and mark == b"RIFF" and view[begin + 8 : begin + 12] == b"WAVE":
        return refusal("WAV behind a tag", "has an ID3 tag in front of its WAV header")
    if mpeg.first_frame(view, begin, mpeg.LEADING_BYTES) is not None:
        return mpeg.walk(view)
    if view[:3] == b"ID3":
        return Length("MPEG audio", fault="holds no MPEG audio frames: it has only tags, or it is cut short")
    return None


def _unsupported(head: bytes) -> Length | None:
    """Return the refusal of audio that serab does not decode, or of a web page; None for other content."""
    if head.lower().lstrip().startswith(_PAGES):
        return Length("a web page", fault="is a web page, not audio: a download that failed")
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return refusal("AAC", "is AAC, which serab does not decode")
    for at, mark, kind, tool in _UNSUPPORTED:
        if head[at : at + len(mark)] == mark:
            command = {"ffmpeg": "ffmpeg -i {name} {out}", "sox": "sox {name} {out}"}.get(tool, "")
            return refusal(kind, f"is {kind}, a kind of file that serab does not read", command)
    return None


WALKERS: dict[str, Callable[[View], Length]] = {
    "mpeg": mpeg.walk,
    "riff": riff.walk,
    "w64": w64.walk,
    "aiff": aiff.walk,
    "au": au.walk,
    "caf": caf.walk,
    "nist": nist.walk,
    "flac": flac.walk,
    "ogg": ogg.walk,
}
"""Walker of each container. Each accepts any bytes."""
