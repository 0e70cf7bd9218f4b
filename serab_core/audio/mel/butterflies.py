"""The passes of the FFT, one butterfly each, as intrinsics on memory. Each lane is a frame, and lanes do not interact.

A complex point is two vectors, real part first. Every load of a window value or twiddle factor is a broadcast, which
processors with AVX-512 do as part of the multiplication.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from serab_core.audio.mel.simd import BYTES, I64, Emitter, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POINT = 2 * BYTES  # bytes of a complex point in all lanes


class Complex(NamedTuple):
    """A complex vector."""

    re: Vector
    im: Vector

    def plus(self, other: Complex | None) -> Complex:
        """Return the sum; None is zero."""
        return self if other is None else Complex(self.re + other.re, self.im + other.im)

    def minus(self, other: Complex | None) -> Complex:
        """Return the difference; None is zero."""
        return self if other is None else Complex(self.re - other.re, self.im - other.im)

    def turned(self) -> Complex:
        """Return the product with -i."""
        return Complex(self.im, -self.re)


def _sum(a: Complex | None, b: Complex | None) -> Complex | None:
    return b if a is None else a.plus(b)


def _difference(a: Complex | None, b: Complex | None) -> Complex | None:
    if a is None:
        return None if b is None else Complex(-b.re, -b.im)
    return a.minus(b)


def _not_none(a: Complex | None) -> Complex:
    assert a is not None, "a butterfly has at least one input"
    return a


def dft4(x: Sequence[Complex | None]) -> list[Complex | None]:
    """Return the DFT of four points, some of which may be zero (None)."""
    even, odd = (_sum(x[0], x[2]), _difference(x[0], x[2])), (_sum(x[1], x[3]), _difference(x[1], x[3]))
    turned = None if odd[1] is None else odd[1].turned()
    return [_sum(even[0], odd[0]), _sum(even[1], turned), _difference(even[0], odd[0]), _difference(even[1], turned)]


def dft8(emit: Emitter, x: Sequence[Complex | None]) -> list[Complex | None]:
    """Return the DFT of eight points: sums give the even bins, rotated differences the odd bins."""
    sums = [_sum(x[i], x[i + 4]) for i in range(4)]
    differences = [_difference(x[i], x[i + 4]) for i in range(4)]
    even = dft4(sums)
    half = emit.constant(np.sqrt(0.5))
    d0, d1, d2, d3 = differences
    # d1 and d3 need factors (1 - i) / sqrt 2 and -(1 + i) / sqrt 2; `combine` multiplies by 1 / sqrt 2 at the end.
    r1 = None if d1 is None else Complex(d1.re + d1.im, d1.im - d1.re)
    r3 = None if d3 is None else Complex(d3.im - d3.re, -(d3.re + d3.im))
    t0 = _sum(d0, None if d2 is None else d2.turned())
    t1 = _difference(d0, None if d2 is None else d2.turned())
    s, t = _sum(r1, r3), _difference(r1, r3)
    t = None if t is None else t.turned()

    def combine(base: Complex | None, scaled: Complex | None, sign: int) -> Complex | None:
        if scaled is None:
            return base
        factor = half if sign > 0 else emit.constant(-np.sqrt(0.5))
        if base is None:
            return Complex(scaled.re * factor, scaled.im * factor)
        return Complex(emit.fma(scaled.re, factor, base.re), emit.fma(scaled.im, factor, base.im))

    odd = [combine(t0, s, 1), combine(t1, t, 1), combine(t0, s, -1), combine(t1, t, -1)]
    return [even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3]]


def dft(emit: Emitter, x: Sequence[Complex | None]) -> list[Complex]:
    """Return the DFT of four or eight points."""
    return [_not_none(y) for y in (dft4(x) if len(x) == 4 else dft8(emit, x))]


def twiddled(emit: Emitter, y: Complex, address: ir.Value, offset: int) -> Complex:
    """Return the product of a point and the twiddle factor at an address."""
    c, s = emit.broadcast(address, offset), emit.broadcast(address, offset + 4)
    return Complex(emit.fma(y.re, c, -(y.im * s)), emit.fma(y.re, s, y.im * c))


def read(emit: Emitter, address: ir.Value, offset: int | ir.Value = 0) -> Complex:
    """Return the complex point at an address."""
    start = emit.at(address, offset)
    return Complex(emit.load(start), emit.load(start, BYTES))


def write(emit: Emitter, point: Complex, address: ir.Value, offset: int | ir.Value = 0) -> None:
    """Store a complex point at an address."""
    start = emit.at(address, offset)
    emit.store(point.re, start)
    emit.store(point.im, start, BYTES)


def procedure(count: int) -> Callable[[Callable[..., None]], Any]:
    """Return a decorator that makes an intrinsic with `count` addresses or integers out of a code generator."""

    def wrap(generate: Callable[..., None]) -> Any:
        def typed(context: Any, *arguments: Any) -> Any:
            def codegen(target: Any, builder: ir.IRBuilder, signature: Any, values: Sequence[ir.Value]) -> ir.Value:
                generate(Emitter(builder), *values)
                return target.get_dummy_value()

            return types.void(*[types.int64] * count), codegen

        names = ", ".join(f"a{i}" for i in range(count))
        scope: dict[str, Any] = {"typed": typed}
        exec(f"def {generate.__name__}(context, {names}):\n    return typed(context, {names})", scope)  # noqa: S102
        return intrinsic(scope[generate.__name__])

    return wrap


def _times(emit: Emitter, stride: ir.Value, number: int) -> ir.Value:
    return emit.builder.mul(stride, ir.Constant(I64, number))


def _make_first(radix: int) -> Any:
    """Make the first pass: it reads rows of samples times the window; only `inputs` of `radix` points are not zero."""

    @procedure(8)
    def first(
        emit: Emitter,
        inputs: ir.Value,
        rows: ir.Value,
        row_stride: ir.Value,
        window: ir.Value,
        window_stride: ir.Value,
        out: ir.Value,
        out_stride: ir.Value,
        factors: ir.Value,
    ) -> None:
        with emit.builder.if_then(emit.builder.icmp_signed("==", inputs, ir.Constant(I64, 0))):
            zero = Complex(emit.constant(0.0), emit.constant(0.0))
            for q in range(radix):
                write(emit, zero, out, _times(emit, out_stride, q))
        for count in range(1, radix + 1):
            with emit.builder.if_then(emit.builder.icmp_signed("==", inputs, ir.Constant(I64, count))):
                points: list[Complex | None] = [None] * radix
                for r in range(count):
                    row = emit.at(rows, _times(emit, row_stride, r))
                    weight = emit.at(window, _times(emit, window_stride, r))
                    re = emit.load(row) * emit.broadcast(weight)
                    im = emit.load(row, BYTES) * emit.broadcast(weight, 4)
                    points[r] = Complex(re, im)
                for q, y in enumerate(dft(emit, points)):
                    result = y if q == 0 else twiddled(emit, y, factors, 8 * (q - 1))
                    write(emit, result, out, _times(emit, out_stride, q))

    return first


def _make_middle(radix: int, *, trivial: bool) -> Any:
    """Make a middle pass, in place; in the trivial pass all twiddle factors are 1."""

    @procedure(3)
    def middle(emit: Emitter, data: ir.Value, stride: ir.Value, factors: ir.Value) -> None:
        points = [read(emit, data, _times(emit, stride, r)) for r in range(radix)]
        for q, y in enumerate(dft(emit, points)):
            result = y if q == 0 or trivial else twiddled(emit, y, factors, 8 * (q - 1))
            write(emit, result, data, _times(emit, stride, q))

    return middle


first4, first8 = _make_first(4), _make_first(8)
middle4, middle8 = _make_middle(4, trivial=False), _make_middle(8, trivial=False)
middle4_trivial, middle8_trivial = _make_middle(4, trivial=True), _make_middle(8, trivial=True)


def _split(emit: Emitter, a: Complex, b: Complex, factors: ir.Value, offset: int) -> tuple[Vector, Vector]:
    """Return four times the power of bins k and M - k of the real transform, from these bins of the complex one."""
    c, s = emit.broadcast(factors, offset), emit.broadcast(factors, offset + 4)
    er, ei = a.re + b.re, a.im - b.im
    dr, di = a.re - b.re, a.im + b.im
    tr = emit.fma(s, dr, c * di)
    ti = emit.fma(s, di, -(c * dr))
    pr, pi, mr, mi = er + tr, ei + ti, er - tr, ei - ti
    return emit.fma(pi, pi, pr * pr), emit.fma(mi, mi, mr * mr)


def _four(emit: Emitter, block: ir.Value) -> list[Complex]:
    return dft(emit, [read(emit, block, r * POINT) for r in range(4)])


@procedure(6)
def last_pair(
    emit: Emitter,
    block: ir.Value,
    mirror_block: ir.Value,
    factors: ir.Value,
    powers: ir.Value,
    mirror_powers: ir.Value,
    quarter: ir.Value,
) -> None:
    """Do the last pass for the bins g + q M/4 and their mirror bins: two blocks of four points, eight powers."""
    a, b = _four(emit, block), _four(emit, mirror_block)
    for q in range(4):
        power, mirrored = _split(emit, a[q], b[3 - q], factors, 8 * q)
        emit.store(power, powers, _times(emit, quarter, q))
        emit.store(mirrored, mirror_powers, _times(emit, quarter, 3 - q))


@procedure(4)
def last_zero(emit: Emitter, block: ir.Value, factors: ir.Value, powers: ir.Value, quarter: ir.Value) -> None:
    """Do the last pass for g = 0: the bins 0, M/4, M/2, 3M/4 and M."""
    z = _four(emit, block)
    four = emit.constant(4.0)
    total, difference = z[0].re + z[0].im, z[0].re - z[0].im
    emit.store(total * total * four, powers)
    emit.store(difference * difference * four, powers, _times(emit, quarter, 4))
    emit.store(emit.fma(z[2].im, z[2].im, z[2].re * z[2].re) * four, powers, _times(emit, quarter, 2))
    power, mirrored = _split(emit, z[1], z[3], factors, 8)
    emit.store(power, powers, quarter)
    emit.store(mirrored, powers, _times(emit, quarter, 3))


@procedure(4)
def last_middle(emit: Emitter, block: ir.Value, factors: ir.Value, powers: ir.Value, quarter: ir.Value) -> None:
    """Do the last pass for g = M/8, whose bins mirror each other."""
    z = _four(emit, block)
    for q in (0, 1):
        power, mirrored = _split(emit, z[q], z[3 - q], factors, 8 * q)
        emit.store(power, powers, _times(emit, quarter, q))
        emit.store(mirrored, powers, _times(emit, quarter, 3 - q))
