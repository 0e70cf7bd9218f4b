"""Compiles the kernels once for a processor, and keeps the result on disk.

The folder is named by everything that the machine code depends on: serab's sources, Numba, LLVM and the processor.
Where it cannot be written, the kernels are compiled anew in each process.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llvmlite.binding
import numba
import platformdirs
from numba import config

from serab_core.locks import alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE = "SERAB_KERNEL_CACHE"
_SOURCES = ("simd.py", "butterflies.py", "bands.py", "kernels.py")


@cache
def cache_folder() -> Path:
    """Where the machine code for this processor is kept; `SERAB_KERNEL_CACHE` names another parent."""
    parent = Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("serab", appauthor=False)) / "kernels"
    told = hashlib.sha256()
    for name in _SOURCES:
        told.update(Path(__file__).with_name(name).read_bytes())
    processor = llvmlite.binding.get_host_cpu_name()
    told.update(llvmlite.binding.get_host_cpu_features().flatten().encode())
    return parent / f"{processor}-numba{version('numba')}-llvmlite{version('llvmlite')}-{told.hexdigest()[:16]}"


@cache
def _cached() -> bool:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


@contextmanager
def compiling() -> Iterator[None]:
    """Around the definitions of the kernels: says what takes so long, and lets one process do it for all."""
    if not _cached():
        print("serab: compiling its kernels, anew in each process: no cache can be written", file=sys.stderr)  # noqa: T201
        yield
        return
    with alone(cache_folder() / "lock"):
        done = cache_folder() / "done"
        if not done.exists():
            print("serab: compiling its kernels for this processor, once", file=sys.stderr)  # noqa: T201
        yield
        done.touch()


def compiled(signature: str) -> Callable[[Callable[..., Any]], Any]:
    """Compiles a function of this module's package for one signature, or loads it from the cache."""

    def wrap(function: Callable[..., Any]) -> Any:
        if not _cached():
            return numba.njit(signature, nogil=True)(function)
        try:
            return _with_cache(signature, function)
        except Exception:  # what unpickling a damaged file raises is any of a dozen kinds
            for path in cache_folder().rglob("*.nb[ic]"):
                path.unlink(missing_ok=True)
            return _with_cache(signature, function)

    return wrap


def _with_cache(signature: str, function: Callable[..., Any]) -> Any:
    """Numba reads its setting for the folder where a function is decorated: it is ours for that moment only."""
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        return numba.njit(signature, nogil=True, cache=True)(function)
    finally:
        config.CACHE_DIR = before
