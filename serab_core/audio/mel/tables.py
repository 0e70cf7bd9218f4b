"""A specification as the kernels read it: a table of integers, one of floats, and the layout of a thread's scratch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from serab_core.audio.mel import kernels as k
from serab_core.audio.mel.fft import LARGEST, SMALLEST, plan_fft
from serab_core.audio.mel.simd import BYTES, LANES
from serab_core.audio.mel.spec import hann, segments
from serab_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from serab_core.audio.mel.spec import LogMelSpec

SHARE = 24
"""Frames of a block that a lane takes at most: as many as keep the transposed samples in the second-level cache."""
_ALIGN = 64


@dataclass(frozen=True, slots=True)
class Tables:
    """A specification for the kernels.

    Attributes:
        ints: its header, then tables of integers.
        floats: window, twiddles, mel weights and floors.
        places: the offset of each part of the scratch, in bytes.
        scratch_bytes: how much a thread needs.
    """

    ints: NDArray[np.int64]
    floats: NDArray[np.float32]
    places: NDArray[np.int64]
    scratch_bytes: int

    def scratch(self) -> NDArray[np.uint8]:
        """Memory for one thread, aligned to cache lines."""
        raw = np.zeros(self.scratch_bytes + _ALIGN, np.uint8)
        start = -raw.ctypes.data % _ALIGN
        return raw[start : start + self.scratch_bytes]


@lru_cache(maxsize=16)
def make_tables(spec: LogMelSpec) -> Tables:
    """Lays a specification out.

    Raises:
        UsageError: the FFT's length is none that the kernels know.
    """
    if spec.n_fft & (spec.n_fft - 1) or not SMALLEST <= spec.n_fft <= LARGEST:
        raise UsageError(
            f"n_fft is {spec.n_fft}; the kernels take powers of two from {SMALLEST} to {LARGEST}",
            where=f"log-mel specification {spec.name}",
        )
    plan = plan_fft(spec.n_fft)
    starts, weights = segments(spec)
    pairs = (spec.window + 1) // 2
    window = np.zeros(2 * pairs)
    window[: spec.window] = hann(spec)
    scale = 0.5 if spec.magnitude else 0.25  # the split gives twice the spectrum
    floats: list[NDArray[np.float32]] = []
    ints: list[NDArray[np.int64]] = [np.zeros(k.HEADER, np.int64)]

    def add_floats(values: NDArray[np.floating]) -> int:
        floats.append(np.ascontiguousarray(values, np.float32).ravel())
        return sum(len(part) for part in floats) - len(floats[-1])

    def add_ints(values: object) -> int:
        ints.append(np.array(values, np.int64).ravel())
        return sum(len(part) for part in ints) - len(ints[-1])

    header = ints[0]
    header[k.POINTS], header[k.PAIRS], header[k.HOP] = plan.points, pairs, spec.hop
    header[k.START] = -(spec.n_fft // 2) + (spec.n_fft - spec.window) // 2 if spec.centred else 0
    header[k.REFLECT], header[k.N_MELS], header[k.MELS_FIRST] = spec.centred, spec.n_mels, spec.mels_first
    header[k.MAGNITUDE], header[k.SHARE], header[k.PASSES] = spec.magnitude, SHARE, len(plan.radices)
    header[k.WINDOW] = add_floats(window)
    header[k.SPLIT] = add_floats(plan.split)
    header[k.WEIGHTS] = add_floats(weights * scale)
    header[k.FLOORS] = add_floats(np.array([spec.floor, 0.0] if spec.clamped else [0.0, spec.floor]))
    header[k.POSITIONS] = add_ints(plan.positions)
    header[k.SEGMENTS] = add_ints(starts)
    header[k.RADICES] = add_ints(plan.radices)
    header[k.FACTORS] = add_ints([add_floats(factors) for factors in plan.twiddles])
    rows = (SHARE - 1) * spec.hop + 2 * pairs + LANES
    room = -(-spec.n_mels // LANES) * LANES
    sizes = {
        k.S_LANES: 8 * LANES,
        k.S_MARK: BYTES,
        k.S_SQUARE: LANES * BYTES,
        k.S_DATA: 2 * plan.points * BYTES,
        k.S_POWERS: (plan.points + 1) * BYTES,
        k.S_LOGS: LANES * room * BYTES,
        k.S_ROWS: rows * BYTES,
        k.S_EDGES: rows * BYTES,
    }
    padded = [-(-sizes[part] // _ALIGN) * _ALIGN for part in sorted(sizes)]
    places = np.concatenate([[0], np.cumsum(padded)]).astype(np.int64)
    return Tables(np.concatenate(ints), np.concatenate(floats), places[:-1], int(places[-1]))
