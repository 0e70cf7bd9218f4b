"""The length of an audio file, computed from its bytes, and the rules that all containers share."""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import Literal, TypeAlias

View: TypeAlias = bytes | mmap.mmap
"""The bytes of a file. Both types support slicing and `find`."""
TOLERATED_BYTES = 44  # bytes, the size of a WAV header: some programs count it as audio
METADATA_BYTES = (
    4096  # bytes of editors' metadata behind the audio; more than this and 1 % of the audio is uncounted audio
)
# Sizes in headers of streams whose length the program did not know, as it wrote them to a pipe: sox 0x7F000000 and
# 0x7FFFF000, arecord 0x80000000, lame 0x7FFFFFFF, ffmpeg 0xFFFFFFFF; other programs subtract the size of a header. No
# utterance has 2 GiB.
_UNKNOWN_32 = ((0x7EFF_0000, 0x8001_0000), (0xFFF0_0000, 0xFFFF_FFFF))


@dataclass(frozen=True, slots=True)
class Stream:
    """Bytes to decode in place of the file's.

    Attributes:
        data: a whole file, as libsndfile reads it.
        samples: number of samples per channel, including `skip` and `drop`; None if they cannot be counted.
        endless: libsndfile only estimates the length, so it receives a larger file size and reads to the end.
        skip: samples at the start that the encoder added.
        drop: samples at the end that the encoder added.
        clock: rate in which `samples` are counted, in Hz; None for the file's own.
        slack: tolerated difference between `samples` and the decoded length, in samples.
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
    """Audio that needs no decoder: an array of 16-bit integers or of floats.

    Attributes:
        start: the position of its first byte.
        dtype: numpy's name for the type of a sample.
        channels: the number of channels.
        rate: the sampling rate, in Hz.
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
        slack: tolerated difference from the decoded length, in samples: the last block of a block codec.
        clock: rate in which `samples` are counted, in Hz; None for the file's own.
        fault: what is wrong with the file, as a predicate; "" if nothing is.
        convert: another program can read the file, so the error tells the user to convert it.
        unsure: the file may be complete; a user who knows that it is can convert it.
        tool: the command that converts it, with `{name}` for the file and `{out}` for the result.
        streams: what to decode in place of the file; empty to decode the file itself.
        plain: the position and type of the samples, if they need no decoder; else None.
        file_first: decode the file itself, and `streams` only if its decoded length differs from `samples`.
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
        """Whether the file can be decoded and holds all the audio that its header promises."""
        return not self.fault


def unknown_32(size: int) -> bool:
    """Whether a 32-bit size means that its writer did not know the length. 0 also means that if bytes follow."""
    return any(low <= size <= high for low, high in _UNKNOWN_32)


def unknown_64(size: int) -> bool:
    """Whether a 64-bit size means that its writer did not know the length: a huge value, or as for `unknown_32`."""
    return size >= 1 << 48 or unknown_32(size)


def shortage(promised: int, available: int, frame: int = 1) -> str:
    """Return the fault of a file with fewer bytes of audio than its header promises; "" within the tolerance."""
    if promised - available <= max(TOLERATED_BYTES, frame):
        return ""
    return (
        f"is cut short: its header promises {promised} bytes of audio, and the file holds {max(available, 0)} of them"
    )


def surplus(view: View, end: int, audio: int) -> str:
    """Return the fault of a file with bytes behind its audio that no header counts; "" for tags, zeros and a few bytes.

    Args:
        end: the position after the last chunk that the headers count.
        audio: the number of bytes of audio that the headers count.
    """
    rest = len(view) - end
    if rest <= 0 or view[end : end + 3] in (b"TAG", b"ID3") or view[end : end + 8] == b"APETAGEX":
        return ""
    if rest <= max(METADATA_BYTES, audio // 100) or not view[end:].strip(b"\0"):
        return ""
    return (
        f"holds {rest} bytes behind the audio that its header counts ({audio} bytes): its header was never finished "
        "(a recorder that was stopped?), or another file was appended"
    )


def refusal(kind: str, reason: str, tool: str = "ffmpeg -i {name} {out}") -> Length:
    """Return the result for a file that serab does not decode, and that another program can convert."""
    return Length(kind, fault=reason, convert=True, tool=tool)
