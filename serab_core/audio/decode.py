"""Decodes an audio file to mono float32, and computes the sha256 of the samples."""

from __future__ import annotations

import hashlib
import io
import shlex
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import soundfile

from serab_core.audio.containers import Length, Plain, Stream, flac, measure
from serab_core.audio.pointers import POINTER_BYTES, pointer
from serab_core.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.types import Waveform


Silence: TypeAlias = Literal["", "zero", "cancelled"]
CANCELLED = 2.0**-10  # peak of the average relative to the louder channel's peak: 60 dB below is rounding error
_UNSUPPORTED_CODE = 4  # SF_ERR_UNSUPPORTED_ENCODING of libsndfile: a known container with an unknown codec
_INTACT = "replace it with an intact copy"
_PIECE = 1 << 22  # samples per read
_MORE = 1 << 28  # bytes added to the reported size of an MPEG file, so that libsndfile's estimate is never too short
_TAIL = 4096  # the last bytes of the reported size, which read as zeros because libsndfile looks for a tag in them


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded file.

    Attributes:
        samples: mono float32 in [-1, 1], 1-D, at the rate of the file; integers are divided by 2**(bits - 1).
        rate: the sampling rate, in Hz.
        channels: the number of channels of the file, before averaging.
        peak: the largest absolute sample, after averaging.
        silent: "zero" if every sample of the file is zero; "cancelled" if the channels are not zero, but their average
            is (its peak is at most `CANCELLED` of the louder channel's peak).
    """

    samples: Waveform
    rate: int
    channels: int
    peak: float = 0.0
    silent: Silence = ""

    @property
    def duration(self) -> float:
        """The duration in seconds."""
        return len(self.samples) / self.rate

    @property
    def sha256(self) -> str:
        """The sha256 of the rate and the samples, which is the same for WAV and FLAC files of the same audio."""
        digest = hashlib.sha256(f"mono float32 {self.rate} ".encode())
        digest.update(np.ascontiguousarray(self.samples, dtype="<f4").data)
        return digest.hexdigest()


def decode(source: Path | bytes, name: str) -> Decoded:
    """Decode a file, or the content of a file, and compare its length with the length that its container gives.

    Args:
        source: a path, or the bytes of a file.
        name: the name of the file in errors.

    Raises:
        AudioError: the file is missing, not audio, cut short or empty, its length differs from the length that its
            container gives, or it holds samples that are not finite numbers.
    """
    try:
        if isinstance(source, bytes):
            rate, samples = _read_checked(source, _Memory(source), name)
        else:
            with source.open("rb", buffering=0) as opened:
                content = opened.read()
                opened.seek(0)
                # With a descriptor, libsndfile reads the file itself; otherwise each read calls back into Python.
                rate, samples = _read_checked(content, opened.fileno(), name)
    except FileNotFoundError as error:
        raise AudioError(
            "does not exist any more", where=name, next_step="put it back, or prepare the corpus again"
        ) from error
    except OSError as error:
        raise AudioError(
            f"cannot be read ({error.strerror})", where=name, next_step="check the permissions of the file"
        ) from error
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        step = _conversion(Length(""), name) if getattr(error, "code", None) == _UNSUPPORTED_CODE else _INTACT
        raise AudioError(f"is not audio that can be decoded ({reason})", where=name, next_step=step) from error
    if len(samples) == 0:
        raise AudioError("is empty: it holds no samples", where=name, next_step=_INTACT)
    with np.errstate(over="ignore", invalid="ignore"):  # the error below names the sample
        mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    low, high = float(mono.min()), float(mono.max())  # NaN if any sample is NaN
    if not (np.isfinite(low) and np.isfinite(high)):
        unusable = ~np.isfinite(samples).all(axis=1) | ~np.isfinite(mono)
        raise AudioError(
            "holds a sample that is not a number (NaN or infinite), the first at "
            f"{int(np.flatnonzero(unusable)[0]) / rate:.3f} s",
            where=name,
            next_step=_INTACT,
        )
    peak = max(-low, high) + 0.0  # 0 rather than -0
    silent: Silence = "zero" if peak == 0 else ""
    if samples.shape[1] > 1:
        loudest = max(-float(samples.min()), float(samples.max()))
        if loudest > 0 and peak <= CANCELLED * loudest:
            silent = "cancelled"
    return Decoded(np.ascontiguousarray(mono), rate, samples.shape[1], peak, silent)


class _Memory(io.BytesIO):
    """Bytes as a file for libsndfile, which seeks before the beginning of some damaged files."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek, but ignore a position before the beginning."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


class _Endless(io.RawIOBase):
    """Bytes as a file that reports a size larger than their number, by `_MORE`."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = memoryview(data), 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Seek to any position."""
        self._at = max(0, offset + (0, self._at, len(self._data) + _MORE)[whence])
        return self._at

    def tell(self) -> int:
        """Return the current position."""
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read nothing after the data, and zeros in the last `_TAIL` bytes of the reported size."""
        if self._at >= len(self._data) + _MORE - _TAIL:
            count = len(buffer)
            buffer[:] = bytes(count)
        else:
            piece = self._data[self._at : self._at + len(buffer)]
            count = len(piece)
            buffer[:count] = piece
        self._at += count
        return count


class _Reader(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file for reading from start to end.

    soundfile seeks after each read, which fails at the end of a FLAC file that does not say its length.
    """

    def seekable(self) -> bool:
        """Return False, so that soundfile does not seek."""
        return False


def _read_checked(content: bytes, source: int | _Memory, name: str) -> tuple[int, Waveform]:
    """Return the file's rate and samples, shape (frames, channels), after checking its length."""
    if not content:
        raise AudioError("is empty: it has no bytes", where=name, next_step=_INTACT)
    pointer_fault = pointer(bytes(content[:POINTER_BYTES]))
    if pointer_fault is not None:
        raise AudioError(pointer_fault[0], where=name, next_step=pointer_fault[1])
    length = measure(content)
    if length is None:
        with _Reader(source, closefd=False) as file:  # raises for most files
            kind = str(file.format_info)
        length = Length(kind, fault=f"is {kind}, a kind of file that serab does not read", convert=True, tool="")
    if length.fault:
        raise AudioError(length.fault, where=name, next_step=_next_step(length, name))
    if length.plain is not None and length.samples is not None:
        return length.plain.rate, _plain_samples(content, length.plain, length.samples)
    if not length.streams or length.file_first:
        whole = Stream(content, length.samples, clock=length.clock, slack=length.slack)
        try:
            return _stream(source, whole, length, name)
        except (AudioError, soundfile.LibsndfileError):
            if not length.streams:
                raise
    decoded = []
    for stream in length.streams:
        file = _Endless(stream.data) if stream.endless else _Memory(stream.data)
        rate, samples = _stream(file, stream, length, name)
        decoded.append((rate, samples[stream.skip : len(samples) - stream.drop]))
    first = decoded[0]
    for rate, samples in decoded[1:]:
        if (rate, samples.shape[1]) != (first[0], first[1].shape[1]):
            before, after = f"{first[0]} Hz, {first[1].shape[1]} channels", f"{rate} Hz, {samples.shape[1]} channels"
            raise AudioError(
                f"holds streams of several kinds joined end to end ({before}; {after})",
                where=name,
                next_step=_conversion(length, name),
            )
    return first[0], first[1] if len(decoded) == 1 else np.concatenate([samples for _, samples in decoded])


def _plain_samples(content: bytes, plain: Plain, count: int) -> Waveform:
    """Return the samples of a file that needs no decoder, bit for bit as libsndfile, shape (frames, channels)."""
    kind = np.dtype(plain.dtype)
    raw = np.frombuffer(content, kind, count * plain.channels, plain.start).reshape(count, plain.channels)
    if kind.kind == "f":
        return raw.astype(np.float32)
    samples: Waveform = np.multiply(raw, np.float32(2.0**-15), dtype=np.float32)
    return samples


def _stream(source: int | io.IOBase, stream: Stream, length: Length, name: str) -> tuple[int, Waveform]:
    """Return the rate and samples of a stream, after checking the number of samples."""
    try:
        with _Reader(source, closefd=False) as file:
            rate, samples = int(file.samplerate), _read_all(file)
    except soundfile.LibsndfileError as error:
        if stream.data.startswith(flac.MAGIC) and not flac.ends_whole(stream.data):
            raise AudioError("is cut short: its last frame is not whole", where=name, next_step=_INTACT) from error
        raise
    expected, slack = stream.samples, stream.slack
    if expected is not None and stream.clock is not None:
        expected, slack = expected * rate // stream.clock, slack + 1
    if expected is not None and len(samples) < expected - slack:
        raise AudioError(
            f"is cut short: {len(samples)} of {expected} samples can be decoded", where=name, next_step=_INTACT
        )
    if expected is not None and len(samples) > expected + slack:
        raise AudioError(
            f"is {length.kind} that decodes to {len(samples)} samples, where its bytes hold {expected}",
            where=name,
            next_step=_conversion(length, name),
        )
    return rate, samples


def _next_step(length: Length, name: str) -> str:
    """Return what the user can do about a file with a fault."""
    if length.unsure:
        return f"{_INTACT}; if you know that it is complete, {_conversion(length, name)}"
    return _conversion(length, name) if length.convert else _INTACT


def _conversion(length: Length, name: str) -> str:
    """Return the command that converts the file to a format that serab reads."""
    if not length.tool:
        return "convert it to WAV with the program that wrote it"
    path = PurePath(name.rsplit(": ", 1)[-1])
    result = path.with_suffix(".flac" if path.suffix.lower() == ".wav" else ".wav").name if path.name else "OUT.wav"
    return f"convert it: {length.tool.format(name=shlex.quote(path.name), out=shlex.quote(result))}"


def _read_all(file: soundfile.SoundFile) -> Waveform:
    """Read all samples, shape (frames, channels), in pieces: a damaged header may promise more than memory holds."""
    pieces: list[Waveform] = []
    piece_frames, remaining = max(1, _PIECE // max(1, file.channels)), int(file.frames)
    while True:
        request = min(piece_frames, max(1, remaining))
        piece: Waveform = file.read(request, dtype="float32", always_2d=True)
        pieces.append(piece)
        remaining -= len(piece)
        if len(piece) < request or remaining <= 0:
            return piece if len(pieces) == 1 else np.concatenate(pieces)
