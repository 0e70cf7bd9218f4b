"""What the paper's grids share."""

from __future__ import annotations

C_VALUES: tuple[float, ...] = tuple(float(f"1e{exponent}") for exponent in range(5, -6, -1))
"""1e5 down to 1e-5, eleven values."""
CLASS_WEIGHTS: tuple[str | None, ...] = ("balanced", None)
MAX_ITER = 10_000
