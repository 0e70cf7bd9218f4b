"""Values that several of the paper's grids have in common."""

from __future__ import annotations

C_VALUES: tuple[float, ...] = tuple(float(f"1e{exponent}") for exponent in range(5, -6, -1))
"""Eleven values from 1e5 down to 1e-5."""
CLASS_WEIGHTS: tuple[str | None, ...] = ("balanced", None)
MAX_ITER = 10_000  # iterations of libsvm, as in the released code
