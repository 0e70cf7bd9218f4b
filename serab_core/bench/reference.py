"""The workload that every figure is a ratio to: log-mels by our kernels and a product of matrices, on one thread.

A machine that is slow, busy or throttled is so for both; their ratio stays.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from serab_core.audio.mel import SERAB, log_mels
from serab_core.bench.clips import clip

_SIDE, _PRODUCTS, _CLIPS = 384, 2, 8


class Reference:
    """Some milliseconds of work, the same each time."""

    def __init__(self) -> None:
        rng = np.random.RandomState(0)
        self._left = rng.standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._right = rng.standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._clips = [clip(3.0, 16_000)] * _CLIPS
        self.run()  # compiles

    def run(self) -> None:
        """Do the work once."""
        log_mels(self._clips, SERAB, threads=1)
        with threadpool_limits(1):
            for _ in range(_PRODUCTS):
                np.matmul(self._left, self._right)
