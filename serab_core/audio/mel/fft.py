"""The plan of a real FFT of 2 M points: its passes over M complex points, and the factors that they need.

Decimation in frequency, in place: each pass of radix r turns blocks of r S points into r blocks of S points, and leaves
the results in digit-reversed order. The last pass, of radix 4, also converts the half-size complex transform to the
real transform. This conversion combines bins k and M - k, and reads them at their digit-reversed positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LAST = 4  # radix of the last pass
MIN_N_FFT, MAX_N_FFT = 256, 4096  # samples; the kernels support the powers of two in this range


@dataclass(frozen=True, slots=True)
class FftPlan:
    """The passes of one FFT length.

    Attributes:
        points: complex points, half of the FFT's length.
        radices: the radix of each pass except the last, 4 or 8.
        twiddles: for each of these passes, float32, shape (S, r - 1, 2): the factors of the results 1 to r - 1.
        split: float32, shape (points / 4, 4, 2): cosine and sine of -2 pi k / (2 points) for k = g + q points / 4.
        positions: int64, shape (points / 4,): the block of four in which the bins g + q points / 4 are, for each g.
    """

    points: int
    radices: tuple[int, ...]
    twiddles: tuple[NDArray[np.float32], ...]
    split: NDArray[np.float32]
    positions: NDArray[np.int64]


def radices_of(points: int) -> tuple[int, ...]:
    """Return the radices of all passes except the last: fours, after one eight if `points` is not a power of four.

    Radix 8 needs fewer loads and stores, but 16 live vectors. In measurements, more passes of radix 8 are not faster
    with 32 registers, and slower with 16.
    """
    bits = (points // LAST).bit_length() - 1
    return (8,) * (bits % 2) + (4,) * ((bits - 3 * (bits % 2)) // 2)


@lru_cache(maxsize=16)
def plan_fft(n_fft: int) -> FftPlan:
    """Return the plan of an FFT of `n_fft` real points, a power of two from 256 to 4096."""
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
