"""The mel bank, the logarithm, and the transposition in and out of lanes, as intrinsics on memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from serab_core.audio.mel.butterflies import procedure
from serab_core.audio.mel.simd import BYTES, F32, I1, I64, INTS, LANES, VECTOR, Emitter, Vector

if TYPE_CHECKING:
    from collections.abc import Iterator

# log(1 + f) = f - f^2 / 2 + f^3 P(f) for sqrt(1/2) <= 1 + f <= sqrt(2); P is fitted to minimise
# the relative error of the logarithm, which is 3.2e-8 before rounding: half a unit in the last place of a float.
_LOG = (
    0.3333390951156616,
    -0.2500133812427521,
    0.19963063299655914,
    -0.1657758504152298,
    0.14914768934249878,
    -0.14267486333847046,
    0.08700430393218994,
)
# ln 2 as a sum of two numbers. The first has few bits, so that its products with exponents are exact.
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440054690583e-4


def logarithm(emit: Emitter, x: Vector) -> Vector:
    """Return the natural logarithm of positive, finite, normal numbers, to about a unit in the last place."""
    builder = emit.builder
    half = int(np.float32(np.sqrt(0.5)).view(np.int32))
    bits = builder.bitcast(x.value, INTS)
    # Take the exponent relative to sqrt(1/2), so that the mantissa lies in [sqrt(1/2), sqrt(2)).
    above = builder.sub(bits, ir.Constant(INTS, [half] * LANES))
    exponent = builder.ashr(above, ir.Constant(INTS, [23] * LANES))
    mantissa = builder.sub(bits, builder.shl(exponent, ir.Constant(INTS, [23] * LANES)))
    e = Vector(emit, builder.sitofp(exponent, VECTOR))
    f = Vector(emit, builder.bitcast(mantissa, VECTOR)) - emit.constant(1.0)
    square = f * f
    # Estrin's scheme: three short dependency chains instead of one long chain.
    c = [emit.constant(value) for value in _LOG]
    low = emit.fma(emit.fma(c[3], f, c[2]), square, emit.fma(c[1], f, c[0]))
    high = emit.fma(emit.fma(c[6], square, emit.fma(c[5], f, c[4])), square * square, low)
    tail = emit.fma(square * f, high, e * emit.constant(_LN2_LOW))
    tail = emit.fma(square, emit.constant(-0.5), tail)
    return emit.fma(e, emit.constant(_LN2_HIGH), f + tail)


def _make_bands(*, magnitude: bool) -> Any:
    """Make the intrinsic for the mel bank over powers (or their square roots), and the logarithm of each band.

    A segment is the interval between two neighbouring corners. Its bins lie on the falling side of one band and on the
    rising side of the next. So each bin is read once, with two weights, and a band is the rising sum of the segment
    before plus the falling sum of this segment.
    """

    @procedure(7)
    def bands(
        emit: Emitter,
        powers: ir.Value,
        weights: ir.Value,
        starts: ir.Value,
        count: ir.Value,
        floors: ir.Value,
        out: ir.Value,
        mark: ir.Value,
    ) -> None:
        builder = emit.builder
        falling = cgutils.alloca_once(builder, VECTOR)
        rising = cgutils.alloca_once(builder, VECTOR)
        rising_before = cgutils.alloca_once(builder, VECTOR)
        marked = cgutils.alloca_once(builder, VECTOR)
        zero = emit.constant(0.0).value
        builder.store(zero, rising_before)
        builder.store(emit.load(mark).value, marked)
        floor, offset_floor = emit.broadcast(floors), emit.broadcast(floors, 4)
        for segment in _loop(builder, ir.Constant(I64, 0), builder.add(count, ir.Constant(I64, 1))):
            builder.store(zero, falling)
            builder.store(zero, rising)
            place = emit.at(starts, builder.shl(segment, ir.Constant(I64, 3)))
            for k in _loop(builder, emit.load_int(place), emit.load_int(place, 8)):
                value = emit.load(powers, builder.mul(k, ir.Constant(I64, BYTES)))
                if magnitude:
                    value = emit.sqrt(value)
                pair = emit.at(weights, builder.shl(k, ir.Constant(I64, 3)))
                for total, offset in ((falling, 0), (rising, 4)):
                    so_far = Vector(emit, builder.load(total))
                    builder.store(emit.fma(value, emit.broadcast(pair, offset), so_far).value, total)
            band = Vector(emit, builder.load(rising_before)) + Vector(emit, builder.load(falling))
            builder.store(builder.load(rising), rising_before)
            # The logarithm reads the bits of a float, and so hides NaN. NaN or infinity, times zero, mark the result.
            builder.store(emit.fma(band, emit.constant(0.0), Vector(emit, builder.load(marked))).value, marked)
            clamped = builder.select(builder.fcmp_ordered(">", band.value, floor.value), band.value, floor.value)
            logs = logarithm(emit, Vector(emit, clamped) + offset_floor)
            # No band ends at the first segment: its result is overwritten by that of the next segment.
            first = builder.icmp_signed("==", segment, ir.Constant(I64, 0))
            band_index = builder.select(first, segment, builder.sub(segment, ir.Constant(I64, 1)))
            emit.store(logs, out, builder.mul(band_index, ir.Constant(I64, BYTES)))
        emit.store(Vector(emit, builder.load(marked)), mark)

    return bands


bands_of_power, bands_of_magnitude = _make_bands(magnitude=False), _make_bands(magnitude=True)


def _loop(builder: ir.IRBuilder, start: ir.Value, stop: ir.Value) -> Iterator[ir.Value]:
    """Yield once, the index of a loop in the generated code; the body of the `for` statement generates its body."""
    with cgutils.for_range_slice(builder, start, stop, ir.Constant(I64, 1), I64) as (index, _):
        yield index


@procedure(3)
def gather(emit: Emitter, lanes: ir.Value, offset: ir.Value, out: ir.Value) -> None:
    """Load LANES samples of the stream of each lane, transposed: row i holds sample i of every lane."""
    streams = [emit.at(emit.load_int(lanes, 8 * lane), offset) for lane in range(LANES)]
    for i, row in enumerate(emit.transpose([emit.load(stream, align=4) for stream in streams])):
        emit.store(row, out, i * BYTES)


@procedure(4)
def scatter(emit: Emitter, source: ir.Value, stride: ir.Value, out: ir.Value, out_stride: ir.Value) -> None:
    """Store LANES vectors of a table, transposed: the values of each lane go to a separate row."""
    rows = [emit.load(source, emit.builder.mul(stride, ir.Constant(I64, i))) for i in range(LANES)]
    for lane, row in enumerate(emit.transpose(rows)):
        emit.store(row, out, emit.builder.mul(out_stride, ir.Constant(I64, lane)), align=4)


@procedure(3)
def copy(emit: Emitter, source: ir.Value, out: ir.Value, count: ir.Value) -> None:
    """Copy `count` floats from one address to another."""
    builder = emit.builder
    for i in _loop(builder, ir.Constant(I64, 0), count):
        offset = builder.shl(i, ir.Constant(I64, 2))
        value = builder.load(emit.pointer(emit.at(source, offset), F32), align=4)
        builder.store(value, emit.pointer(emit.at(out, offset), F32), align=4)


@procedure(1)
def store_zero(emit: Emitter, out: ir.Value) -> None:
    """Store a zero at an address."""
    emit.builder.store(ir.Constant(F32, 0.0), emit.pointer(out, F32), align=4)


@procedure(2)
def store_address(emit: Emitter, out: ir.Value, address: ir.Value) -> None:
    """Store a 64-bit integer at an address."""
    emit.builder.store(address, emit.pointer(out, I64), align=8)


def _finite(context: Any, address: Any) -> Any:
    """Whether no lane of the vector at an address is NaN."""

    def codegen(target: Any, builder: ir.IRBuilder, signature: Any, values: Any) -> ir.Value:
        vector = Emitter(builder).load(values[0])
        everything = ir.Constant(I1, 1)
        for lane in range(LANES):
            value = builder.extract_element(vector.value, ir.Constant(I64, lane))
            everything = builder.and_(everything, builder.fcmp_ordered("ord", value, value))
        return everything

    return types.boolean(types.int64), codegen


finite: Any = intrinsic(_finite)
