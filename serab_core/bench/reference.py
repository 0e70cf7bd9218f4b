"""The reference workload: log-mel spectrograms with serab's kernels and matrix products, on one thread.

Every figure is a ratio to it. A slow, busy or throttled machine slows both down, so that the ratio stays the same.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from serab_core.audio.mel import SERAB, log_mels
from serab_core.bench.clips import clip

_SIDE, _PRODUCTS, _CLIPS = 384, 2, 8  # size of the matrices, products and clips of a run, which takes milliseconds


class Reference:
    """A workload of some milliseconds that is the same each time."""

    def __init__(self) -> None:
        rng = np.random.RandomState(0)
        self._left = rng.standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._right = rng.standard_normal((_SIDE, _SIDE)).astype(np.float32)
        self._clips = [clip(3.0, 16_000)] * _CLIPS
        self.run()  # compiles the kernels

    def run(self) -> None:
        """Run the workload once."""
        log_mels(self._clips, SERAB, threads=1)
        with threadpool_limits(1):
            for _ in range(_PRODUCTS):
                np.matmul(self._left, self._right)
