"""Evaluate speech emotion recognition embeddings on the SERAB benchmark.

Examples:
    >>> import serab
    >>> run = serab.evaluate(["mfcc-stats", "chance"], tasks=["demo"], progress=False)
    >>> run["mfcc-stats", "demo"].uar > run["chance", "demo"].uar
    True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core import __version__, api

if TYPE_CHECKING:
    from serab_core.api import Comparison as Comparison
    from serab_core.api import EvaluationError as EvaluationError
    from serab_core.api import Leaderboard as Leaderboard
    from serab_core.api import Result as Result
    from serab_core.api import Results as Results
    from serab_core.api import Run as Run
    from serab_core.api import SerabError as SerabError
    from serab_core.api import classifiers as classifiers
    from serab_core.api import compare as compare
    from serab_core.api import datasets as datasets
    from serab_core.api import evaluate as evaluate
    from serab_core.api import extractors as extractors
    from serab_core.api import fetch as fetch
    from serab_core.api import load_results as load_results
    from serab_core.api import prepare as prepare

__all__ = [
    "Comparison",
    "EvaluationError",
    "Leaderboard",
    "Result",
    "Results",
    "Run",
    "SerabError",
    "__version__",
    "classifiers",
    "compare",
    "datasets",
    "evaluate",
    "extractors",
    "fetch",
    "load_results",
    "prepare",
]


def __getattr__(name: str) -> Any:
    if name in api.__all__:
        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return list(__all__)
