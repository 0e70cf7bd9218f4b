"""A specification for the kernels: a table of integers, a table of floats, and the layout of the scratch memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from serab_core.audio.mel import kernels as k
from serab_core.audio.mel.fft import MAX_N_FFT, MIN_N_FFT, plan_fft
from serab_core.audio.mel.simd import BYTES, LANES
from serab_core.audio.mel.spec import hann, segments
from serab_core.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from serab_core.audio.mel.spec import LogMelSpec

MAX_FRAMES_PER_LANE = 24  # of a block; so many that its transposed samples stay in the second-level cache
_ALIGN = 64  # bytes, the size of a cache line


@dataclass(frozen=True, slots=True)
class Tables:
    """A specification for the kernels.

    Attributes:
        ints: the header of `kernels`, then the tables of integers.
        floats: window, twiddle factors, mel weights and floors.
        places: the offset of each buffer in the scratch memory, in bytes.
        scratch_bytes: the size of the scratch memory of a thread, in bytes.
    """

    ints: NDArray[np.int64]
    floats: NDArray[np.float32]
    places: NDArray[np.int64]
    scratch_bytes: int

    def scratch(self) -> NDArray[np.uint8]:
        """Return scratch memory for a thread, aligned to cache lines."""
        raw = np.zeros(self.scratch_bytes + _ALIGN, np.uint8)
        start = -raw.ctypes.data % _ALIGN
        return raw[start : start + self.scratch_bytes]


@lru_cache(maxsize=16)
def make_tables(spec: LogMelSpec) -> Tables:
    """Return the tables of a specification.

    Raises:
        UsageError: the kernels do not support the length of the FFT.
    """
    if spec.n_fft & (spec.n_fft - 1) or not MIN_N_FFT <= spec.n_fft <= MAX_N_FFT:
        raise UsageError(
            f"n_fft is {spec.n_fft}; the kernels support powers of two from {MIN_N_FFT} to {MAX_N_FFT}",
            where=f"log-mel specification {spec.name}",
            next_step="change n_fft, or use torch_log_mels, which supports any length",
        )
    plan = plan_fft(spec.n_fft)
    starts, weights = segments(spec)
    pairs = (spec.window + 1) // 2
    window = np.zeros(2 * pairs)
    window[: spec.window] = hann(spec)
    scale = 0.5 if spec.magnitude else 0.25  # the last pass gives twice the spectrum
    floats: list[NDArray[np.float32]] = []
    ints: list[NDArray[np.int64]] = [np.zeros(k.HEADER, np.int64)]

    def append_floats(values: NDArray[np.floating]) -> int:
        floats.append(np.ascontiguousarray(values, np.float32).ravel())
        return sum(len(table) for table in floats) - len(floats[-1])

    def append_ints(values: object) -> int:
        ints.append(np.array(values, np.int64).ravel())
        return sum(len(table) for table in ints) - len(ints[-1])

    header = ints[0]
    header[k.POINTS], header[k.PAIRS], header[k.HOP] = plan.points, pairs, spec.hop
    header[k.START] = -(spec.n_fft // 2) + (spec.n_fft - spec.window) // 2 if spec.centred else 0
    header[k.REFLECT], header[k.N_MELS], header[k.MELS_FIRST] = spec.centred, spec.n_mels, spec.mels_first
    header[k.MAGNITUDE], header[k.FRAMES_PER_LANE], header[k.PASSES] = (
        spec.magnitude,
        MAX_FRAMES_PER_LANE,
        len(plan.radices),
    )
    header[k.WINDOW] = append_floats(window)
    header[k.SPLIT] = append_floats(plan.split)
    header[k.WEIGHTS] = append_floats(weights * scale)
    header[k.FLOORS] = append_floats(np.array([spec.floor, 0.0] if spec.clamped else [0.0, spec.floor]))
    header[k.POSITIONS] = append_ints(plan.positions)
    header[k.SEGMENTS] = append_ints(starts)
    header[k.RADICES] = append_ints(plan.radices)
    header[k.FACTORS] = append_ints([append_floats(factors) for factors in plan.twiddles])
    rows = (MAX_FRAMES_PER_LANE - 1) * spec.hop + 2 * pairs + LANES
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
    padded = [-(-sizes[buffer] // _ALIGN) * _ALIGN for buffer in sorted(sizes)]
    places = np.concatenate([[0], np.cumsum(padded)]).astype(np.int64)
    return Tables(np.concatenate(ints), np.concatenate(floats), places[:-1], int(places[-1]))
