"""FLAC: STREAMINFO holds the number of samples. It is 0 in a file written to a pipe; the last frame then gives it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from serab_core.audio.containers.length import Length, Stream, View
from serab_core.audio.containers.mpeg import skip_tags, tag_size

MAGIC = b"fLaC"
_KIND = "FLAC"
_HEADER = 16  # maximum bytes of a frame header
_CANDIDATES = 32  # candidates for the last frame: the CRC-8 accepts 1 of 256 false frame headers
_SIZES = (0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)  # samples, by code


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    """Return the CRC of each byte."""
    values, top = [], 1 << (bits - 1)
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & ((1 << bits) - 1)
        values.append(value)
    return tuple(values)


_CRC_8, _CRC_16 = _table(0x07, 8), _table(0x8005, 16)


def crc_8(data: bytes) -> int:
    """Return the checksum of a frame's header."""
    value = 0
    for byte in data:
        value = _CRC_8[value ^ byte]
    return value


def crc_16(data: bytes) -> int:
    """Return the checksum of a frame."""
    value = 0
    for byte in data:
        value = (value << 8 & 0xFFFF) ^ _CRC_16[value >> 8 ^ byte]
    return value


@dataclass(frozen=True, slots=True)
class Frame:
    """The header of a frame.

    Attributes:
        first: the number of its first sample.
        samples: how many samples per channel it holds.
    """

    first: int
    samples: int


def read_frame(head: bytes, block: int) -> Frame | None:
    """Return the frame header at the start of `head`; None if `head` does not start with a frame header.

    Args:
        block: samples per frame in a stream of fixed block size, whose headers give the number of the frame.
    """
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return None
    size, rate = head[2] >> 4, head[2] & 15
    extra = head[4]
    length = 0
    while extra & 0x80 >> length:
        length += 1
    if not size or rate == 15 or head[3] >> 4 > 10 or length == 1 or length == 8:
        return None
    number = extra & (0x7F >> length)
    for byte in head[5 : 4 + max(1, length)]:
        if byte & 0xC0 != 0x80:
            return None
        number = number << 6 | byte & 0x3F
    at = 4 + max(1, length)
    samples = _SIZES[size]
    if size in (6, 7):
        samples = int.from_bytes(head[at : at + size - 5], "big") + 1
        at += size - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if len(head) <= at or crc_8(head[:at]) != head[at]:
        return None
    return Frame(number if head[1] & 1 else number * block, samples)


def first_frame(view: View, at: int) -> int | None:
    """Return the position of the first frame, after the metadata blocks from `at` on; None if the file ends in them."""
    while len(view) >= at + 4:
        last = view[at] & 0x80
        at += 4 + int.from_bytes(view[at + 1 : at + 4], "big")
        if last:
            return at
    return None


def walk(view: View) -> Length:
    """Return the length of a FLAC file."""
    begin = skip_tags(view, 0)
    at = begin + 4
    if len(view) < at + 38:
        return Length(_KIND, fault="is cut short: the file ends in its header")
    information = view[at + 4 : at + 38]
    block = int.from_bytes(information[2:4], "big")
    total = int.from_bytes(information[13:18], "big") & 0xF_FFFF_FFFF
    frames = first_frame(view, at)
    if frames is None:
        return Length(_KIND, fault="is cut short: the file ends in its header")
    at = frames
    # libsndfile receives the bytes that follow the leading tags.
    if not total:
        return _uncounted(view, begin, at, block)
    if (joined := _joined(view, at)) >= 0:
        return Length(
            _KIND, fault=f"holds a second FLAC file from byte {joined} on (two files joined end to end)", convert=True
        )
    counted = _last(view, at, len(view), block, total)
    if counted > total:
        fault = f"is damaged: its header says {total} samples, and its frames hold {counted}"
        return Length(_KIND, fault=fault, convert=True)
    return Length(_KIND, total, streams=(Stream(view[begin:], total),) if begin else ())


def _joined(view: View, at: int) -> int:
    """Return the position of a second FLAC file behind `at`; -1 without one."""
    mark = np.uint32(int.from_bytes(MAGIC, "little"))
    for offset in range(at, min(at + 4, len(view) - 3)):  # integers of four bytes: bytes.find takes three times as long
        if (np.frombuffer(view, "<u4", (len(view) - offset) // 4, offset) == mark).any():
            return view.find(MAGIC + b"\0\0\0\x22", at)
    return -1


def ends_whole(data: View) -> bool:
    """Whether the last frame of a FLAC file that begins with its mark is whole."""
    at = first_frame(data, 4)
    return at is not None and _last(data, at, _without_tags(data, at), int.from_bytes(data[10:12], "big")) > 0


def _without_tags(view: View, at: int) -> int:
    """Return the end of the last frame, before an ID3v1 tag or the footer of an APE tag."""
    end = len(view)
    for size in (128, 32):
        if end - size >= at and 0 < tag_size(view, end - size) <= size:
            end -= size
    return end


def _ends(view: View, at: int, end: int) -> tuple[int, ...]:
    """Return the possible ends of the last frame: zeros may follow it, and its CRC-16 is also 0 over trailing zeros."""
    stop = end
    while stop > at and view[stop - 1] == 0:
        stop -= 4096 if view[max(at, stop - 4096) : stop] == bytes(4096) else 1
    return (*(place for place in range(stop, stop + 3) if place < end), end)


def _uncounted(view: View, begin: int, at: int, block: int) -> Length:
    """Return the length of a file that was written to a pipe, from its last frame."""
    tags = _without_tags(view, at)
    end, samples = tags, 0
    for end in _ends(view, at, tags):
        samples = _last(view, at, end, block)
        if samples:
            break
    if not samples:
        if end - at < 6:
            return Length(_KIND, fault="is empty: it holds no samples")
        return Length(_KIND, fault="is cut short: its last frame is not whole")
    tagged = begin > 0 or end < len(view)
    return Length(_KIND, samples, streams=(Stream(view[begin:end], samples),) if tagged else ())


def _last(view: View, begin: int, end: int, block: int, expected: int = -1) -> int:
    """Return the number of samples up to the last frame, which ends at `end`; 0 without such a frame.

    The CRC-16 of a frame is computed unless the number of samples by its header is `expected`.
    """
    mark = view[begin : begin + 2]  # all frames of a file begin with the same two bytes, unless it is damaged
    if mark not in (b"\xff\xf8", b"\xff\xf9"):
        return 0
    stop, tried, budget = end, 0, 1 << 19  # bytes to check at most: this limits the time for malicious files
    while tried < _CANDIDATES and budget > 0:
        at = view.rfind(mark, begin, stop)
        if at < 0:
            return 0
        frame = read_frame(view[at : min(at + _HEADER, end)], block)
        if frame is not None:
            tried += 1
            if frame.first + frame.samples == expected:
                return expected
            budget -= end - at
            if budget > 0 and crc_16(view[at:end]) == 0:
                return frame.first + frame.samples
        stop = at + 1
    return 0
