"""How a real FFT of 2 M points is cut into passes over M complex ones, and the numbers that the passes need.

Decimation in frequency, in place: each pass of radix r turns blocks of r S points into r blocks of S, and leaves the
results in digit-reversed order. The last pass, of radix 4, is one with the split of the half-size complex transform
into the real one, which takes bins k and M - k together and reads them where they lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAST = 4
SMALLEST, LARGEST = 256, 4096
"""FFT lengths that the kernels take, in samples: powers of two between these."""


@dataclass(frozen=True, slots=True)
class FftPlan:
    """The passes of one FFT length.

    Attributes:
        points: complex points, half of the FFT's length.
        radices: of all passes but the last, each 4 or 8.
        twiddles: for each of these passes, float32, shape (S, r - 1, 2): the factors of the results 1 to r - 1.
        split: float32, shape (points / 4, 4, 2): cosine and sine of -2 pi k / (2 points) for k = g + q points / 4.
        positions: int64, shape (points / 4,): in which block of four the last pass finds the bins g + q points / 4.
    """

    points: int
    radices: tuple[int, ...]
    twiddles: tuple[NDArray[np.float32], ...]
    split: NDArray[np.float32]
    positions: NDArray[np.int64]


def radices_of(points: int) -> tuple[int, ...]:
    """The radices of all passes but the last: fours, after one eight where the points are no power of four.

    More eights mean fewer loads and stores, but keep 16 vectors alive: measured, they win nothing with 32 registers and
    lose with 16.
    """
    bits = (points // LAST).bit_length() - 1
    return (8,) * (bits % 2) + (4,) * ((bits - 3 * (bits % 2)) // 2)


@lru_cache(maxsize=16)
def plan_fft(n_fft: int) -> FftPlan:
    """Plans an FFT of a power of two from 256 to 4096 real points."""
    points = n_fft // 2
    radices = radices_of(points)
    twiddles = []
    positions = np.zeros(1, np.int64)
    size, scale = points, 1
    bins = np.zeros(1, np.int64)
    for radix in radices:
        stride = size // radix
        j, q = np.arange(stride)[:, None], np.arange(1, radix)[None, :]
        twiddles.append(_unit(-2.0 * np.pi * (j * q) / size))
        bins = (bins[:, None] + scale * np.arange(radix)[None, :]).ravel()
        scale *= radix
        size = stride
    assert size == LAST
    positions = np.empty(points // LAST, np.int64)
    positions[bins] = np.arange(points // LAST)
    k = np.arange(points // LAST)[:, None] + (points // LAST) * np.arange(LAST)[None, :]
    return FftPlan(points, radices, tuple(twiddles), _unit(-np.pi * k / points), positions)


def _unit(angle: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1).astype(np.float32)
