"""WAV: RIFF, RIFX (big-endian), RF64 and BW64 (64-bit sizes)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from serab_core.audio.containers import mpeg
from serab_core.audio.containers.length import (
    Length,
    Plain,
    Stream,
    View,
    refusal,
    shortage,
    surplus,
    unknown_32,
    unknown_64,
)

MAGICS = (b"RIFF", b"RIFX", b"RF64", b"BW64")
_PLAIN = {1: "PCM", 3: "float", 6: "A-law", 7: "mu-law"}
_BLOCKS = {2: "MS ADPCM", 0x11: "IMA ADPCM", 0x31: "GSM 6.10", 0x40: "G.721", 0x14: "G.723", 0x38: "NMS ADPCM"}
_MPEG = (0x50, 0x55)
# Numpy's types of samples that need no decoder, by codec tag, bytes per sample and byte order.
_ARRAYS: dict[tuple[int, int, str], Literal["<i2", ">i2", "<f4", ">f4"]] = {
    (1, 2, "<"): "<i2",
    (1, 2, ">"): ">i2",
    (3, 4, "<"): "<f4",
    (3, 4, ">"): ">f4",
}

MAX_CHANNELS = 1024  # the limit of libsndfile
MAX_RATE = 655_350  # Hz, the limit of libsndfile
_WHOLE = "ffmpeg -ignore_length 1 -i {name} {out}, and listen to its end"
_GSM_SAMPLES = 320  # samples of a block of 65 bytes


@dataclass(frozen=True, slots=True)
class Format:
    """The content of the fmt chunk.

    Attributes:
        tag: the codec; for an "extensible" fmt chunk, the tag of the subformat.
        channels: the number of channels.
        rate: the sampling rate, in Hz.
        frame: bytes of one sample of all channels, or of a block.
        samples: samples per channel in `frame`; 0 if the chunk does not give the number.
        raw: the bytes of the chunk.
        exact: the block alignment that the chunk states is `frame`, and each sample fills whole bytes.
    """

    tag: int
    channels: int
    rate: int
    frame: int
    samples: int
    raw: bytes
    exact: bool = False

    @property
    def sample(self) -> int:
        """Bytes of one sample of all channels; 1 for a block codec."""
        return self.frame if self.tag in _PLAIN else 1


def read_format(raw: bytes, order: str = "<") -> Format | None:
    """Parse the content of a fmt chunk; return None if it is too short or states zero channels."""
    if len(raw) < 16:
        return None
    tag, channels, rate, _, align, bits = struct.unpack(f"{order}HHIIHH", raw[:16])
    if tag == 0xFFFE and len(raw) >= 26:
        tag = struct.unpack(f"{order}H", raw[24:26])[0]
    if not channels:
        return None
    if tag in _PLAIN:
        # libsndfile computes the width from the bits; some writers' alignment is wrong.
        width = channels * max(1, (bits + 7) // 8)
        if tag == 1 and bits == 24 and align == 4 * channels:
            # 24 bits in 32 (arecord writes this), floats, or a wrong alignment: libsndfile looks at the samples.
            return Format(tag, channels, rate, align, 0, raw)
        return Format(tag, channels, rate, width, 1, raw, exact=align == width and bits % 8 == 0)
    samples = struct.unpack(f"{order}H", raw[18:20])[0] if len(raw) >= 20 and tag in (2, 0x11) else 0
    return Format(tag, channels, rate, max(1, align), _GSM_SAMPLES if tag == 0x31 else samples, raw)


def walk(view: View) -> Length:
    """Return the length of a WAV file."""
    magic = view[:4]
    order = ">" if magic == b"RIFX" else "<"
    kind = "WAV" if magic == b"RIFF" else f"WAV ({magic.decode('ascii', 'replace')})"
    position, raw, promised_64, unpadded = 12, b"", None, False
    while True:
        name = view[position : position + 4]
        if len(view) < position + 8:
            return Length(kind, fault="is cut short: the file ends before its audio (no data chunk)")
        if not _is_name(name) and _is_name(view[position - 1 : position + 3]):
            position, unpadded = position - 1, True  # the chunk before has an odd size, and no pad byte
            name = view[position : position + 4]
        size = struct.unpack(f"{order}I", view[position + 4 : position + 8])[0]
        start = position + 8
        if name == b"data":
            break
        if name == b"fmt ":
            raw = view[start : start + min(size, 4096)]
        elif name == b"ds64" and size >= 16:
            promised_64 = int.from_bytes(view[start + 8 : start + 16], "little")
        elif not _is_name(name):
            return Length(kind, fault=f"is damaged: no chunk begins at byte {position}, where a chunk must begin")
        position = start + size + size % 2
    fmt = read_format(raw, order)
    if fmt is None:
        return Length(kind, fault="is damaged: its fmt chunk is missing, or cannot be read")
    unknown = unknown_32(size)
    if promised_64 is not None and size >= 0xFFFF_FFFF:
        size, unknown = promised_64, unknown_64(promised_64)
    return _data_length(view, kind, fmt, order, start, size, unknown=unknown, rewrite=unpadded)


def _data_length(
    view: View,
    kind: str,
    fmt: Format,
    order: str,
    start: int,
    promised: int,
    *,
    unknown: bool,
    rewrite: bool,
) -> Length:
    """Return the length of a file whose data chunk begins at `start` and promises `promised` bytes."""
    available = len(view) - start
    if promised == 0 and available:
        end = _chunks_end(view, start, order)
        unknown = end != len(view) and view[end : end + 4] != b"data"
    elif promised < available:
        unknown = False
    if not unknown:
        if fault := shortage(promised, available, fmt.sample):
            return Length(kind, fault=fault)
        if promised < available:
            end = _chunks_end(view, start + promised, order)
            if view[end : end + 4] in MAGICS:
                return Length(kind, fault="holds a second WAV file behind its audio (two files joined end to end)")
            if view[end : end + 4] == b"data":  # ffmpeg would read only the first part
                return refusal(kind, f"holds a second data chunk at byte {end}, so that its audio is in two parts", "")
            if fault := surplus(view, end, promised):
                return refusal(kind, fault, _WHOLE)
    audio = available if unknown else min(promised, available)
    return coded(view, kind, fmt, start, audio, order, rewrite=unknown or rewrite)


def coded(view: View, kind: str, fmt: Format, start: int, audio: int, order: str = "<", *, rewrite: bool) -> Length:
    """Return the length of audio in a codec of WAV.

    Args:
        start: the position of the audio.
        audio: the number of its bytes.
        rewrite: replace the header, which libsndfile would not understand, by a plain one.
    """
    if fmt.tag in _MPEG:
        return mpeg.walk(view[start : start + audio], f"{kind} with MPEG audio")
    if fmt.tag not in _PLAIN and fmt.tag not in _BLOCKS:
        return refusal(kind, f"holds audio in codec 0x{fmt.tag:04x} of WAV, which serab does not decode")
    whole = -(-audio // fmt.frame) if fmt.tag in _BLOCKS else audio // fmt.frame
    samples = whole * fmt.samples if fmt.samples else None
    slack = fmt.samples if fmt.tag in _BLOCKS else 0
    streams: tuple[Stream, ...] = ()
    if rewrite:
        streams = (Stream(_wav(fmt.raw, view[start : start + audio - audio % fmt.frame], order), samples),)
    plain = None if rewrite else _plain(fmt, start, order)
    return Length(f"{kind} ({(_PLAIN | _BLOCKS)[fmt.tag]})", samples, slack, streams=streams, plain=plain)


def _plain(fmt: Format, start: int, order: str) -> Plain | None:
    """Return the samples as an array; None if libsndfile must decode them or refuse the header."""
    kind = _ARRAYS.get((fmt.tag, fmt.frame // fmt.channels, order))
    sane = fmt.exact and fmt.channels <= MAX_CHANNELS and 0 < fmt.rate <= MAX_RATE
    return Plain(start, kind, fmt.channels, fmt.rate) if kind and sane else None


def _wav(raw: bytes, audio: bytes, order: str) -> bytes:
    """Return a plain WAV file with a fmt chunk and samples."""
    chunks = b"WAVEfmt " + struct.pack(f"{order}I", len(raw)) + raw + bytes(len(raw) % 2)
    chunks += b"data" + struct.pack(f"{order}I", len(audio))
    magic = b"RIFX" if order == ">" else b"RIFF"
    return b"".join((magic, struct.pack(f"{order}I", len(chunks) + len(audio)), chunks, audio))


def _is_name(name: bytes) -> bool:
    return len(name) == 4 and all(32 <= c < 127 for c in name) and name != b"    "


def _chunks_end(view: View, position: int, order: str) -> int:
    """Return the end of a sequence of chunks that begins at `position`, or one byte after it.

    The sequence ends before bytes that are not a chunk, and before a chunk that holds audio.
    """
    while True:
        if position % 2 and not _is_name(view[position : position + 4]):
            position += 1  # the pad byte of a chunk of odd size
        name = view[position : position + 4]
        if not _is_name(name) or name in MAGICS or position + 8 > len(view):
            return len(view) if len(view) - position < 8 else position
        size = struct.unpack(f"{order}I", view[position + 4 : position + 8])[0]
        if name == b"data" and size:
            return position
        if position + 8 + size > len(view):
            return len(view) if len(view) - position < 4096 else position  # the last chunk is cut: no audio is lost
        position += 8 + size
