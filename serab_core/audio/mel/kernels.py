"""The compiled log-mel: stretches of frames of waveforms, without the GIL.

A block has LANES streams of the same number of frames, one behind the other: lane k holds the frames from k * share on.
The samples of a block are transposed once, after which every load of every pass is a whole, aligned vector. No result
depends on how frames are dealt to lanes, blocks or threads.

Everything is an address or a number: arrays would bring alias checks and reference counts into the loops.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from serab_core.audio.mel.bands import (
    bands_of_magnitude,
    bands_of_power,
    copy,
    finite,
    gather,
    put,
    put_address,
    scatter,
)
from serab_core.audio.mel.butterflies import (
    POINT,
    first4,
    first8,
    last_middle,
    last_pair,
    last_zero,
    middle4,
    middle4_one,
    middle8,
    middle8_one,
)
from serab_core.audio.mel.family import KERNELS
from serab_core.audio.mel.simd import BYTES, LANES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints: TypeAlias = NDArray[np.int64]

# Where a specification's integers lie in its table; those from WINDOW on are offsets into one of the tables.
POINTS, PAIRS, HOP, START, REFLECT, N_MELS, MELS_FIRST, MAGNITUDE, SHARE, PASSES = range(10)
WINDOW, SPLIT, WEIGHTS, FLOORS, POSITIONS, SEGMENTS, RADICES, FACTORS = range(10, 18)
HEADER = 18
# And where the parts of a thread's scratch lie, in bytes.
S_LANES, S_MARK, S_SQUARE, S_DATA, S_POWERS, S_LOGS, S_ROWS, S_EDGES = range(8)


@KERNELS.compiled("void(i8, i8, i8, i8, i8, i8)")
def _edge(samples: int, length: int, start: int, rows: int, reflect: int, out: int) -> None:
    """A stream that begins before the waveform or ends behind it: reflected, or zero."""
    before = min(max(0, -start), rows)
    behind = max(min(rows, length - start), before)
    for r in range(before):
        t = -(start + r)
        if reflect and t < length:
            copy(samples + 4 * t, out + 4 * r, 1)
        else:
            put(out + 4 * r)
    copy(samples + 4 * (start + before), out + 4 * before, behind - before)
    for r in range(behind, rows):
        t = 2 * (length - 1) - (start + r)
        if reflect and 0 <= t < length:
            copy(samples + 4 * t, out + 4 * r, 1)
        else:
            put(out + 4 * r)


@KERNELS.compiled("void(i8, i8, i8, i8, i8[::1], i8, i8, i8, i8)")
def _fill(
    samples: int,
    length: int,
    first: int,
    share: int,
    ints: Ints,
    lanes: int,
    edges: int,
    table: int,
    rows: int,
) -> None:
    """The samples of a block, transposed."""
    for lane in range(LANES):
        start = ints[START] + (first + lane * share) * ints[HOP]
        if start >= 0 and start + rows <= length:
            put_address(lanes + 8 * lane, samples + 4 * start)
        else:
            own = edges + 4 * lane * rows
            _edge(samples, length, start, rows, ints[REFLECT], own)
            put_address(lanes + 8 * lane, own)
    for r in range(0, rows, LANES):
        gather(lanes, 4 * r, table + r * BYTES)


@KERNELS.compiled("void(i8, i8[::1], i8, i8)")
def _transform(rows: int, ints: Ints, floats: int, data: int) -> None:
    """All passes of the FFT but the last, from rows of samples."""
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
                middle8_one(block, stride * POINT, factors)
                for j in range(1, stride):
                    middle8(block + j * POINT, stride * POINT, factors + j * 56)
        else:
            for block in range(data, data + points * POINT, size * POINT):
                middle4_one(block, stride * POINT, factors)
                for j in range(1, stride):
                    middle4(block + j * POINT, stride * POINT, factors + j * 24)
        size = stride


@KERNELS.compiled("void(i8, i8[::1], i8, i8)")
def _powers(data: int, ints: Ints, floats: int, powers: int) -> None:
    """The last pass and the split: from the complex transform to powers in order."""
    quarter = ints[POINTS] // 4
    middle = quarter // 2
    at, factors, step = ints[POSITIONS], floats + 4 * ints[SPLIT], quarter * BYTES
    last_zero(data, factors, powers, step)
    last_middle(data + ints[at + middle] * 4 * POINT, factors + middle * 32, powers + middle * BYTES, step)
    for g in range(1, middle):
        one, other = data + ints[at + g] * 4 * POINT, data + ints[at + quarter - g] * 4 * POINT
        last_pair(one, other, factors + g * 32, powers + g * BYTES, powers + (quarter - g) * BYTES, step)


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
    """A square of results to where they belong; at an edge only those that exist.

    Lane k's row goes to `out + k * out_stride`; it has frame `valid_from + k * lane_step` at its start, and only rows
    with a frame below `end` are written, `columns` floats of each. With `columns` negative, a row's floats are frames.
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
    """Frames `begin` to `end` of the `total` of one waveform.

    Args:
        samples: address of float32 samples, `length` of them.
        ints: the specification's integers; see the constants above.
        floats: address of its floats.
        out: address of the whole result.
        scratch: address of this thread's memory, and in `places` the offsets of its parts.

    Returns:
        whether every band is a finite number.
    """
    lanes, mark, square = scratch + places[S_LANES], scratch + places[S_MARK], scratch + places[S_SQUARE]
    data, powers, logs = scratch + places[S_DATA], scratch + places[S_POWERS], scratch + places[S_LOGS]
    table, edges = scratch + places[S_ROWS], scratch + places[S_EDGES]
    n_mels, hop = ints[N_MELS], ints[HOP]
    room = (n_mels + LANES - 1) // LANES * LANES * BYTES
    weights, floors = floats + 4 * ints[WEIGHTS], floats + 4 * ints[FLOORS]
    segments = ints.ctypes.data + 8 * ints[SEGMENTS]
    blocks = (end - begin + LANES * ints[SHARE] - 1) // (LANES * ints[SHARE])
    share = (end - begin + LANES * blocks - 1) // (LANES * blocks)
    rows = ((share - 1) * hop + 2 * ints[PAIRS] + LANES - 1) // LANES * LANES
    for lane in range(LANES):
        put(mark + 4 * lane)
    for first in range(begin, end, LANES * share):
        _fill(samples, length, first, share, ints, lanes, edges, table, rows)
        for i in range(share):
            _transform(table + i * hop * BYTES, ints, floats, data)
            _powers(data, ints, floats, powers)
            own = logs + (i % LANES) * room
            if ints[MAGNITUDE]:
                bands_of_magnitude(powers, weights, segments, n_mels, floors, own, mark)
            else:
                bands_of_power(powers, weights, segments, n_mels, floors, own, mark)
            if not ints[MELS_FIRST]:
                for m in range(0, n_mels, LANES):
                    place = out + 4 * ((first + i) * n_mels + m)
                    _square(
                        own + m * BYTES,
                        BYTES,
                        square,
                        place,
                        4 * share * n_mels,
                        share,
                        first + i,
                        min(LANES, n_mels - m),
                        end,
                    )
            elif i % LANES == LANES - 1 or i == share - 1:
                start = i // LANES * LANES
                for m in range(n_mels):
                    place = out + 4 * (m * total + first + start)
                    _square(logs + m * BYTES, room, square, place, 4 * share, share, first + start, start - i - 1, end)
    all_finite: bool = finite(mark)
    return all_finite


@KERNELS.compiled("i8(i8[:, ::1], i8, i8, i8[::1], i8, i8, i8[::1])")
def stretches(jobs: Ints, begin: int, end: int, ints: Ints, floats: int, scratch: int, places: Ints) -> int:
    """Several stretches, each a row of `jobs`: samples, length, begin, end, total, out.

    Returns:
        the first job with a band that is no finite number, or -1.
    """
    for n in range(begin, end):
        job = jobs[n]
        if not stretch(job[0], job[1], job[2], job[3], job[4], ints, floats, job[5], scratch, places):
            return n
    return -1
