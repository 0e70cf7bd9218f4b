"""MPEG audio (mp1, mp2, mp3): frames counted by their headers.

libsndfile only estimates the length of a file without a Xing, Info or VBRI frame, and stops reading there. So this
module removes tags and junk between the frames, and all frames are decoded.
"""

from __future__ import annotations

from dataclasses import dataclass

from serab_core.audio.containers.length import METADATA_BYTES, Length, Stream, View, refusal

_RATES = (44100, 48000, 32000)
# Bit rates in kbit/s, by version (2 stands for 2 and 2.5) and layer.
_BITRATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}

LEADING_BYTES = 1 << 16  # maximum bytes of junk before the first frame: a partial frame, or padding behind a tag
TRAILING_BYTES = 1 << 16  # maximum bytes of junk behind the last frame
_CHAIN = 3  # consecutive frames that confirm the first one: two bytes that look like a header are common
_LYRICS_LONGEST = 1 << 18  # maximum bytes of a Lyrics3 tag
_FREE_LONGEST = 8192  # maximum bytes of a frame of free format
DECODER_DELAY = 529  # samples that every mp3 decoder adds; LAME's tag does not count them
_GAPLESS = (b"LAME", b"Lavf", b"Lavc", b"L3.9")  # encoders whose tag gives the samples that they added


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a frame.

    Attributes:
        size: bytes of the frame; 0 for free format.
        samples: samples per channel.
        layer: 1 to 3.
        version: 1 for MPEG 1, 2 for MPEG 2, 4 for MPEG 2.5.
        rate: sampling rate, in Hz.
        mono: it has one channel.
    """

    size: int
    samples: int
    layer: int
    version: int
    rate: int
    mono: bool

    @property
    def stream_format(self) -> tuple[int, int, int, bool]:
        """Layer, version, rate and number of channels, which all frames of a stream share."""
        return self.layer, self.version, self.rate, self.mono


_HEADERS: dict[bytes, Header | None] = {}  # parsed headers, by the bytes that determine them


def header(head: bytes) -> Header | None:
    """Return the header in four bytes; None if they are not a header. A size of 0 means free format."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    key = bytes((head[1], head[2], head[3] & 0xC0))
    if key not in _HEADERS:
        _HEADERS[key] = _header(key)
    return _HEADERS[key]


