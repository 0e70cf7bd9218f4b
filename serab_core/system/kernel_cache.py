"""Compiles kernels once for a processor, and keeps the result on disk.

The folder is named by everything that the machine code depends on: the kernels' sources, Numba, LLVM and the processor.
Where it cannot be written, the kernels are compiled anew in each process.
"""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import contextmanager
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from serab_core.errors import ConfigError
from serab_core.system.lifecycle import ignore_numba_file
from serab_core.system.locks import exclusive
from serab_core.system.ownership import untrusted_reason

ignore_numba_file()

import llvmlite.binding  # noqa: E402
import numba  # noqa: E402
from numba import config  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE = "SERAB_KERNEL_CACHE"


@cache
def _processor() -> str:
    features = llvmlite.binding.get_host_cpu_features().flatten()
    features_digest = hashlib.sha256(features.encode()).hexdigest()[:8]
    name = llvmlite.binding.get_host_cpu_name()
    return f"{name}-{features_digest}-numba{version('numba')}-llvmlite{version('llvmlite')}"


class Kernels:
    """A family of kernels that is compiled together.

    Args:
        name: what to call it on the disk and in messages.
        sources: files whose change makes the compiled code stale.
    """

    def __init__(self, name: str, *sources: Path) -> None:
        self._name, self._sources = name, sources

    @cached_property
    def folder(self) -> Path:
        """Where the machine code for this processor is kept; `SERAB_KERNEL_CACHE` names another parent."""
        parent = Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("serab", appauthor=False)) / "kernels"
        sources_digest = hashlib.sha256()
        for path in self._sources:
            sources_digest.update(path.read_bytes())
        return parent / f"{self._name}-{_processor()}-{sources_digest.hexdigest()[:16]}"

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Around the definitions of the kernels: says what takes so long, and lets one process do it for all.

        Raises:
            ConfigError: Numba's compiling is switched off.
        """
        if config.DISABLE_JIT:
            raise ConfigError(
                f"Numba's compiling is switched off, and serab's kernels ({self._name}) are compiled by it",
                where="NUMBA_DISABLE_JIT",
                next_step="unset it, or remove disable_jit from the file .numba_config.yaml in the working folder",
            )
        if not self._cached:
            text = f"serab: compiling its kernels ({self._name}), anew in each process: {self._obstacle}"
            print(text, file=sys.stderr)  # noqa: T201
            yield
            return
        with exclusive(self.folder / "lock"):
            marker = self.folder / "done"
            if not marker.exists():
                text = f"serab: compiling its kernels ({self._name}) for this processor, once"
                print(text, file=sys.stderr)  # noqa: T201
            yield
            marker.touch()

    def compiled(self, signature: str) -> Callable[[Callable[..., Any]], Any]:
        """Compiles a function of the sources for one signature, or loads it from the cache."""

        def wrap(function: Callable[..., Any]) -> Any:
            if not self._cached:
                return numba.njit(signature, nogil=True)(function)
            try:
                return self._with_cache(signature, function)
            except Exception:  # what unpickling a damaged file raises is any of a dozen kinds
                for path in self.folder.rglob("*.nb[ic]"):
                    path.unlink(missing_ok=True)
                return self._with_cache(signature, function)

        return wrap

    @property
    def _cached(self) -> bool:
        return not self._obstacle

    @cached_property
    def _obstacle(self) -> str:
        """Why the cache is not used; "" where it is. Numba's files are pickles: who can write them can run code."""
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.folder, self.folder.parent):
                if reason := untrusted_reason(folder):
                    return f"{folder} {reason}; chmod go-w makes it yours alone, {VARIABLE} names another place"
        except OSError:
            return "no cache can be written"
        return "" if os.access(self.folder, os.W_OK) else "no cache can be written"

    def _with_cache(self, signature: str, function: Callable[..., Any]) -> Any:
        """Numba reads its setting for the folder where a function is decorated: it is ours for that moment only."""
        before = config.CACHE_DIR
        config.CACHE_DIR = str(self.folder)
        try:
            return numba.njit(signature, nogil=True, cache=True)(function)
        finally:
            config.CACHE_DIR = before
