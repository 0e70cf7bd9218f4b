"""The jobs of a run: independent units of work, as frozen data that an executor can send to any process."""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from serab_core import plugins
from serab_core.embed.blocks import Block, cut_blocks, read_blocks
from serab_core.embed.embedder import REPEATED_UTTERANCES, Throughput, embed_block, fit_corpus, repeat_block, warm
from serab_core.engine.process_state import preserve_process_state
from serab_core.engine.worker import report, working
from serab_core.errors import SerabError
from serab_core.run.identity import require_same_classifier
from serab_core.score.metrics import OBJECTIVES
from serab_core.score.outcome import build_outcome
from serab_core.store.home import Home
from serab_core.store.jsonio import digest
from serab_core.store.results import journal_path, outcome_path, write_outcome
from serab_core.store.shards import shard_digest
from serab_core.system import offline
from serab_core.system.session import current_session
from serab_core.system.timing import measure_times, timed
from serab_core.tune.classifier import StudyIdentity, normalised, tune_classifier
from serab_core.tune.layers import best_layer
from serab_core.tune.studies import StudyRecord, write_study_record
from serab_core.types import ClassifierOutcome, CorpusState, ProtocolSpec, Task, Utterance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.tune.layers import Tuned
    from serab_core.types import Features

logger = logging.getLogger("serab.run")
_Value = TypeVar("_Value", covariant=True)
Phase = Literal["", "embed", "tune"]


@dataclass(frozen=True, slots=True)
class Source:
    """The embeddings of one extractor on one task: everything needed to find or compute them.

    Attributes:
        home: folder of the home.
        extractor: name of the extractor in the registry.
        fingerprint: digest of the fingerprint of the extractor.
        state: corpus statistics, for an extractor that uses them.
        layers: names of the layers, if an embedding concatenates several.
    """

    home: str
    extractor: str
    fingerprint: str
    task: Task
    state: CorpusState | None = None
    layers: tuple[str, ...] = ()

    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks of the task."""
        return cut_blocks(Home(Path(self.home)), self.task, self.fingerprint, self.state)

    @property
    def embeddings_id(self) -> str:
        """The identity of the embeddings: a digest of everything that they depend on."""
        if self.state is None:
            return self.fingerprint
        return digest([self.fingerprint, dict(self.state)])


@dataclass(frozen=True, slots=True)
class Finished(Generic[_Value]):
    """The return value of a job, with its time.

    Attributes:
        value: the return value of `Job.work`.
        seconds: time by phase; `system.timing` defines the phases.
    """

    value: _Value
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Job(ABC):
    """A unit of work. Subclasses are plain data: a worker process gets a pickled copy.

    Attributes:
        phase: the phase to which the job reports progress; "" for none.
    """

    phase: ClassVar[Phase] = ""

    @property
    @abstractmethod
    def label(self) -> str:
        """A name for messages, such as `tuning of svc`."""

    @property
    def steps(self) -> int:
        """The total number of steps that the job reports."""
        return 0

    @abstractmethod
    def work(self) -> Any:
        """Do the work in this process."""

    def run(self) -> Finished[Any]:
        """Do the work and measure its time; meanwhile the worker counts as busy.

        Raises:
            SerabError: the work failed.
            OfflineError: a plugin used the network in offline mode.
        """
        offline.forget_attempts()
        with working(), preserve_process_state(), measure_times() as times:
            value = self.work()
        offline.raise_attempts()
        logger.debug("%s took %.2f s", self.label, sum(times.seconds.values()))
        return Finished(value, times.seconds)

    def audio(self) -> Sequence[Utterance]:
        """Return the utterances whose audio files the job reads."""
        return ()

    def reads(self) -> Sequence[Path]:
        """Return the files of the home that the job reads, whether or not they exist."""
        return ()

    def relocated(self, home: Path, audio: Mapping[str, Path]) -> Job:
        """Return the job with the paths of another machine.

        Args:
            home: the home on that machine.
            audio: audio files on that machine by SHA-256 of their samples; other files keep their paths.
        """
        return self


@dataclass(frozen=True, slots=True)
class WarmJob(Job):
    """Load the libraries and weights of an extractor in an idle worker."""

    extractor: str

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        return f"loading of {self.extractor}"

    def work(self) -> None:
        """Load them; a failure is ignored here, because the first block will report it."""
        with contextlib.suppress(SerabError):
            warm(self.extractor)


@dataclass(frozen=True, slots=True)
class FitJob(Job):
    """Compute an extractor's corpus statistics from the training split."""

    extractor: str
    train: tuple[Utterance, ...]

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        return f"corpus statistics of {self.extractor}"

    def work(self) -> CorpusState:
        """Return the statistics."""
        return fit_corpus(self.extractor, self.train)

    def audio(self) -> Sequence[Utterance]:
        """Return the utterances that the job embeds."""
        return self.train

    def relocated(self, home: Path, audio: Mapping[str, Path]) -> FitJob:
        """Return the job with the paths of another machine."""
        return replace(self, train=_relocated(self.train, audio))


