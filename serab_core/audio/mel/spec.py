"""The specification of a log-mel, and the specifications of published models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from serab_core.types import Features

EPSILON = 1.1920928955078125e-07  # the epsilon of float32, which BYOL-A's front end adds to the power


@dataclass(frozen=True, slots=True)
class LogMelSpec:
    """All parameters of a log-mel.

    Attributes:
        name: its name in messages.
        rate: the sampling rate, in Hz.
        n_fft: length of the FFT, in samples.
        window: length of the periodic Hann window, in samples, at most `n_fft`.
        hop: samples between the starts of two frames.
        centred: the middle of frame i is at sample i * hop, and the waveform is reflected at its ends; otherwise
            frame i begins at sample i * hop, and lies within the waveform.
        n_mels: bands, from `f_min` to `f_max` Hz, evenly spaced on the HTK mel scale, 2595 log10(1 + f / 700).
        triangles: the axis on which the bands are triangles: `hertz` as in torchaudio, `mel` as in TensorFlow.
        magnitude: bands are sums of magnitudes, not of powers.
        floor: the constant in the logarithm ln(x + floor), or ln(max(x, floor)) if `clamped`.
        clamped: see `floor`.
        mels_first: the shape of the result is (n_mels, frames), otherwise (frames, n_mels).
    """

    name: str
    window: int
    n_fft: int = 1024
    rate: int = 16_000
    hop: int = 160
    centred: bool = True
    n_mels: int = 64
    f_min: float = 60.0
    f_max: float = 7800.0
    triangles: Literal["hertz", "mel"] = "hertz"
    magnitude: bool = False
    floor: float = EPSILON
    clamped: bool = False
    mels_first: bool = True

    def __post_init__(self) -> None:
        """Check the values. Raises UsageError."""
        faults = {
            "the window must have 1 to n_fft samples": not 1 <= self.window <= self.n_fft,
            "hop, n_mels and rate must be at least 1": min(self.hop, self.n_mels, self.rate) < 1,
            "the band limits must rise from 0 to half the rate": not 0 <= self.f_min < self.f_max <= self.rate / 2,
            "the floor must be a normal number above 0": not np.finfo(np.float32).tiny <= self.floor < np.inf,
        }
        for text, is_violated in faults.items():
            if is_violated:
                raise UsageError(text, where=f"log-mel specification {self.name}")

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform with this number of samples."""
        if self.centred:
            return 1 + samples // self.hop
        return max(0, 1 + (samples - self.window) // self.hop)

    def shape(self, samples: int) -> tuple[int, int]:
        """Return the shape of the result for a waveform with this number of samples."""
        frames = self.frames(samples)
        return (self.n_mels, frames) if self.mels_first else (frames, self.n_mels)


SERAB = LogMelSpec("serab", window=400)
"""The front end of SERAB's models, with a window of 25 ms."""
BYOL_A = LogMelSpec("byol-a", window=1024)
"""The front end of BYOL-A, with a window as long as the FFT (arXiv:2103.06695, section IV-A)."""
VGGISH = LogMelSpec(
    "vggish", window=400, n_fft=512, centred=False, f_min=125.0, f_max=7500.0, triangles="mel", magnitude=True,
    floor=0.01, mels_first=False,
)  # fmt: skip
"""The front end of VGGish (Hershey et al., 2017, and its released parameters)."""
YAMNET = LogMelSpec(
    "yamnet", window=400, n_fft=512, centred=False, f_min=125.0, f_max=7500.0, triangles="mel", magnitude=True,
    floor=0.001, mels_first=False,
)  # fmt: skip
"""The front end of YAMNet: that of VGGish with another floor."""
NAMED: dict[str, LogMelSpec] = {spec.name: spec for spec in (SERAB, BYOL_A, VGGISH, YAMNET)}


@lru_cache(maxsize=32)
def hann(spec: LogMelSpec) -> Features:
    """Return the periodic Hann window, float64, shape (window,)."""
    window: Features = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(spec.window) / spec.window)
    return window


@lru_cache(maxsize=32)
def segments(spec: LogMelSpec) -> tuple[tuple[int, ...], Features]:
    """Return the mel bank as the weights of each bin in the two bands on whose sides it lies.

    Returns:
        the first bin at or above each of the n_mels + 2 corners, and float64 weights of shape (n_fft / 2 + 1, 2). For
        bin k between corners s and s + 1, the first weight is for band s - 1, which falls there, the second for band s.
    """

    def mel(hertz: float) -> float:
        return float(2595.0 * np.log10(1.0 + hertz / 700.0))

    corners = np.linspace(mel(spec.f_min), mel(spec.f_max), spec.n_mels + 2)
    bins = np.arange(spec.n_fft // 2 + 1) * (spec.rate / spec.n_fft)
    if spec.triangles == "hertz":
        corners = 700.0 * (10.0 ** (corners / 2595.0) - 1.0)
    else:
        bins = 2595.0 * np.log10(1.0 + bins / 700.0)
    starts = tuple(int(start) for start in np.searchsorted(bins, corners))
    weights = np.zeros((len(bins), 2))
    for s in range(spec.n_mels + 1):
        between = slice(starts[s], starts[s + 1])
        rising = (bins[between] - corners[s]) / (corners[s + 1] - corners[s])
        weights[between, 0] = 1.0 - rising if s > 0 else 0.0
        weights[between, 1] = rising if s < spec.n_mels else 0.0
    return starts, weights


@lru_cache(maxsize=32)
def bank(spec: LogMelSpec) -> Features:
    """Return the mel bank as a matrix, float64, shape (n_fft / 2 + 1, n_mels)."""
    starts, weights = segments(spec)
    matrix = np.zeros((spec.n_fft // 2 + 1, spec.n_mels))
    for s in range(spec.n_mels + 1):
        between = slice(starts[s], starts[s + 1])
        if s > 0:
            matrix[between, s - 1] = weights[between, 0]
        if s < spec.n_mels:
            matrix[between, s] = weights[between, 1]
    return matrix


def empty_bands(spec: LogMelSpec) -> tuple[int, ...]:
    """Return the bands that lie between two bins, and so are always at the floor."""
    return tuple(int(band) for band in np.flatnonzero(bank(spec).sum(axis=0) == 0.0))
