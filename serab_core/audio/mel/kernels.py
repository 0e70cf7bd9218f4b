"""The compiled log-mel: it processes stretches of frames of waveforms, without the GIL.

A block has LANES streams of the same number of frames, one after the other: lane k holds the frames from
k * frames_per_lane on. The samples of a block are transposed once, so that every load of every pass is a whole, aligned
vector. No result depends on how frames are distributed over lanes, blocks or threads.

All arguments are addresses or numbers: arrays would add alias checks and reference counts to the loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from serab_core.audio.mel.bands import (
    bands_of_magnitude,
    bands_of_power,
    copy,
    finite,
    gather,
    scatter,
    store_address,
    store_zero,
)
from serab_core.audio.mel.butterflies import (
    POINT,
    first4,
    first8,
    last_middle,
    last_pair,
    last_zero,
    middle4,
    middle4_trivial,
    middle8,
    middle8_trivial,
)
from serab_core.audio.mel.family import KERNELS
from serab_core.audio.mel.simd import BYTES, LANES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]

# Positions of the integers of a specification in its table; those from WINDOW on hold offsets into one of the tables.
POINTS, PAIRS, HOP, START, REFLECT, N_MELS, MELS_FIRST, MAGNITUDE, FRAMES_PER_LANE, PASSES = range(10)
WINDOW, SPLIT, WEIGHTS, FLOORS, POSITIONS, SEGMENTS, RADICES, FACTORS = range(10, 18)
HEADER = 18  # integers before the tables
# Numbers of the buffers in the scratch memory of a thread; `places` holds their offsets, in bytes.
S_LANES, S_MARK, S_SQUARE, S_DATA, S_POWERS, S_LOGS, S_ROWS, S_EDGES = range(8)


@KERNELS.compiled("void(i8, i8, i8, i8, i8, i8)")
def _edge(samples: int, length: int, start: int, rows: int, reflect: int, out: int) -> None:
    """Copy a stream that begins before the waveform or ends behind it, with reflection or zeros outside."""
    before = min(max(0, -start), rows)
    behind = max(min(rows, length - start), before)
    for r in range(before):
        t = -(start + r)
        if reflect and t < length:
            copy(samples + 4 * t, out + 4 * r, 1)
        else:
            store_zero(out + 4 * r)
    copy(samples + 4 * (start + before), out + 4 * before, behind - before)
    for r in range(behind, rows):
        t = 2 * (length - 1) - (start + r)
        if reflect and 0 <= t < length:
            copy(samples + 4 * t, out + 4 * r, 1)
        else:
            store_zero(out + 4 * r)


@KERNELS.compiled("void(i8, i8, i8, i8, i8[::1], i8, i8, i8, i8)")
def _fill(
    samples: int,
    length: int,
    first: int,
    frames_per_lane: int,
    ints: Ints,
    lanes: int,
    edges: int,
    table: int,
    rows: int,
) -> None:
    """Load the samples of a block, transposed."""
    for lane in range(LANES):
        start = ints[START] + (first + lane * frames_per_lane) * ints[HOP]
        if start >= 0 and start + rows <= length:
            store_address(lanes + 8 * lane, samples + 4 * start)
        else:
            stream = edges + 4 * lane * rows
            _edge(samples, length, start, rows, ints[REFLECT], stream)
            store_address(lanes + 8 * lane, stream)
    for r in range(0, rows, LANES):
        gather(lanes, 4 * r, table + r * BYTES)


@KERNELS.compiled("void(i8, i8[::1], i8, i8)")
def _transform(rows: int, ints: Ints, floats: int, data: int) -> None:
    """Do all passes of the FFT except the last, from rows of samples."""
    points, pairs = ints[POINTS], ints[PAIRS]
    size = points
    for number in range(ints[PASSES]):
        radix = ints[ints[RADICES] + number]
        factors = floats + 4 * ints[ints[FACTORS] + number]
        stride = size // radix
        if number == 0:
            window = floats + 4 * ints[WINDOW]
            for j in range(stride):
                inputs = (pairs - j + stride - 1) // stride
                x, w, z = rows + j * 2 * BYTES, window + j * 8, data + j * POINT
                if radix == 8:
                    first8(inputs, x, stride * 2 * BYTES, w, stride * 8, z, stride * POINT, factors + j * 56)
                else:
                    first4(inputs, x, stride * 2 * BYTES, w, stride * 8, z, stride * POINT, factors + j * 24)
        elif radix == 8:
            for block in range(data, data + points * POINT, size * POINT):
                middle8_trivial(block, stride * POINT, factors)
                for j in range(1, stride):
                    middle8(block + j * POINT, stride * POINT, factors + j * 56)
        else:
            for block in range(data, data + points * POINT, size * POINT):
                middle4_trivial(block, stride * POINT, factors)
                for j in range(1, stride):
                    middle4(block + j * POINT, stride * POINT, factors + j * 24)
        size = stride


@KERNELS.compiled("void(i8, i8[::1], i8, i8)")
def _powers(data: int, ints: Ints, floats: int, powers: int) -> None:
    """Do the last pass and the conversion to the real transform; store the powers in the order of the bins."""
    quarter = ints[POINTS] // 4
    middle = quarter // 2
    at, factors, step = ints[POSITIONS], floats + 4 * ints[SPLIT], quarter * BYTES
    last_zero(data, factors, powers, step)
    last_middle(data + ints[at + middle] * 4 * POINT, factors + middle * 32, powers + middle * BYTES, step)
    for g in range(1, middle):
        block, mirror = data + ints[at + g] * 4 * POINT, data + ints[at + quarter - g] * 4 * POINT
        last_pair(block, mirror, factors + g * 32, powers + g * BYTES, powers + (quarter - g) * BYTES, step)


@KERNELS.compiled("void(i8, i8, i8, i8, i8, i8, i8, i8, i8)")
def _square(
    source: int,
    stride: int,
    square: int,
    out: int,
    out_stride: int,
    lane_step: int,
    valid_from: int,
    columns: int,
    end: int,
) -> None:
    """Transpose a square of LANES x LANES results into the output; at an edge, only the results that exist.

    The row of lane k goes to `out + k * out_stride`. Its first frame is `valid_from + k * lane_step`, and only rows
    with a frame below `end` are written, `columns` floats of each. If `columns` is negative, the floats of a row are
    frames.
    """
    whole = valid_from + (LANES - 1) * lane_step + (-columns if columns < 0 else 1) <= end and abs(columns) == LANES
    if whole:
        scatter(source, stride, out, out_stride)
        return
    scatter(source, stride, square, BYTES)
    for lane in range(LANES):
        left = end - valid_from - lane * lane_step
        if left > 0:
            copy(square + lane * BYTES, out + lane * out_stride, min(left, -columns) if columns < 0 else columns)


@KERNELS.compiled("b1(i8, i8, i8, i8, i8, i8[::1], i8, i8, i8, i8[::1])")
def stretch(
    samples: int,
    length: int,
    begin: int,
    end: int,
    total: int,
    ints: Ints,
    floats: int,
    out: int,
    scratch: int,
    places: Ints,
) -> bool:
    """Compute frames `begin` to `end` of the `total` frames of a waveform.

    Args:
        samples: address of `length` float32 samples.
        ints: the specification's integers; see the constants above.
        floats: address of the floats of the specification.
        out: address of the whole result.
        scratch: address of the scratch memory of this thread.
        places: offsets of the buffers in the scratch memory, in bytes.

    Returns:
        whether every band is finite.
    """
    lanes, mark, square = scratch + places[S_LANES], scratch + places[S_MARK], scratch + places[S_SQUARE]
    data, powers, logs = scratch + places[S_DATA], scratch + places[S_POWERS], scratch + places[S_LOGS]
    table, edges = scratch + places[S_ROWS], scratch + places[S_EDGES]
    n_mels, hop = ints[N_MELS], ints[HOP]
    room = (n_mels + LANES - 1) // LANES * LANES * BYTES
    weights, floors = floats + 4 * ints[WEIGHTS], floats + 4 * ints[FLOORS]
    segments = ints.ctypes.data + 8 * ints[SEGMENTS]
    blocks = (end - begin + LANES * ints[FRAMES_PER_LANE] - 1) // (LANES * ints[FRAMES_PER_LANE])
    frames_per_lane = (end - begin + LANES * blocks - 1) // (LANES * blocks)
    rows = ((frames_per_lane - 1) * hop + 2 * ints[PAIRS] + LANES - 1) // LANES * LANES
    for lane in range(LANES):
        store_zero(mark + 4 * lane)
    for first in range(begin, end, LANES * frames_per_lane):
        _fill(samples, length, first, frames_per_lane, ints, lanes, edges, table, rows)
        for i in range(frames_per_lane):
            _transform(table + i * hop * BYTES, ints, floats, data)
            _powers(data, ints, floats, powers)
            log_row = logs + (i % LANES) * room
            if ints[MAGNITUDE]:
                bands_of_magnitude(powers, weights, segments, n_mels, floors, log_row, mark)
            else:
                bands_of_power(powers, weights, segments, n_mels, floors, log_row, mark)
            if not ints[MELS_FIRST]:
                for m in range(0, n_mels, LANES):
                    place = out + 4 * ((first + i) * n_mels + m)
                    _square(
                        log_row + m * BYTES,
                        BYTES,
                        square,
                        place,
                        4 * frames_per_lane * n_mels,
                        frames_per_lane,
                        first + i,
                        min(LANES, n_mels - m),
                        end,
                    )
            elif i % LANES == LANES - 1 or i == frames_per_lane - 1:
                start = i // LANES * LANES
                for m in range(n_mels):
                    place = out + 4 * (m * total + first + start)
                    _square(
                        logs + m * BYTES,
                        room,
                        square,
                        place,
                        4 * frames_per_lane,
                        frames_per_lane,
                        first + start,
                        start - i - 1,
                        end,
                    )
    all_finite: bool = finite(mark)
    return all_finite


@KERNELS.compiled("i8(i8[:, ::1], i8, i8, i8[::1], i8, i8, i8[::1])")
def stretches(jobs: Ints, begin: int, end: int, ints: Ints, floats: int, scratch: int, places: Ints) -> int:
    """Compute several stretches. Each is a row of `jobs`: samples, length, begin, end, total, out.

    Returns:
        the first job with a band that is not finite, or -1.
    """
    for n in range(begin, end):
        job = jobs[n]
        if not stretch(job[0], job[1], job[2], job[3], job[4], ints, floats, job[5], scratch, places):
            return n
    return -1
