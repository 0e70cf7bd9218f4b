"""Decodes an audio file to mono float32, and names the samples by their sha256."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from serab_core.errors import AudioError

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.types import Waveform


_INTACT = "replace it with an intact copy"
_POINTER = b"version https://git-lfs"
_PIECE = 1 << 22
"""Samples that are read at a time."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded file.

    Attributes:
        samples: mono float32 in [-1, 1], 1-D, at the file's own rate; integers are divided by 2**(bits - 1).
        rate: in Hz.
        channels: how many there were before averaging.
    """

    samples: Waveform
    rate: int
    channels: int

    @property
    def duration(self) -> float:
        """In seconds."""
        return len(self.samples) / self.rate

    @property
    def sha256(self) -> str:
        """Of the rate and the samples, whatever container held them; WAV and FLAC of the same audio agree."""
        digest = hashlib.sha256(f"mono float32 {self.rate} ".encode())
        digest.update(np.ascontiguousarray(self.samples, dtype="<f4").tobytes())
        return digest.hexdigest()


def decode(source: Path | bytes, name: str) -> Decoded:
    """Decodes a file, or a file's content.

    Args:
        source: a path, or the bytes of a file.
        name: what to call it in an error.

    Raises:
        AudioError: it is missing, no audio, cut short, empty, or holds samples that are not finite numbers.
    """
    try:
        if isinstance(source, bytes):
            promised, rate, samples = _read(_Memory(source), name)
        else:
            with source.open("rb", buffering=0) as opened:
                promised, rate, samples = _read(opened, name)
    except FileNotFoundError as error:
        raise AudioError(
            "is not there any more", where=name, next_step="put it back, or prepare the corpus again"
        ) from error
    except OSError as error:
        raise AudioError(
            f"cannot be read ({error.strerror})", where=name, next_step="check the file's rights"
        ) from error
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        reason = str(getattr(error, "error_string", error)).strip().rstrip(".")
        raise AudioError(f"is not audio that can be decoded ({reason})", where=name, next_step=_INTACT) from error
    if len(samples) == 0:
        raise AudioError("is empty: it holds no samples", where=name, next_step=_INTACT)
    if promised not in (len(samples), 2**63 - 1):
        raise AudioError(
            f"is cut short: {len(samples)} of {promised} samples could be decoded",
            where=name,
            next_step=_INTACT,
        )
    if not np.isfinite(samples).all():
        where = int(np.flatnonzero(~np.isfinite(samples).all(axis=1))[0])
        raise AudioError(
            f"holds a sample that is not a number (NaN or infinite), the first at {where / rate:.3f} s",
            where=name,
            next_step=_INTACT,
        )
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
    return Decoded(np.ascontiguousarray(mono), rate, samples.shape[1])


class _Memory(io.BytesIO):
    """Bytes as a file, for libsndfile, which asks damaged ones for places before their beginning."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stays where it is rather than go before the beginning."""
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _read(opened: io.BytesIO | io.FileIO, name: str) -> tuple[int, int, Waveform]:
    """How many frames the file's head promises, its rate, and its samples, shape (frames, channels)."""
    head = opened.read(len(_POINTER))
    if not head:
        raise AudioError("is empty: it has no bytes", where=name, next_step=_INTACT)
    if head == _POINTER:
        raise AudioError(
            "is a git-lfs pointer, not the audio itself",
            where=name,
            next_step="run `git lfs pull` in its repository",
        )
    opened.seek(0)
    # By its descriptor libsndfile reads a file itself; otherwise each read calls back into Python.
    source = opened if isinstance(opened, io.BytesIO) else opened.fileno()
    with soundfile.SoundFile(source, closefd=False) as file:
        return int(file.frames), int(file.samplerate), _samples(file)


def _samples(file: soundfile.SoundFile) -> Waveform:
    """All that is there, shape (frames, channels), in pieces: a damaged head may promise more than any memory holds."""
    pieces: list[Waveform] = []
    room = max(1, _PIECE // max(1, file.channels))
    while True:
        wanted = min(room, max(1, int(file.frames) - sum(map(len, pieces))))
        piece: Waveform = file.read(wanted, dtype="float32", always_2d=True)
        pieces.append(piece)
        if len(piece) < wanted or sum(map(len, pieces)) >= file.frames:
            return piece if len(pieces) == 1 else np.concatenate(pieces)
