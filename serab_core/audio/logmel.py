"""Log-mel spectrograms in float64: the reference that statistics are checked with.

The definition is torchaudio's `MelSpectrogram` with its defaults (periodic Hann window, power, centred with reflection,
HTK mel scale without area normalisation), then the natural logarithm (BYOL-A, arXiv:2103.06695, section IV-A).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from serab_core.types import Features, Waveform


@dataclass(frozen=True, slots=True)
class LogMelSpec:
    """Everything that a log-mel depends on.

    Attributes:
        rate: of the samples, Hz.
        n_fft: length of the FFT, in samples.
        window: length of the Hann window, in samples, in the middle of the FFT's frame.
        hop: between frames, in samples.
        n_mels: bands, from `f_min` to `f_max` Hz.
        floor: added to the power before the logarithm.
    """

    rate: int = 16_000
    n_fft: int = 1024
    window: int = 400
    hop: int = 160
    n_mels: int = 64
    f_min: float = 60.0
    f_max: float = 7800.0
    floor: float = float(np.finfo(np.float32).eps)


SERAB = LogMelSpec()
"""The front end of SERAB's own models (reference section 2.1)."""


def log_mel(samples: Waveform, spec: LogMelSpec = SERAB) -> Features:
    """The log-mel of a waveform.

    Args:
        samples: mono, 1-D, at `spec.rate` Hz; what is too short to be reflected is padded with zeros to half a frame.
        spec: the definition.

    Returns:
        float64, shape (n_mels, 1 + len(samples) // hop).

    Raises:
        ValueError: the signal is not 1-D or is empty.
    """
    if samples.ndim != 1 or not len(samples):
        raise ValueError(f"a waveform is 1-D and not empty; this has shape {samples.shape}")
    half = spec.n_fft // 2
    count = 1 + len(samples) // spec.hop
    signal = samples.astype(np.float64)
    if len(signal) <= half:
        signal = np.pad(signal, (0, half + 1 - len(signal)))
    padded = np.pad(signal, half, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, spec.n_fft)[:: spec.hop][:count]
    power = np.abs(np.fft.rfft(frames * _window(spec), axis=1)) ** 2
    mels: Features = np.log(power @ _bank(spec) + spec.floor).T
    return mels


@lru_cache(maxsize=8)
def _window(spec: LogMelSpec) -> Features:
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(spec.window) / spec.window)
    before = (spec.n_fft - spec.window) // 2
    return np.pad(hann, (before, spec.n_fft - spec.window - before))


@lru_cache(maxsize=8)
def _bank(spec: LogMelSpec) -> Features:
    """Triangles on the HTK mel scale, 2595 log10(1 + f / 700): float64, shape (n_fft / 2 + 1, n_mels)."""
    low, high = (2595.0 * np.log10(1.0 + f / 700.0) for f in (spec.f_min, spec.f_max))
    corners = 700.0 * (10.0 ** (np.linspace(low, high, spec.n_mels + 2) / 2595.0) - 1.0)
    bins = np.linspace(0.0, spec.rate // 2, spec.n_fft // 2 + 1)
    slopes = corners[None, :] - bins[:, None]
    rising = -slopes[:, :-2] / np.diff(corners)[:-1]
    falling = slopes[:, 2:] / np.diff(corners)[1:]
    bank: Features = np.maximum(0.0, np.minimum(rising, falling))
    return bank
