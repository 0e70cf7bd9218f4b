"""Resamples a waveform with soxr's high-quality filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    from serab_core.types import Waveform

QUALITY = "HQ"  # soxr's setting; part of every fingerprint, because openSMILE features differ between HQ and VHQ


def resample(samples: Waveform, rate: int, target: int) -> Waveform:
    """Resample to `target` Hz; return the samples unchanged if the rate is already `target`.

    Args:
        samples: mono float32, 1-D, at `rate` Hz.

    Returns:
        float32, 1-D, at least one sample.
    """
    if rate == target:
        return samples
    resampled: Waveform = soxr.resample(samples, rate, target, quality=QUALITY)
    return resampled if len(resampled) else np.zeros(1, np.float32)
