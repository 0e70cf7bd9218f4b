"""The kernels of the log-mel as a family, which is compiled and cached together."""

from __future__ import annotations

from pathlib import Path

from serab_core.system.kernel_cache import Kernels

SOURCES = ("simd.py", "butterflies.py", "bands.py", "kernels.py")
KERNELS = Kernels("log-mel", *(Path(__file__).with_name(name) for name in SOURCES))
