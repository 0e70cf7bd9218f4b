"""The public interface for plugins. All other names of serab may change in any release.

A plugin is a module with functions that are marked by `hookimpl`. Each function registers specs:

    from serab_core.plugin import ExtractorSpec, Register, hookimpl

    @hookimpl
    def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
        register(ExtractorSpec(name="my-model", factory=MyModel, dim=512, sample_rate=16_000))

The names are loaded at first use, so that the import of this module is fast. They belong to these groups:

- **Hooks and specs**: `hookimpl`, `Register`, `ExtractorSpec`, `WeightFile`, `DatasetSpec`, `SplitVariant`,
  `ExpectedAudio`, `SourceFile`, `Entry`, `Index`, `Skipped`, `ClassifierSpec`, `Range`, `Exported`.
- **What plugins implement**: `Extractor`, `CorpusExtractor`, `WarmExtractor`, `Workspace`, `Predictor`.
- **Arrays and values**: `Waveform`, `Embeddings`, `Features`, `Labels`, `Examples`, `Predictions`, `Params`,
  `GridValue`, `CorpusState`.
- **Results**, for trackers: `Run`, `TaskResult`, `Utterance`.
- **Errors**: `SerabError`, `UsageError`, `DataError`, `AudioError`, `StoreError`, `WeightsError`, `ExtractorError`,
  `InterruptedRunError`, `PointError`, `ContentError`, and `store_error`, which converts an `OSError`; `command` and
  `option`, which write a command or an option into a message as the user would type it.
- **Audio**: `decode`, `resample`, `log_mel`, `log_mels`, `torch_log_mels`, `LogMelSpec`, `PatchSpec`, `fill_up`, and
  the published log-mel parameters `SERAB`, `VGGISH`, `VGGISH_PATCHES`, `YAMNET_PATCHES`.
- **Corpora**: `index_by_name`, `load_corpus`, `find_protocol`, `normalised`.
- **Plugins by name**: `get_extractor`, `get_dataset`, `get_classifier`, `fit_corpus`, `known_state`,
  `estimator_workspace`.
- **Weights**: `weights_path`, `require_weights`, `require_intact`, `require_no_pointer`, `POINTER_BYTES`,
  `known_sha256`, `known_content_sha256`, `file_sha256`.
- **Files**: `find_home`, `absolute_path`, `working_folder`, `replacing`, `replacing_folder`, `write_bytes`,
  `write_output`, `read_document`, `write_document`, `digest`, `sweep`, `exclusive`, `FOLDER_FILE`, `FOLDER_SCHEMA`.
  A document is a `msgspec.Struct` with a field `schema`.
- **Processes and kernels**: `available_cores`, `free_cores`, `Kernels`, `worker_context`, `Process`, `serve`, `answer`,
  `RemoteError`.
- **Commands**: `stdout`, `stderr`, `print_json`, `table`, `progress_on`, `Progress`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serab_core.audio.decode import decode as decode
    from serab_core.audio.mel import SERAB as SERAB
    from serab_core.audio.mel import VGGISH as VGGISH
    from serab_core.audio.mel import LogMelSpec as LogMelSpec
    from serab_core.audio.mel import PatchSpec as PatchSpec
    from serab_core.audio.mel import log_mel as log_mel
    from serab_core.audio.mel import log_mels as log_mels
    from serab_core.audio.mel.patches import VGGISH_PATCHES as VGGISH_PATCHES
    from serab_core.audio.mel.patches import YAMNET_PATCHES as YAMNET_PATCHES
    from serab_core.audio.mel.patches import fill_up as fill_up
    from serab_core.audio.mel.torchaudio_ import torch_log_mels as torch_log_mels
    from serab_core.audio.pointers import POINTER_BYTES as POINTER_BYTES
    from serab_core.audio.resample import resample as resample
    from serab_core.cli.output import print_json as print_json
    from serab_core.cli.output import stderr as stderr
    from serab_core.cli.output import stdout as stdout
    from serab_core.data.naming import index_by_name as index_by_name
    from serab_core.data.protocols import find_protocol as find_protocol
    from serab_core.embed.corpus import known_state as known_state
    from serab_core.embed.embedder import fit_corpus as fit_corpus
    from serab_core.engine.worker_context import worker_context as worker_context
    from serab_core.errors import AudioError as AudioError
    from serab_core.errors import ContentError as ContentError
    from serab_core.errors import DataError as DataError
    from serab_core.errors import ExtractorError as ExtractorError
    from serab_core.errors import InterruptedRunError as InterruptedRunError
    from serab_core.errors import SerabError as SerabError
    from serab_core.errors import StoreError as StoreError
    from serab_core.errors import UsageError as UsageError
    from serab_core.errors import WeightsError as WeightsError
    from serab_core.errors import store_error as store_error
    from serab_core.hookspecs import Register as Register
    from serab_core.hookspecs import hookimpl as hookimpl
    from serab_core.isolation.messages import RemoteError as RemoteError
    from serab_core.isolation.process import Process as Process
    from serab_core.isolation.server import answer as answer
    from serab_core.isolation.server import serve as serve
    from serab_core.names import FOLDER_FILE as FOLDER_FILE
    from serab_core.names import FOLDER_SCHEMA as FOLDER_SCHEMA
    from serab_core.report.progress import progress_on as progress_on
    from serab_core.report.tables import table as table
    from serab_core.settings import absolute_path as absolute_path
    from serab_core.settings import working_folder as working_folder
    from serab_core.store import codec as _codec
    from serab_core.store.atomic import replacing as replacing
    from serab_core.store.atomic import replacing_folder as replacing_folder
    from serab_core.store.atomic import write_bytes as write_bytes
    from serab_core.store.atomic import write_output as write_output
    from serab_core.store.digests import known_content_sha256 as known_content_sha256
    from serab_core.store.digests import known_sha256 as known_sha256
    from serab_core.store.home import find_home as find_home
    from serab_core.store.intact import require_intact as require_intact
    from serab_core.store.intact import require_no_pointer as require_no_pointer
    from serab_core.store.jsonio import digest as digest
    from serab_core.store.leftovers import sweep as sweep
    from serab_core.store.weights import file_sha256 as file_sha256
    from serab_core.store.weights import require_weights as require_weights
    from serab_core.store.weights import weights_path as weights_path
    from serab_core.system.cpu import available_cores as available_cores
    from serab_core.system.cpu import free_cores as free_cores
    from serab_core.system.hints import command as command
    from serab_core.system.hints import option as option
    from serab_core.system.kernel_cache import Kernels as Kernels
    from serab_core.system.locks import exclusive as exclusive
    from serab_core.tune.classifier import normalised as normalised
    from serab_core.tune.plain import estimator_workspace as estimator_workspace
    from serab_core.types import ClassifierSpec as ClassifierSpec
    from serab_core.types import CorpusExtractor as CorpusExtractor
    from serab_core.types import CorpusState as CorpusState
    from serab_core.types import DatasetSpec as DatasetSpec
    from serab_core.types import Embeddings as Embeddings
    from serab_core.types import Entry as Entry
    from serab_core.types import Examples as Examples
    from serab_core.types import ExpectedAudio as ExpectedAudio
    from serab_core.types import Exported as Exported
    from serab_core.types import Extractor as Extractor
    from serab_core.types import ExtractorSpec as ExtractorSpec
    from serab_core.types import Features as Features
    from serab_core.types import GridValue as GridValue
    from serab_core.types import Index as Index
    from serab_core.types import Labels as Labels
    from serab_core.types import ManualSource as ManualSource
    from serab_core.types import Params as Params
    from serab_core.types import PointError as PointError
    from serab_core.types import Predictions as Predictions
    from serab_core.types import Predictor as Predictor
    from serab_core.types import Progress as Progress
    from serab_core.types import Range as Range
    from serab_core.types import RemoteFile as RemoteFile
    from serab_core.types import Run as Run
    from serab_core.types import Skipped as Skipped
    from serab_core.types import SourceFile as SourceFile
    from serab_core.types import SplitVariant as SplitVariant
    from serab_core.types import TaskResult as TaskResult
    from serab_core.types import UrlSource as UrlSource
    from serab_core.types import Utterance as Utterance
    from serab_core.types import WarmExtractor as WarmExtractor
    from serab_core.types import Waveform as Waveform
    from serab_core.types import WeightFile as WeightFile
    from serab_core.types import Workspace as Workspace
    from serab_core.types import ZenodoSource as ZenodoSource

    read_document = _codec.read
    write_document = _codec.write

_NAMES = {
    "serab_core.audio.decode": "decode",
    "serab_core.audio.mel": "SERAB VGGISH LogMelSpec PatchSpec log_mel log_mels",
    "serab_core.audio.mel.patches": "VGGISH_PATCHES YAMNET_PATCHES fill_up",
    "serab_core.audio.mel.torchaudio_": "torch_log_mels",
    "serab_core.audio.pointers": "POINTER_BYTES",
    "serab_core.audio.resample": "resample",
    "serab_core.cli.output": "print_json stderr stdout",
    "serab_core.data.naming": "index_by_name",
    "serab_core.data.protocols": "find_protocol",
    "serab_core.embed.corpus": "known_state",
    "serab_core.embed.embedder": "fit_corpus",
    "serab_core.engine.worker_context": "worker_context",
    "serab_core.errors": (
        "AudioError ContentError DataError ExtractorError InterruptedRunError SerabError StoreError UsageError "
        "WeightsError store_error"
    ),
    "serab_core.hookspecs": "Register hookimpl",
    "serab_core.isolation.messages": "RemoteError",
    "serab_core.isolation.process": "Process",
    "serab_core.isolation.server": "answer serve",
    "serab_core.names": "FOLDER_FILE FOLDER_SCHEMA",
    "serab_core.report.progress": "progress_on",
    "serab_core.report.tables": "table",
    "serab_core.settings": "absolute_path working_folder",
    "serab_core.store.atomic": "replacing replacing_folder write_bytes write_output",
    "serab_core.store.digests": "known_content_sha256 known_sha256",
    "serab_core.store.home": "find_home",
    "serab_core.store.intact": "require_intact require_no_pointer",
    "serab_core.store.jsonio": "digest",
    "serab_core.store.leftovers": "sweep",
    "serab_core.store.weights": "file_sha256 require_weights weights_path",
    "serab_core.system.cpu": "available_cores free_cores",
    "serab_core.system.hints": "command option",
    "serab_core.system.kernel_cache": "Kernels",
    "serab_core.system.locks": "exclusive",
    "serab_core.tune.classifier": "normalised",
    "serab_core.tune.plain": "estimator_workspace",
    "serab_core.types": (
        "ClassifierSpec CorpusExtractor CorpusState DatasetSpec Embeddings Entry Examples "
        "ExpectedAudio Exported Extractor ExtractorSpec Features GridValue Index Labels ManualSource Params PointError "
        "Predictions Predictor Progress Range RemoteFile Run Skipped SourceFile SplitVariant TaskResult UrlSource "
        "Utterance WarmExtractor Waveform WeightFile Workspace ZenodoSource"
    ),
}
_SOURCES = {name: module for module, names in _NAMES.items() for name in names.split()} | {
    "load_corpus": "serab_core.data.prepared:load",
    "get_classifier": "serab_core.plugins:classifier",
    "get_dataset": "serab_core.plugins:dataset_or_none",
    "get_extractor": "serab_core.plugins:extractor",
    "read_document": "serab_core.store.codec:read",
    "write_document": "serab_core.store.codec:write",
}

__all__ = sorted(_SOURCES)


def __getattr__(name: str) -> Any:
    try:
        module, _, attribute = _SOURCES[name].partition(":")
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(importlib.import_module(module), attribute or name)


def __dir__() -> list[str]:
    return __all__
