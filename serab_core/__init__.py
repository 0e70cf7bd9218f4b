"""serab: a plugin-based benchmark harness for speech emotion recognition.

The names below are those of the package `serab`, and the public surface for plugin authors. They are resolved on first
use, so that `import serab_core` costs nothing and `serab --help` loads no numerical library.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from serab_core import api as _api

if TYPE_CHECKING:
    from serab_core.api import Comparison as Comparison
    from serab_core.api import EvaluationError as EvaluationError
    from serab_core.api import Leaderboard as Leaderboard
    from serab_core.api import Result as Result
    from serab_core.api import Results as Results
    from serab_core.api import Run as Run
    from serab_core.api import classifiers as classifiers
    from serab_core.api import compare as compare
    from serab_core.api import datasets as datasets
    from serab_core.api import evaluate as evaluate
    from serab_core.api import extractors as extractors
    from serab_core.api import load_results as load_results
    from serab_core.api import prepare as prepare
    from serab_core.data.naming import index_by_name as index_by_name
    from serab_core.errors import DataError as DataError
    from serab_core.errors import SerabError as SerabError
    from serab_core.hookspecs import hookimpl as hookimpl
    from serab_core.store.weights import weights_path as weights_path
    from serab_core.system.cpu import free_cores as free_cores
    from serab_core.tune.plain import estimator_workspace as estimator_workspace
    from serab_core.types import ClassifierSpec as ClassifierSpec
    from serab_core.types import CorpusExtractor as CorpusExtractor
    from serab_core.types import DatasetSpec as DatasetSpec
    from serab_core.types import Embeddings as Embeddings
    from serab_core.types import Entry as Entry
    from serab_core.types import Examples as Examples
    from serab_core.types import ExpectedAudio as ExpectedAudio
    from serab_core.types import Exported as Exported
    from serab_core.types import Extractor as Extractor
    from serab_core.types import ExtractorSpec as ExtractorSpec
    from serab_core.types import Index as Index
    from serab_core.types import PointError as PointError
    from serab_core.types import Predictions as Predictions
    from serab_core.types import Range as Range
    from serab_core.types import Skipped as Skipped
    from serab_core.types import SourceFile as SourceFile
    from serab_core.types import SplitVariant as SplitVariant
    from serab_core.types import TaskResult as TaskResult
    from serab_core.types import Utterance as Utterance
    from serab_core.types import Waveform as Waveform
    from serab_core.types import WeightFile as WeightFile

__version__ = "0.1.0"

_TYPES = [
    "ClassifierSpec",
    "CorpusExtractor",
    "DatasetSpec",
    "Embeddings",
    "Entry",
    "Examples",
    "ExpectedAudio",
    "Exported",
    "Extractor",
    "ExtractorSpec",
    "Index",
    "PointError",
    "Predictions",
    "Range",
    "Skipped",
    "SourceFile",
    "SplitVariant",
    "TaskResult",
    "Utterance",
    "Waveform",
    "WeightFile",
]
_HOMES = {
    "free_cores": "serab_core.system.cpu",
    "index_by_name": "serab_core.data.naming",
    "DataError": "serab_core.errors",
    "hookimpl": "serab_core.hookspecs",
    "weights_path": "serab_core.store.weights",
    "estimator_workspace": "serab_core.tune.plain",
    **dict.fromkeys(_TYPES, "serab_core.types"),
    **dict.fromkeys(_api.__all__, "serab_core.api"),
}

__all__ = sorted((*_HOMES, "__version__"))


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(home), name)
