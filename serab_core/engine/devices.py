"""Whether this machine has the GPU that an extractor is asked to compute on."""

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
    """Check that the GPUs are here which extractors are asked to use.

    Args:
        extractors: names with their options, such as `byol-a+device=cuda:1`.

    Raises:
        UsageError: one is not here.
    """
    for name in extractors:
        match = _DEVICE.search(name)
        if match is None:
            continue
        count, wanted = cuda_devices(), int(match[1] or 0)
        if count is not None and wanted >= count:
            problem = f"no CUDA GPU with number {wanted} here; there is {count}" if count else "no CUDA GPU here"
            raise UsageError(
                problem,
                where=name,
                next_step="compute on the processor: --device cpu"
                if not count
                else f"take one from cuda:0 to cuda:{count - 1}, or --device cpu",
            )


@cache
def cuda_devices() -> int | None:
    """Return the number of CUDA devices as NVIDIA's driver reports them; None where the system cannot tell.

    The driver is asked, for torch may be installed in an environment of the plugin only, and takes seconds to import.
    """
    if Path("/dev/kfd").exists():  # AMD's, which torch calls cuda too
        return None
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
        return count.value
    except (OSError, AttributeError):
        return 0
