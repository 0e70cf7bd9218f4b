"""The values that the packages of serab exchange: frozen, typed, without I/O.

A plugin author needs `ExtractorSpec`, `DatasetSpec` or `ClassifierSpec` and the small protocols that go with it.
"""

from serab_core.types.arrays import (
    SPLITS,
    CorpusState,
    Embeddings,
    Features,
    GridValue,
    Labels,
    Params,
    Split,
    Waveform,
)
from serab_core.types.classifiers import (
    ClassifierSpec,
    Examples,
    Exported,
    PointError,
    Predictor,
    Prepare,
    Range,
    Workspace,
)
from serab_core.types.datasets import (
    DatasetSpec,
    Entry,
    ExpectedAudio,
    Index,
    Notice,
    Skipped,
    SourceFile,
    SplitVariant,
    Task,
    Utterance,
)
from serab_core.types.extractors import CorpusExtractor, Extractor, ExtractorSpec, WarmExtractor, WeightFile
from serab_core.types.progress import Progress
from serab_core.types.results import (
    ClassifierOutcome,
    Failure,
    Point,
    Predictions,
    ProtocolSpec,
    Run,
    TaskResult,
)

__all__ = [
    "SPLITS",
    "ClassifierOutcome",
    "ClassifierSpec",
    "CorpusExtractor",
    "CorpusState",
    "DatasetSpec",
    "Embeddings",
    "Entry",
    "Examples",
    "ExpectedAudio",
    "Exported",
    "Extractor",
    "ExtractorSpec",
    "Failure",
    "Features",
    "GridValue",
    "Index",
    "Labels",
    "Notice",
    "Params",
    "Point",
    "PointError",
    "Predictions",
    "Predictor",
    "Prepare",
    "Progress",
    "ProtocolSpec",
    "Range",
    "Run",
    "Skipped",
    "SourceFile",
    "Split",
    "SplitVariant",
    "Task",
    "TaskResult",
    "Utterance",
    "WarmExtractor",
    "Waveform",
    "WeightFile",
    "Workspace",
]
