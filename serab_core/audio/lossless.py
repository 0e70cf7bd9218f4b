"""Writes mono samples to a file that decodes to exactly the same samples: FLAC if 24 bits hold them, else float WAV."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import soundfile

from serab_core.audio.decode import decode
from serab_core.errors import AudioError

if TYPE_CHECKING:
    from serab_core.types import Waveform

BITS = 24  # bits per sample of FLAC files: the most that libsndfile writes
_SCALE = np.float32(2 ** (BITS - 1))


def round_to_24_bits(samples: Waveform) -> Waveform:
    """Return the samples rounded to 24 bits, with an error of at most 2**-24; unchanged if a peak is above 1."""
    if _peak(samples) > 1.0:
        return samples
    whole = np.rint(samples * _SCALE)
    result: Waveform = ((whole + np.float32(0.0)) / _SCALE).astype(np.float32)  # + 0 turns -0 into 0: FLAC has no -0
    return result


def encode(samples: Waveform, rate: int, name: str) -> tuple[bytes, str]:
    """Return a file that decodes to exactly these samples, and its suffix.

    Args:
        samples: mono float32.
        rate: the sampling rate, in Hz.
        name: the name of the audio in errors.

    Raises:
        AudioError: the file decodes to other samples, which is a defect of serab or of libsndfile.
    """
    content = _flac(samples, rate)
    suffix = ".wav" if content is None else ".flac"
    if content is None:
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, rate, format="WAV", subtype="FLOAT")
        content = buffer.getvalue()
    stored = decode(content, name)
    if stored.rate != rate or not _equal(stored.samples, samples):
        raise AudioError(
            f"is not stored without loss: the {suffix[1:].upper()} file decodes to other samples",
            where=name,
            next_step="prepare the corpus without copying its audio, and report this to serab's authors",
        )
    return content, suffix


def _flac(samples: Waveform, rate: int) -> bytes | None:
    """Return the samples as 24-bit FLAC; None if 24 bits do not hold them, or FLAC does not support the rate."""
    if _peak(samples) > 1.0:
        return None
    scaled = samples * _SCALE
    whole = scaled.astype(np.int32)
    if whole.max() >= 2 ** (BITS - 1) or not _equal(whole.astype(np.float32), scaled):
        return None
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, whole << (32 - BITS), rate, format="FLAC", subtype=f"PCM_{BITS}")
    except (soundfile.LibsndfileError, ValueError):
        return None
    return buffer.getvalue()


def _peak(samples: Waveform) -> float:
    return max(-float(samples.min()), float(samples.max()))


def _equal(first: Waveform, second: Waveform) -> bool:
    """Whether two arrays hold the same bits: 0 and -0 are equal numbers, but have different hashes."""
    return np.array_equal(first.view(np.int32), second.view(np.int32))
