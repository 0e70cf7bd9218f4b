"""The compiled kernels of the random forest, as one family that is compiled together."""

from __future__ import annotations

from pathlib import Path

from serab_core.plugin import Kernels

KERNELS = Kernels("forest", Path(__file__).with_name("_tree_kernels.py"))
