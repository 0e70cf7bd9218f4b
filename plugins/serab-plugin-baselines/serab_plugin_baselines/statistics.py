"""Statistics over time of log-mels and of MFCCs (Davis and Mermelstein, 1980), computed with the core's kernels."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import SERAB, LogMelSpec, log_mels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from serab_core.plugin import Embeddings, Waveform

SPEECH = LogMelSpec("mfcc", window=400, n_fft=512, n_mels=40, f_min=20.0, f_max=7600.0)
"""Log-mels that the MFCCs are computed from: 40 bands, windows of 25 ms every 10 ms."""
COEFFICIENTS = 20  # MFCCs, including the zeroth
REACH = 2  # frames on each side that a delta uses


class LogMelStatistics:
    """Mean and deviation over time of 64 log-mels in SERAB's front end."""

    dim = 2 * SERAB.n_mels

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return float32, shape (len(waveforms), 128): 64 means, then 64 deviations."""
        return _rows(log_mels(list(waveforms), SERAB, threads=None), self.dim)


class MfccStatistics:
    """Mean and deviation over time of 20 MFCCs, the zeroth included, and of their deltas."""

    dim = 4 * COEFFICIENTS

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return float32, shape (len(waveforms), 80): means of 20 coefficients and 20 deltas, then their deviations."""
        cepstra = [cosines(SPEECH.n_mels) @ mels for mels in log_mels(list(waveforms), SPEECH, threads=None)]
        return _rows([np.concatenate([c, deltas(c)]) for c in cepstra], self.dim)


@lru_cache
def cosines(n_mels: int) -> NDArray[np.float32]:
    """Return the first rows of the orthonormal DCT-II, shape (20, n_mels)."""
    row, column = np.arange(COEFFICIENTS)[:, None], np.arange(n_mels)
    matrix: NDArray[np.float64] = np.sqrt(2.0 / n_mels) * np.cos(np.pi / n_mels * (column + 0.5) * row)
    matrix[0] /= np.sqrt(2.0)
    return matrix.astype(np.float32)


def deltas(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return slopes over time: sum n (v[t + n] - v[t - n]) / (2 sum n^2) for n up to 2; edge values are repeated.

    Args:
        values: shape (k, frames).
    """
    frames = values.shape[1]
    wide = np.concatenate([values[:, :1]] * REACH + [values] + [values[:, -1:]] * REACH, axis=1)
    weights = np.arange(-REACH, REACH + 1, dtype=np.float32)
    slopes = np.zeros_like(values)
    for offset, weight in enumerate(weights):
        slopes += weight * wide[:, offset : offset + frames]
    return slopes / np.float32((weights**2).sum())


def _rows(features: Sequence[NDArray[np.float32]], dim: int) -> Embeddings:
    """Return the mean and deviation (ddof 0) over time of each clip's features, shape (n, dim)."""
    rows = np.empty((len(features), dim), np.float32)
    for row, values in zip(rows, features, strict=True):
        row[: dim // 2] = values.mean(axis=1, dtype=np.float64)
        row[dim // 2 :] = values.std(axis=1, dtype=np.float64)
    return rows
