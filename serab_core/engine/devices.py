"""Checks that this machine has the GPUs that the options of extractors name."""

from __future__ import annotations

import ctypes
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEVICE = re.compile(r"\+device=cuda(?::(\d+))?(?=\+|$)")


def require_devices(extractors: Iterable[str]) -> None:
    """Check that the GPUs that the options of extractors name exist.

    Args:
        extractors: names with their options, such as `byol-a+device=cuda:1`.

    Raises:
        UsageError: one does not exist.
    """
    for name in extractors:
        match = _DEVICE.search(name)
        if match is None:
            continue
        count, wanted = cuda_devices(), int(match[1] or 0)
        if count is not None and wanted >= count:
            problem = f"no CUDA GPU with number {wanted} here; GPUs here: {count}" if count else "no CUDA GPU here"
            raise UsageError(
                problem,
                where=name,
                next_step="choose the device cpu"
                if not count
                else f"choose one of the devices cuda:0 to cuda:{count - 1}, or cpu",
            )


@cache
def cuda_devices() -> int | None:
    """Return the number of CUDA devices that NVIDIA's driver reports; None if it is unknown.

    The driver is used and not torch, because torch may be installed in the plugin's isolated environment only, and
    takes seconds to import.
    """
    if Path("/dev/kfd").exists():  # an AMD GPU, which torch calls cuda too
        return None
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
        return count.value
    except (OSError, AttributeError):
        return 0
