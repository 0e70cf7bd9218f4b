"""Evaluate speech emotion recognition embeddings on the SERAB benchmark.

Examples:
    >>> import serab
    >>> run = serab.evaluate(["mfcc-stats", "chance"], tasks=["demo"], progress=False)
    >>> run["mfcc-stats", "demo"].uar > run["chance", "demo"].uar
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core import __version__ as __version__
from serab_core import api

if TYPE_CHECKING:
    from serab_core.api import *  # noqa: F403  its imports are the names of this package

__all__ = sorted((*api.__all__, "__version__"))


def __getattr__(name: str) -> Any:
    if name in api.__all__:
        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
