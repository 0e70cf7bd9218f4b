"""What the paper's grids share."""

from __future__ import annotations

import numpy as np

C_VALUES: tuple[float, ...] = tuple(float(c) for c in np.logspace(5, -5, num=11))
"""1e5 down to 1e-5, eleven values."""
CLASS_WEIGHTS: tuple[str | None, ...] = ("balanced", None)
MAX_ITER = 10_000