@dataclass(frozen=True, slots=True)
class EmbedJob(Job):
    """Embed one block into its shard."""

    extractor: str
    fingerprint: str
    block: Block
    state: CorpusState | None
    phase: ClassVar[Phase] = "embed"

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        return f"embedding with {self.extractor}"

    @property
    def steps(self) -> int:
        """The number of utterances in the block."""
        return len(self.block.utterances)

    def work(self) -> Throughput:
        """Embed the block, and return the throughput."""
        return embed_block(self.extractor, self.fingerprint, self.block, self.state, partial(report, self.phase))

    def audio(self) -> Sequence[Utterance]:
        """Return the utterances that the job embeds."""
        return self.block.utterances

    def relocated(self, home: Path, audio: Mapping[str, Path]) -> EmbedJob:
        """Return the job with the paths of another machine."""
        return replace(self, block=_relocated_block(self.block, home, audio))


@dataclass(frozen=True, slots=True)
class RepeatJob(Job):
    """Embed a few utterances a second time, and compare the embeddings with the stored ones.

    Attributes:
        blocks: blocks to choose from, each with the id of the process that embedded it (0 for an earlier run).
    """

    extractor: str
    fingerprint: str
    blocks: tuple[tuple[Block, int], ...]
    state: CorpusState | None

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        return f"second embedding with {self.extractor}"

    def work(self) -> None:
        """Compare the embeddings. Raises ExtractorError if they differ."""
        repeat_block(self.extractor, self.fingerprint, self.blocks, self.state)

    def audio(self) -> Sequence[Utterance]:
        """Return the utterances that the job embeds."""
        return [utterance for block, _ in self.blocks for utterance in block.utterances[:REPEATED_UTTERANCES]]

    def reads(self) -> Sequence[Path]:
        """Return the files of the shards."""
        return [path for block, _ in self.blocks for path in (block.shard.path, block.shard.manifest)]

    def relocated(self, home: Path, audio: Mapping[str, Path]) -> RepeatJob:
        """Return the job with the paths of another machine."""
        blocks = tuple((_relocated_block(block, home, audio), process) for block, process in self.blocks)
        return replace(self, blocks=blocks)


@dataclass(frozen=True, slots=True)
class TuneJob(Job):
    """Tune, refit and test one classifier, and store its outcome.

    Attributes:
        protocol: the protocol, with the number of trials of this classifier.
        identity: the identity of the study.
        grid_size: number of points of one search.
    """

    classifier: str
    protocol: ProtocolSpec
    source: Source
    identity: StudyIdentity
    grid_size: int
    phase: ClassVar[Phase] = "tune"

    @property
    def label(self) -> str:
        """The name of the job in messages."""
        return f"tuning of {self.classifier}"

    @property
    def steps(self) -> int:
        """The number of points over all layers."""
        return self.grid_size * max(1, len(self.source.layers))

    def work(self) -> ClassifierOutcome:
        """Tune the classifier, store the outcome and return it."""
        source, protocol = self.source, self.protocol
        home = Home(Path(source.home))
        spec = plugins.classifier(self.classifier)
        require_same_classifier(spec, self.identity)
        record = StudyRecord.of(source.extractor, source.task, protocol, spec, self.identity, self.steps)
        write_study_record(home, record)

        def tune(features: Features, layer: str = "") -> Tuned:
            return tune_classifier(
                spec,
                protocol,
                source.task,
                features,
                OBJECTIVES[protocol.objective],
                journal=journal_path(home, self.identity.journal(layer)),
                advance=partial(report, self.phase),
            )

        features = _features(source, protocol)
        with timed("tune"):
            points, best, test = best_layer(features, source.layers, tune) if source.layers else tune(features)
        outcome = build_outcome(spec, points, best, test)
        with timed("store"):
            write_outcome(outcome_path(home, self.identity.study), outcome, self.identity.fields)
        return outcome

    def reads(self) -> Sequence[Path]:
        """Return the files of the embeddings and the journals of the search."""
        shards = [path for block in self.source.blocks() for path in (block.shard.path, block.shard.manifest)]
        return [*shards, *self.journals()]

    def journals(self) -> list[Path]:
        """Return the files in which trials are stored: one for each layer that is searched."""
        home = Home(Path(self.source.home))
        return [journal_path(home, self.identity.journal(layer)) for layer in self.source.layers or ("",)]

    def relocated(self, home: Path, audio: Mapping[str, Path]) -> TuneJob:
        """Return the job with the paths of another machine."""
        return replace(self, source=replace(self.source, home=str(home)))


def _relocated(utterances: tuple[Utterance, ...], audio: Mapping[str, Path]) -> tuple[Utterance, ...]:
    return tuple(
        replace(utterance, path=str(audio[utterance.sha256])) if utterance.sha256 in audio else utterance
        for utterance in utterances
    )


def _relocated_block(block: Block, home: Path, audio: Mapping[str, Path]) -> Block:
    shard = replace(block.shard, folder=Home(home).embeddings / block.shard.folder.name)
    return Block(_relocated(block.utterances, audio), shard)


def _features(source: Source, protocol: ProtocolSpec) -> Features:
    """Return the features of the task.

    The last features stay in memory, because a worker usually gets several classifiers of one task in a row.
    """
    blocks = source.blocks()
    shards = digest([shard_digest(block.shard) for block in blocks])  # `--fresh` replaces shards under the same names
    key = (shards, source.task.digest, source.task.audio_digest, protocol.normalisation)
    last: dict[tuple[str, ...], Features] = current_session().cached("features", dict)
    if key not in last:
        last.clear()
        with timed("store"):
            embeddings = read_blocks(blocks)
        with timed("tune"):
            last[key] = normalised(source.task, embeddings, protocol)
    return last[key]
