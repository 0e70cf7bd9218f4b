"""The clips on which extractors are measured, the same on every machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from serab_core.types import Waveform

LENGTHS_S = (1.0, 3.0, 10.0, 60.0)  # seconds; default lengths of single clips
TYPICAL_S = 3.0
"""Typical length of an utterance, in seconds (arXiv:2110.03414, section 2.1: 2.5 to 4.5 s on average)."""


def clip(seconds: float, rate: int) -> Waveform:
    """Return noise whose level rises and falls four times per second, mono float32 at `rate` Hz."""
    rng = np.random.RandomState(int(1000 * seconds))
    time = np.arange(int(seconds * rate)) / rate
    swell = 0.55 - 0.45 * np.cos(2 * np.pi * 4.0 * time)
    return np.asarray(0.1 * swell * rng.standard_normal(len(time)), np.float32)
