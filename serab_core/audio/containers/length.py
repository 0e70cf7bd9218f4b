"""The length of an audio file by its bytes, and the rules that all containers share."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Literal, TypeAlias

View: TypeAlias = bytes | mmap.mmap
"""A file's bytes; both kinds are sliced and searched alike."""
TOLERATED_BYTES = 44  # one WAV header: some writers count it as audio
FOREIGN_BYTES = 4096  # metadata of editors behind the audio; more than this and 1 % of the audio is uncounted audio
_UNKNOWN_32 = ((0x7EFF_0000, 0x8001_0000), (0xFFF0_0000, 0xFFFF_FFFF))
"""Sizes that programs write to a pipe because they do not know the length: sox 0x7F000000 and 0x7FFFF000, arecord
0x80000000, lame 0x7FFFFFFF, ffmpeg 0xFFFFFFFF, others these minus a header. No utterance has 2 GiB."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes that are decoded in place of the file's.

    Attributes:
        data: a whole file, as libsndfile reads it.
        samples: how many samples a channel it holds, with those that are skipped; None where they cannot be counted.
        endless: libsndfile only estimates its length; it receives a longer file size, and reads to the end.
        skip: samples at the start that the encoder added.
        drop: samples at the end that the encoder added.
        clock: rate in which `samples` are counted, in Hz; None for the file's own.
        slack: by how many samples the decoder may differ.
    """

    data: bytes
    samples: int | None = None
    endless: bool = False
    skip: int = 0
    drop: int = 0
    clock: int | None = None
    slack: int = 0


@dataclass(frozen=True, slots=True)
class Plain:
    """Audio that is an array already: of 16 bits, or of floats.

    Attributes:
        start: where it begins.
        dtype: numpy's name of a sample.
        channels: how many there are.
        rate: in Hz.
    """

    start: int
    dtype: Literal["<i2", ">i2", "<f4", ">f4"]
    channels: int
    rate: int


@dataclass(frozen=True, slots=True)
class Length:
    """The result of a walker.

    Attributes:
        kind: the name of the container for an error message.
        samples: samples per channel in the file; None if the bytes do not give the number.
        slack: by how many samples the decoder may differ: the last block of a block codec.
        clock: rate in which `samples` are counted, in Hz; None for the file's own.
        fault: what is wrong with the file, the predicate of a sentence; "" where nothing is.
        convert: another program can read the file, so that converting it helps.
        unsure: the file may be whole; whoever knows that can convert it.
        tool: the command that converts it, with NAME for the file.
        streams: what to decode in place of the file; none to decode the file itself.
        plain: where the samples are, where no decoder is needed for them.
        file_first: decode the file itself, and `streams` only where that gives another length.
    """

    kind: str
    samples: int | None = None
    slack: int = 0
    clock: int | None = None
    fault: str = ""
    convert: bool = False
    unsure: bool = False
    tool: str = "ffmpeg -i {name} {out}"
    streams: tuple[Stream, ...] = ()
    plain: Plain | None = None
    file_first: bool = False

    @property
    def complete(self) -> bool:
        """Whether the file can be decoded, and holds all that its header promises."""
        return not self.fault


def unknown_32(size: int) -> bool:
    """Whether a size of 32 bits means that its writer did not know it. 0 also means that if bytes follow."""
    return any(low <= size <= high for low, high in _UNKNOWN_32)


def unknown_64(size: int) -> bool:
    """As `unknown_32`, for 64 bits: all large values, or one of the 32-bit values."""
    return size >= 1 << 48 or unknown_32(size)


def shortage(promised: int, there: int, frame: int = 1) -> str:
    """The fault of a file that holds fewer bytes of audio than its header promises; "" within the tolerance."""
    if promised - there <= max(TOLERATED_BYTES, frame):
        return ""
    return f"is cut short: its header promises {promised} bytes of audio, and the file holds {max(there, 0)} of them"


def surplus(view: View, end: int, audio: int) -> str:
    """The fault of a file with bytes behind its audio that no header counts; "" for tags, zeros and a few bytes.

    Args:
        end: where the last part that the headers count ends.
        audio: bytes of audio that they count.
    """
    rest = len(view) - end
    if rest <= 0 or view[end : end + 3] in (b"TAG", b"ID3") or view[end : end + 8] == b"APETAGEX":
        return ""
    if rest <= max(FOREIGN_BYTES, audio // 100) or not view[end:].strip(b"\0"):
        return ""
    return (
        f"holds {rest} bytes behind the audio that its header counts ({audio} bytes): its header was never finished "
        "(a recorder that was stopped?), or another file was appended"
    )


def refused(kind: str, why: str, tool: str = "ffmpeg -i {name} {out}") -> Length:
    """The length of a file that another program has to convert."""
    return Length(kind, fault=why, convert=True, tool=tool)
