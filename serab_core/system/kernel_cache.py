"""Compiles kernels once per type of processor, and caches the machine code on the disk.

The name of the folder contains everything that the machine code depends on: the sources of the kernels, Numba, LLVM
and the processor. If the folder cannot be written, each process compiles the kernels again.
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
    """A group of kernels that are compiled together.

    Args:
        name: the name of the group on the disk and in messages.
        sources: files that the compiled code depends on.
    """

    def __init__(self, name: str, *sources: Path) -> None:
        self._name, self._sources = name, sources

    @cached_property
    def folder(self) -> Path:
        """The folder of the machine code for this processor; `SERAB_KERNEL_CACHE` sets another parent folder."""
        parent = Path(os.environ.get(VARIABLE) or platformdirs.user_cache_dir("serab", appauthor=False)) / "kernels"
        sources_digest = hashlib.sha256()
        for path in self._sources:
            sources_digest.update(path.read_bytes())
        return parent / f"{self._name}-{_processor()}-{sources_digest.hexdigest()[:16]}"

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Use this around the definitions of the kernels: it reports a compilation, and locks out other processes.

        Raises:
            ConfigError: Numba's compilation is disabled.
        """
        if config.DISABLE_JIT:
            raise ConfigError(
                f"Numba's compilation is disabled, and serab's kernels ({self._name}) need it",
                where="NUMBA_DISABLE_JIT",
                next_step="unset it, or remove disable_jit from the file .numba_config.yaml in the working folder",
            )
        if not self._cached:
            text = f"serab: compiling its kernels ({self._name}), again in each process: {self._obstacle}"
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
        """Return a decorator that compiles a function for one signature, or loads it from the cache."""

        def wrap(function: Callable[..., Any]) -> Any:
            if not self._cached:
                return numba.njit(signature, nogil=True)(function)
            try:
                return self._with_cache(signature, function)
            except Exception:  # unpickling a damaged file may raise any exception
                for path in self.folder.rglob("*.nb[ic]"):
                    path.unlink(missing_ok=True)
                return self._with_cache(signature, function)

        return wrap

    @property
    def _cached(self) -> bool:
        return not self._obstacle

    @cached_property
    def _obstacle(self) -> str:
        """The reason why the cache is not used; "" if it is used.

        Numba's files are pickles: a user who can write them can run code in this process.
        """
        try:
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            for folder in (self.folder, self.folder.parent):
                if reason := untrusted_reason(folder):
                    return f"{folder} {reason}; run chmod go-w on it, or set {VARIABLE} to another folder"
        except OSError:
            return "no cache can be written"
        return "" if os.access(self.folder, os.W_OK) else "no cache can be written"

    def _with_cache(self, signature: str, function: Callable[..., Any]) -> Any:
        """Compile a function with the cache. Numba reads its setting for the folder when a function is decorated."""
        before = config.CACHE_DIR
        config.CACHE_DIR = str(self.folder)
        try:
            return numba.njit(signature, nogil=True, cache=True)(function)
        finally:
            config.CACHE_DIR = before