def _header(key: bytes) -> Header | None:
    """Return the header in the second to fourth byte of a frame; None if they are not a header."""
    version = {0: 4, 2: 2, 3: 1}.get(key[0] >> 3 & 3)  # 4: MPEG 2.5
    layer = 4 - (key[0] >> 1 & 3)
    bits, rate = key[1] >> 4, key[1] >> 2 & 3
    if version is None or layer == 4 or bits == 15 or rate == 3:
        return None
    hertz = _RATES[rate] // version
    bitrate = 1000 * _BITRATES[min(version, 2), layer][bits]
    padding = key[1] >> 1 & 1
    samples = 384 if layer == 1 else 576 if layer == 3 and version > 1 else 1152
    size = (12 * bitrate // hertz + padding) * 4 if layer == 1 else samples // 8 * bitrate // hertz + padding
    return Header(size if bitrate else 0, samples, layer, version, hertz, key[2] == 0xC0)


@dataclass(frozen=True, slots=True)
class Info:
    """The content of a Xing, Info or VBRI frame.

    Attributes:
        frames: number of frames in the stream; 0 if not given.
        size: bytes of the stream; 0 if not given.
        delay: samples that the encoder added at the start; None if not given.
        padding: samples that the encoder added at the end.
    """

    frames: int
    size: int
    delay: int | None
    padding: int


def info(frame: bytes, head: Header) -> Info | None:
    """Return the stream information in a Xing, Info or VBRI frame; None for a frame of audio."""
    if head.layer != 3:
        return None
    side = (9 if head.mono else 17) if head.version > 1 else (17 if head.mono else 32)
    if frame[36:40] == b"VBRI":
        return Info(int.from_bytes(frame[50:54], "big"), int.from_bytes(frame[46:50], "big"), None, 0)
    at = next((at for at in (4 + side, 6 + side) if frame[at : at + 4] in (b"Xing", b"Info")), None)
    if at is None:
        return None
    flags, position, values = int.from_bytes(frame[at + 4 : at + 8], "big"), at + 8, [0, 0]
    for number in (0, 1):
        if flags >> number & 1:
            values[number] = int.from_bytes(frame[position : position + 4], "big")
            position += 4
    position += (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    if frame[position : position + 4] not in _GAPLESS:
        return Info(values[0], values[1], None, 0)
    added = int.from_bytes(frame[position + 21 : position + 24], "big")
    return Info(values[0], values[1], added >> 12, added & 0xFFF)


def tag_size(view: View, at: int) -> int:
    """Return the bytes of the tag at `at` (ID3v2, ID3v1 and its extension, APE, Lyrics3); 0 without a tag."""
    head = view[at : at + 32]
    if head[:3] == b"ID3" and len(head) >= 10 and not any(byte & 0x80 for byte in head[6:10]):
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        return 10 + size + (10 if head[5] & 0x10 else 0)
    if head[:4] == b"TAG+":
        return 227
    if head[:3] == b"TAG":
        return 128
    if head[:8] == b"APETAGEX" and len(head) == 32:
        footer = not head[23] & 0x20  # a footer without a header: the tag ends here
        return 32 if footer else 32 + int.from_bytes(head[12:16], "little")
    if head[:11] == b"LYRICSBEGIN":
        end = max(view.find(mark, at, at + _LYRICS_LONGEST) for mark in (b"LYRICS200", b"LYRICSEND"))
        return end + 9 - at if end > 0 else 0
    return 0


def skip_tags(view: View, at: int) -> int:
    """Return the position after the tags and zeros that begin at `at`."""
    while at < len(view):
        size = tag_size(view, at)
        if not size:
            size = _zeros(view, at)
            if not size:
                return at
        at += size
    return at


def _zeros(view: View, at: int) -> int:
    """Return the number of zero bytes from `at` on; 0 if there are fewer than four."""
    if view[at : at + 4] != b"\0\0\0\0":
        return 0
    size = 4
    while view[at + size : at + size + 4096] == bytes(4096):
        size += 4096
    while at + size < len(view) and not view[at + size]:
        size += 1
    return size


def first_frame(view: View, at: int, limit: int) -> int | None:
    """Return the position of the first frame that others follow, at most `limit` bytes after `at`; None without one."""
    begin, end = at, min(len(view), at + limit + 1)
    while True:
        at = view.find(b"\xff", at, end)
        if at < 0:
            return None
        if _chain(view, at, free=at == begin):
            return at
        at += 1


def _chain(view: View, at: int, *, free: bool = False) -> bool:
    """Whether `_CHAIN` frames of one format follow each other from `at` on, or all frames to the end of the file.

    Args:
        free: accept frames of free format, whose ends must be searched for.
    """
    first = header(view[at : at + 4])
    if first is None:
        return False
    for _ in range(_CHAIN):
        head = header(view[at : at + 4])
        if head is None or head.stream_format[:3] != first.stream_format[:3]:
            return False
        if not head.size:
            return free and _free_chain(view, at, head)
        at += head.size
        if at >= len(view) or tag_size(view, at):
            return True
    return True


def _free_chain(view: View, at: int, first: Header) -> bool:
    """Whether frames of free format follow each other from `at` on: their headers are at equal distances."""
    places = [at]
    for _ in range(_FREE_LONGEST):
        if len(places) == _CHAIN:
            return abs(places[2] - 2 * places[1] + places[0]) <= 4  # a frame may have a padding slot
        at = view.find(view[at : at + 2], at + 4, at + _FREE_LONGEST)
        head = header(view[at : at + 4]) if at >= 0 else None
        if at < 0:
            return False
        if head is not None and not head.size and head.stream_format == first.stream_format:
            places.append(at)
    return False


def walk(view: View, kind: str = "MPEG audio") -> Length:
    """Return the length of an MPEG audio file, and its frames without tags and junk."""
    start = first_frame(view, skip_tags(view, 0), LEADING_BYTES)
    if start is None:
        return Length(kind, fault="holds no MPEG audio frames: it is damaged, or it has only tags")
    first = header(view[start : start + 4])
    assert first is not None
    kind = f"{kind} (layer {'I' * first.layer})"
    at, run_start, frames, runs, marks = start, start, 0, list[bytes](), _marks(view)
    zero_bytes = 0  # zero bytes that begin within a frame and continue behind it
    infos: list[tuple[Info, int, int]] = []  # the information, the number of frames before it, and its position
    while at < len(view):
        head = header(view[at : at + 4])
        if head is None:
            runs.append(view[run_start:at])
            if view[at - 4 : at] == bytes(4):  # the frame before also ends in zeros, so these are not padding
                zero_bytes += _zeros(view, at)
            after = skip_tags(view, at)
            if header(view[after : after + 4]) is None:
                trailing = _trailing_fault(view, after, first, kind)
                if trailing is not None:
                    return trailing
                break
            at = run_start = after
            continue
        if head.stream_format != first.stream_format:
            if not _chain(view, at):
                return Length(kind, fault=f"is damaged: no MPEG frame begins at byte {at}, where a frame must begin")
            return Length(kind, fault=f"changes at byte {at} {_change(first, head)}", convert=True)
        if not head.size:
            return refusal(kind, "is of free format: its frames do not say their size", "lame --decode {name} {out}")
        if at + head.size > len(view):
            available = f"{len(view) - at} of {head.size} bytes"
            return Length(kind, fault=f"is cut short: its last frame, number {frames + 1}, has {available}")
        while marks[-1] < at:
            marks.pop()
        stream_info = info(view[at : at + min(head.size, 200)], head) if marks[-1] < at + 60 else None
        if stream_info is not None:
            infos.append((stream_info, frames, at))
        if stream_info is not None and not frames:
            run_start = at + head.size
        else:
            frames += 1
        at += head.size
    else:
        runs.append(view[run_start:at])
    if not infos and zero_bytes > max(METADATA_BYTES, sum(map(len, runs)) // 100):
        fault = f"holds {zero_bytes} zero bytes where MPEG frames should be (a download that did not finish?)"
        return Length(kind, fault=fault, convert=True, unsure=True)
    return _length(kind, first, frames, runs, infos, at)


def _marks(view: View) -> list[int]:
    """Return the positions of the names Xing, Info and VBRI, last first, after a sentinel beyond the file's end."""
    marks = [len(view) + 1]
    for name in (b"Xing", b"Info", b"VBRI"):
        at = view.find(name)
        while at >= 0:
            marks.append(at)
            at = view.find(name, at + 1)
    return sorted(marks, reverse=True)


def _length(
    kind: str, first: Header, frames: int, runs: list[bytes], infos: list[tuple[Info, int, int]], end: int
) -> Length:
    """Return the length, after comparing the count with Xing, Info and VBRI frames, and without the samples LAME added.

    In streams that are joined end to end, the later Info frames stay: they decode to silence, as with ffmpeg.
    """
    for number, (stream_info, before, place) in enumerate(infos):
        after, stop = (frames, end) if number + 1 == len(infos) else infos[number + 1][1:]
        available = after - before - (before > 0)
        if available < stream_info.frames and not (
            available == stream_info.frames - 1 and 0 < stream_info.size <= stop - place
        ):
            return Length(kind, fault=f"is cut short: {available} of {stream_info.frames} MPEG frames are there")
    if not frames:
        return Length(kind, fault="is empty: it holds no MPEG frame of audio")
    skip = drop = 0
    if infos and infos[0][1] == 0 and (delay := infos[0][0].delay) is not None:
        skip = delay + DECODER_DELAY
        drop = max(0, infos[0][0].padding - DECODER_DELAY) if infos[0][0].frames == frames else 0
    total = frames * first.samples
    if skip + drop >= total:
        skip = drop = 0
    stream = Stream(b"".join(runs), total, endless=True, skip=skip, drop=drop)
    # libsndfile applies an Info frame; without it, single decoded samples differ by rounding.
    consistent = len(infos) == 1 and infos[0][1] == 0 and infos[0][0].frames == frames
    return Length(kind, total - skip - drop, streams=(stream,), file_first=consistent)


def _trailing_fault(view: View, at: int, first: Header, kind: str) -> Length | None:
    """Return the fault of bytes that are no frame and no tag; None for junk at the end, which players also skip."""
    rest = len(view) - at
    if 0 < rest < 4 and view[at] == 0xFF and (rest == 1 or header(bytes((*view[at:], 0x90, 0))[:4]) is not None):
        return Length(kind, fault=f"is cut short: its last frame has {rest} bytes")
    following = first_frame(view, at, rest)
    if following is not None:
        return refusal(
            kind, f"is damaged: the {following - at} bytes at byte {at}, between two MPEG frames, are no MPEG audio"
        )
    if rest > TRAILING_BYTES:
        return refusal(kind, f"is damaged: the {rest} bytes from byte {at} on are no MPEG audio")
    return None


def _change(first: Header, head: Header) -> str:
    """Describe how the format of a frame differs from that of the first."""
    if first.rate != head.rate:
        return f"from {first.rate} to {head.rate} Hz"
    if first.mono != head.mono:
        return "from one channel to two" if first.mono else "from two channels to one"
    return "to another layer or version of MPEG"
