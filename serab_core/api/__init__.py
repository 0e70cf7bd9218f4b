"""The Python interface of serab: `import serab`.

`__all__` lists every public name. A name is imported when it is first used: `import serab` loads no numerical library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from serab_core.api.hints import Python
from serab_core.system.hints import set_program_interface

if TYPE_CHECKING:
    from serab_core.api.boards import Comparison as Comparison
    from serab_core.api.boards import Leaderboard as Leaderboard
    from serab_core.api.boards import compare as compare
    from serab_core.api.corpora import classifiers as classifiers
    from serab_core.api.corpora import datasets as datasets
    from serab_core.api.corpora import extractors as extractors
    from serab_core.api.corpora import fetch as fetch
    from serab_core.api.corpora import prepare as prepare
    from serab_core.api.evaluation import EvaluationError as EvaluationError
    from serab_core.api.evaluation import evaluate as evaluate
    from serab_core.api.result import Result as Result
    from serab_core.api.results import Results as Results
    from serab_core.api.results import Run as Run
    from serab_core.api.results import load_results as load_results
    from serab_core.errors import SerabError as SerabError

MODULES = {
    "Comparison": "serab_core.api.boards",
    "EvaluationError": "serab_core.api.evaluation",
    "Leaderboard": "serab_core.api.boards",
    "Result": "serab_core.api.result",
    "Results": "serab_core.api.results",
    "Run": "serab_core.api.results",
    "SerabError": "serab_core.errors",
    "classifiers": "serab_core.api.corpora",
    "compare": "serab_core.api.boards",
    "datasets": "serab_core.api.corpora",
    "evaluate": "serab_core.api.evaluation",
    "extractors": "serab_core.api.corpora",
    "fetch": "serab_core.api.corpora",
    "load_results": "serab_core.api.results",
    "prepare": "serab_core.api.corpora",
}
__all__ = sorted(MODULES)
set_program_interface(Python())


def __getattr__(name: str) -> Any:
    try:
        module = MODULES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return list(__all__)
