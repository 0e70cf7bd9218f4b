"""serab: a plugin-based benchmark harness for speech emotion recognition.

The names below are the public surface for plugin authors. They are resolved on first use, so that `import serab_core`
costs nothing and `serab --help` loads no numerical library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serab_core.data.naming import index_by_name
    from serab_core.errors import SerabError
    from serab_core.hookspecs import hookimpl
    from serab_core.tune.plain import estimator_workspace
    from serab_core.types import (
        ClassifierSpec,
        CorpusExtractor,
        DatasetSpec,
        Embeddings,
        Entry,
        Examples,
        Extractor,
        ExtractorSpec,
        Index,
        PointError,
        Predictions,
        Run,
        Skipped,
        SourceFile,
        SplitVariant,
        TaskResult,
        Utterance,
        Waveform,
        WeightFile,
    )

__version__ = "0.1.0"

_HOMES = {
    "index_by_name": "serab_core.data.naming",
    "SerabError": "serab_core.errors",
    "hookimpl": "serab_core.hookspecs",
    "estimator_workspace": "serab_core.tune.plain",
    **dict.fromkeys(
        (
            "ClassifierSpec",
            "CorpusExtractor",
            "DatasetSpec",
            "Embeddings",
            "Entry",
            "Examples",
            "Extractor",
            "ExtractorSpec",
            "Index",
            "PointError",
            "Predictions",
            "Run",
            "Skipped",
            "SourceFile",
            "SplitVariant",
            "TaskResult",
            "Utterance",
            "Waveform",
            "WeightFile",
        ),
        "serab_core.types",
    ),
}

__all__ = [
    "ClassifierSpec",
    "CorpusExtractor",
    "DatasetSpec",
    "Embeddings",
    "Entry",
    "Examples",
    "Extractor",
    "ExtractorSpec",
    "Index",
    "PointError",
    "Predictions",
    "Run",
    "SerabError",
    "Skipped",
    "SourceFile",
    "SplitVariant",
    "TaskResult",
    "Utterance",
    "Waveform",
    "WeightFile",
    "__version__",
    "estimator_workspace",
    "hookimpl",
    "index_by_name",
]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(home), name)
