"""The values that the packages of serab exchange: frozen, typed, without I/O.

A plugin author needs `ExtractorSpec`, `DatasetSpec` or `ClassifierSpec` and the small protocols that go with it.
"""

from serab_core.types.arrays import SPLITS as SPLITS
from serab_core.types.arrays import CorpusState as CorpusState
from serab_core.types.arrays import Embeddings as Embeddings
from serab_core.types.arrays import Features as Features
from serab_core.types.arrays import GridValue as GridValue
from serab_core.types.arrays import Labels as Labels
from serab_core.types.arrays import Params as Params
from serab_core.types.arrays import Split as Split
from serab_core.types.arrays import Waveform as Waveform
from serab_core.types.classifiers import ClassifierSpec as ClassifierSpec
from serab_core.types.classifiers import Examples as Examples
from serab_core.types.classifiers import Exported as Exported
from serab_core.types.classifiers import PointError as PointError
from serab_core.types.classifiers import Predictor as Predictor
from serab_core.types.classifiers import Prepare as Prepare
from serab_core.types.classifiers import Range as Range
from serab_core.types.classifiers import Workspace as Workspace
from serab_core.types.datasets import DatasetSpec as DatasetSpec
from serab_core.types.datasets import Entry as Entry
from serab_core.types.datasets import ExpectedAudio as ExpectedAudio
from serab_core.types.datasets import Fold as Fold
from serab_core.types.datasets import Index as Index
from serab_core.types.datasets import Notice as Notice
from serab_core.types.datasets import Skipped as Skipped
from serab_core.types.datasets import SourceFile as SourceFile
from serab_core.types.datasets import SplitVariant as SplitVariant
from serab_core.types.datasets import Task as Task
from serab_core.types.datasets import Utterance as Utterance
from serab_core.types.extractors import CorpusExtractor as CorpusExtractor
from serab_core.types.extractors import Extractor as Extractor
from serab_core.types.extractors import ExtractorSpec as ExtractorSpec
from serab_core.types.extractors import WarmExtractor as WarmExtractor
from serab_core.types.extractors import WeightFile as WeightFile
from serab_core.types.progress import Progress as Progress
from serab_core.types.results import CHOSEN_IN_EACH_FOLD as CHOSEN_IN_EACH_FOLD
from serab_core.types.results import DEFAULT_SEED as DEFAULT_SEED
from serab_core.types.results import ClassifierOutcome as ClassifierOutcome
from serab_core.types.results import Failure as Failure
from serab_core.types.results import FoldResult as FoldResult
from serab_core.types.results import Point as Point
from serab_core.types.results import Predictions as Predictions
from serab_core.types.results import ProtocolSpec as ProtocolSpec
from serab_core.types.results import Run as Run
from serab_core.types.results import TaskResult as TaskResult
from serab_core.types.sources import DownloadSource as DownloadSource
from serab_core.types.sources import ManualSource as ManualSource
from serab_core.types.sources import RemoteFile as RemoteFile
from serab_core.types.sources import Source as Source
from serab_core.types.sources import UrlSource as UrlSource
from serab_core.types.sources import ZenodoSource as ZenodoSource
