"""Ogg: pages, whose granule positions count samples; a flag marks the last page of a stream."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from serab_core.audio.containers import flac
from serab_core.audio.containers.length import Length, Stream, View, refusal, surplus
from serab_core.audio.containers.mpeg import skip_tags

MAGIC = b"OggS"
_CODECS = {b"\x01vorbis": "Vorbis", b"OpusHead": "Opus", b"\x7fFLAC": "FLAC", b"Speex   ": "Speex", b"CELT    ": "CELT",
           b"\x80theora": "Theora", b"fishead\0": "Skeleton", b"PCM     ": "PCM", b"BBCD\0": "Dirac"}  # fmt: skip
_OPUS_CLOCK = 48_000  # Hz; Opus counts samples at this rate, whatever the rate of its source
_OPUS_LONGEST = 5760  # maximum samples of a packet, 120 ms
_OPENING, _ENDING = 2, 4  # flags of a page
_NONE = (1 << 64) - 1  # the granule position of a page on which no packet ends
_SEVERAL = refusal("Ogg", "holds several streams at once (video, or several recordings)")


@dataclass(slots=True)
class _Link:
    """One logical stream of a file. Streams that follow each other form a chain."""

    serial: int
    start: int
    first: bytes = b""
    pages: int = 0
    end: int = 0
    ended: bool = False
    granule: int = 0
    first_granule: int | None = None
    packets: int = 0  # packets that end on the first page with a granule position above 0
    bodies: list[tuple[int, int]] = field(default_factory=list)
    lacing: list[bytes] = field(default_factory=list)

    @property
    def codec(self) -> str:
        """The name of the codec; "" if it is not known."""
        return next((name for magic, name in _CODECS.items() if self.first.startswith(magic)), "")


def walk(view: View) -> Length:
    """Return the length of an Ogg file."""
    position, links = skip_tags(view, 0), list[_Link]()
    while position < len(view):
        head = view[position : position + 27]
        if head[:4] != MAGIC[: len(head)] or head[4:5] not in (b"\0", b""):
            if not links:
                return Length("Ogg", fault="is damaged: it does not begin with an Ogg page")
            if links[-1].ended and not surplus(view, skip_tags(view, position), position):
                break
            return _stray(view, position, links[-1])
        table = view[position + 27 : position + 27 + head[26]] if len(head) == 27 else b""
        end = position + 27 + len(table) + sum(table)
        if len(head) < 27 or len(table) < head[26] or end > len(view):
            return Length("Ogg", fault="is cut short: its last page is not whole")
        flags, granule, serial, number = struct.unpack("<BQII", head[5:22])
        if flags & _OPENING:
            if links and not links[-1].ended:
                if links[-1].pages == 1 and serial != links[-1].serial:
                    return _SEVERAL
                return Length(
                    "Ogg", fault=f"is cut short: a stream in it has no end, and another begins at byte {position}"
                )
            links.append(_Link(serial, position, first=view[end - sum(table) : end][:64]))
        elif not links:
            return Length("Ogg", fault="is cut short: its first pages are missing")
        refused = _add(links[-1], flags, granule, serial, number, table, end)
        if refused is not None:
            return refused
        position = end
    if not links:
        return Length("Ogg", fault="is cut short: its first pages are missing")
    if not links[-1].ended:
        fault = "is cut short: its last page is not marked as the end of its stream"
        return Length("Ogg", fault=fault, convert=True, unsure=True)
    return _length(view, links)


def _stray(view: View, position: int, link: _Link) -> Length:
    """Return the refusal of a file with bytes that belong to no page."""
    following = view.find(MAGIC, position)
    if following < 0 and not link.ended:
        return Length(
            "Ogg", fault=f"is cut short: its stream does not end before byte {position}, where a page must begin"
        )
    size = (following if following >= 0 else len(view)) - position
    return Length("Ogg", fault=f"is damaged: the {size} bytes at byte {position} are not an Ogg page")


def _add(link: _Link, flags: int, granule: int, serial: int, number: int, table: bytes, end: int) -> Length | None:
    """Add a page to its stream; return the fault of the page, or None."""
    if serial != link.serial:
        return _SEVERAL
    if link.ended:
        return Length("Ogg", fault="is damaged: a page follows the end of its stream")
    if number != link.pages:
        return Length("Ogg", fault=f"is damaged: page {number} follows {link.pages} pages, so that some are missing")
    link.pages += 1
    link.end, link.ended = end, bool(flags & _ENDING)
    if link.first.startswith(b"\x7fFLAC"):
        link.bodies.append((end - sum(table), end))
    if granule not in (0, _NONE):
        link.granule = granule
        if link.first_granule is None:
            link.first_granule, link.packets = granule, sum(size < 255 for size in table)
    return None


def _length(view: View, links: list[_Link]) -> Length:
    """Return the length of a file from its streams, which are complete."""
    codecs = list(dict.fromkeys(link.codec for link in links))
    kind = f"Ogg ({' and '.join(codec or 'unknown' for codec in codecs)})"
    if any(codec not in ("Vorbis", "Opus", "FLAC") for codec in codecs):
        name = (
            next((codec for codec in codecs if codec not in ("Vorbis", "Opus", "FLAC")), "") or "a codec unknown to it"
        )
        return refusal(kind, f"holds {name}, which serab does not decode")
    streams = []
    for link in links:
        stream = _stream(view, link, whole=len(links) == 1)
        if isinstance(stream, Length):
            return stream
        streams.append(stream)
    if len(streams) == 1 and not streams[0].data:
        return Length(kind, streams[0].samples, slack=streams[0].slack, clock=streams[0].clock)
    return Length(kind, streams=tuple(streams))


def _stream(view: View, link: _Link, *, whole: bool) -> Stream | Length:
    """Return a stream as a separate file; without its bytes if it is the whole file."""
    if link.codec == "FLAC":
        data = b"".join(view[start:end] for start, end in link.bodies)[9:]
        inner = flac.walk(data)
        if inner.fault:
            return Length("Ogg (FLAC)", fault=inner.fault, convert=inner.convert)
        return Stream(data, inner.samples)
    longest, skip = _OPUS_LONGEST, 0
    if link.codec == "Opus":
        skip = int.from_bytes(link.first[10:12], "little")
    elif len(link.first) >= 30:
        longest = 1 << (link.first[28] >> 4)
    if link.first_granule is not None and link.first_granule > longest * max(1, link.packets) + skip:
        return refusal(f"Ogg ({link.codec})", "begins in the middle of a stream, and does not say its length")
    data = b"" if whole and link.start == 0 else view[link.start : link.end]
    samples = max(0, link.granule - skip)
    return Stream(data, samples, clock=_OPUS_CLOCK if link.codec == "Opus" else None, slack=link.codec == "Opus")
