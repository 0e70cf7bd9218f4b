"""The log-mel in float64 with NumPy alone: a slow reference for tests of the kernels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.audio.mel.spec import bank, hann

if TYPE_CHECKING:
    from serab_core.audio.mel.spec import LogMelSpec
    from serab_core.types import Features, Waveform


def reference_log_mel(samples: Waveform, spec: LogMelSpec) -> Features:
    """Return the log-mel of a waveform in float64, with the shape and padding of `log_mel`."""
    signal = samples.astype(np.float64)
    if spec.centred:
        half = spec.n_fft // 2
        signal = np.pad(signal, (0, max(0, half + 1 - len(signal))))
        signal = np.pad(signal, half, mode="reflect")
    before = (spec.n_fft - spec.window) // 2 if spec.centred else 0
    count = spec.frames(len(samples))
    windowed = np.zeros((count, spec.n_fft))
    if count:
        all_frames = np.lib.stride_tricks.sliding_window_view(signal[before:], spec.window)
        windowed[:, : spec.window] = all_frames[:: spec.hop][:count] * hann(spec)
    spectrum = np.abs(np.fft.rfft(windowed, axis=1))
    bands = (spectrum if spec.magnitude else spectrum**2) @ bank(spec)
    logs: Features = np.log(np.maximum(bands, spec.floor) if spec.clamped else bands + spec.floor)
    return logs.T if spec.mels_first else logs
