"""Vectors of floats in Numba: intrinsics that emit instructions on LLVM's vector types.

LLVM vectorises the loops of Numba only by heuristics, which here give scalar code behind alias checks. An `Emitter`
emits vector instructions directly. Its Python loops run while code is generated: the generated code has no loops.
In `function.inspect_asm()` look for `vfmadd` and `vaddps` on `ymm` or `zmm` registers throughout; `vfmadd...ss` on
`xmm`, calls to `fmaf`, or long runs of `vmovaps ... (%rsp)` (spilled registers) mean that something went wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import llvmlite.binding
import numba
from llvmlite import ir
from numba.core import cgutils

if TYPE_CHECKING:
    from collections.abc import Sequence


def lanes_for(features: str) -> int:
    """Return the floats per vector of a processor: 16 with AVX-512, 8 with AVX, 4 with SSE and NEON."""
    flags = features.split(",")
    return 16 if "+avx512f" in flags else 8 if "+avx" in flags else 4


LANES = lanes_for(numba.config.CPU_FEATURES or llvmlite.binding.get_host_cpu_features().flatten())
"""Floats per vector, and frames that are processed in parallel. Any power of two from 4 on works on any processor."""
BYTES = 4 * LANES  # bytes of a vector

F32 = ir.FloatType()
I1 = ir.IntType(1)
I32 = ir.IntType(32)
I64 = ir.IntType(64)
VECTOR = ir.VectorType(F32, LANES)
INTS = ir.VectorType(I32, LANES)


class Vector:
    """A vector value while code is generated."""

    __slots__ = ("emit", "value")

    def __init__(self, emit: Emitter, value: ir.Value) -> None:
        self.emit = emit
        self.value = value

    def __add__(self, other: Vector) -> Vector:
        """Return the sum, lane by lane."""
        return Vector(self.emit, self.emit.builder.fadd(self.value, other.value))

    def __sub__(self, other: Vector) -> Vector:
        """Return the difference, lane by lane."""
        return Vector(self.emit, self.emit.builder.fsub(self.value, other.value))

    def __mul__(self, other: Vector) -> Vector:
        """Return the product, lane by lane."""
        return Vector(self.emit, self.emit.builder.fmul(self.value, other.value))

    def __neg__(self) -> Vector:
        """Return the negative."""
        return Vector(self.emit, self.emit.builder.fneg(self.value))


class Emitter:
    """Emits vector instructions at the position of a builder. Addresses are 64-bit integers, in bytes."""

    def __init__(self, builder: ir.IRBuilder) -> None:
        self.builder = builder

    def at(self, address: ir.Value, offset: int | ir.Value) -> ir.Value:
        """Return an address plus an offset in bytes."""
        if isinstance(offset, int):
            if offset == 0:
                return address
            offset = ir.Constant(I64, offset)
        return self.builder.add(address, offset)

    def pointer(self, address: ir.Value, kind: ir.Type) -> ir.Value:
        """Return an address as a pointer, for LLVM's memory instructions."""
        return self.builder.inttoptr(address, kind.as_pointer())

    def load(self, address: ir.Value, offset: int | ir.Value = 0, *, align: int = BYTES) -> Vector:
        """Return the vector at an address."""
        return Vector(self, self.builder.load(self.pointer(self.at(address, offset), VECTOR), align=align))

    def store(self, vector: Vector, address: ir.Value, offset: int | ir.Value = 0, *, align: int = BYTES) -> None:
        """Store a vector at an address."""
        self.builder.store(vector.value, self.pointer(self.at(address, offset), VECTOR), align=align)

    def load_int(self, address: ir.Value, offset: int | ir.Value = 0) -> ir.Value:
        """Return the 64-bit integer at an address."""
        return self.builder.load(self.pointer(self.at(address, offset), I64), align=8)

    def broadcast(self, address: ir.Value, offset: int | ir.Value = 0) -> Vector:
        """Return a vector with the float at an address in every lane."""
        return self.splat(self.builder.load(self.pointer(self.at(address, offset), F32), align=4))

    def splat(self, scalar: ir.Value) -> Vector:
        """Return a vector with a float in every lane."""
        undefined = ir.Constant(VECTOR, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, ir.Constant(I32, 0))
        return Vector(self, self.builder.shuffle_vector(first, undefined, ir.Constant(INTS, [0] * LANES)))

    def constant(self, value: float) -> Vector:
        """Return a vector with a constant in every lane."""
        return Vector(self, ir.Constant(VECTOR, [float(value)] * LANES))

    def fma(self, a: Vector, b: Vector, c: Vector) -> Vector:
        """Return `a * b + c`, fused if the processor supports it."""
        return self._call("fmuladd", a, b, c)

    def sqrt(self, a: Vector) -> Vector:
        """Return the square root, correctly rounded."""
        return self._call("sqrt", a)

    def shuffle(self, a: Vector, b: Vector, lanes: Sequence[int]) -> Vector:
        """Return the given lanes of `a` (numbered from 0) and `b` (from LANES)."""
        return Vector(self, self.builder.shuffle_vector(a.value, b.value, ir.Constant(INTS, list(lanes))))

    def _call(self, name: str, *operands: Vector) -> Vector:
        kind = ir.FunctionType(VECTOR, [VECTOR] * len(operands))
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}.v{LANES}f32")
        return Vector(self, self.builder.call(function, [operand.value for operand in operands]))

    def transpose(self, rows: Sequence[Vector]) -> list[Vector]:
        """Transpose LANES vectors as a square matrix: first within groups of four lanes, then larger blocks."""
        columns: list[Vector] = []
        for first in range(0, LANES, 4):
            a, b, c, d = rows[first : first + 4]
            ab, cd = self._interleave(a, b, _PAIRS), self._interleave(c, d, _PAIRS)
            for upper, lower in zip(ab, cd, strict=True):
                columns += self._interleave(upper, lower, _HALVES)
        step = 4
        while step < LANES:
            moved = list(columns)
            for i in (i for i in range(LANES) if not i & step):
                moved[i], moved[i + step] = self._interleave(columns[i], columns[i + step], _blocks(step))
            columns, step = moved, 2 * step
        return columns

    def _interleave(self, a: Vector, b: Vector, lanes: tuple[list[int], list[int]]) -> tuple[Vector, Vector]:
        return self.shuffle(a, b, lanes[0]), self.shuffle(a, b, lanes[1])


def _in_fours(low: Sequence[int], high: Sequence[int]) -> tuple[list[int], list[int]]:
    """Repeat patterns for four lanes over all lanes: `b` starts at 4 in a pattern and at LANES in the result."""

    def spread(pattern: Sequence[int]) -> list[int]:
        return [four + (lane if lane < 4 else LANES + lane - 4) for four in range(0, LANES, 4) for lane in pattern]

    return spread(low), spread(high)


_PAIRS = _in_fours((0, 4, 1, 5), (2, 6, 3, 7))  # unpcklps, unpckhps
_HALVES = _in_fours((0, 1, 4, 5), (2, 3, 6, 7))  # unpcklpd, unpckhpd


def _blocks(step: int) -> tuple[list[int], list[int]]:
    """Return the lanes of the first block of `a` and `b` in each pair of blocks of `step` lanes, and of the second."""
    starts = [start for pair in range(0, LANES, 2 * step) for start in (pair, LANES + pair)]
    even = [lane for start in starts for lane in range(start, start + step)]
    return even, [lane + step for lane in even]
