"""An evaluation is one extractor on one task: the jobs that it still needs, their order, and the result."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from serab_core.data.protocols import for_targets
from serab_core.embed.blocks import folder_for, is_done
from serab_core.embed.corpus import known_state
from serab_core.embed.embedder import Throughput
from serab_core.errors import ContentError, ExtractorError, StoreError, store_error
from serab_core.run.assemble import assemble_result
from serab_core.run.identity import TaskIdentity, grid_sizes
from serab_core.run.jobs import EmbedJob, Finished, FitJob, Job, RepeatJob, Source, TuneJob
from serab_core.run.reuse import reusable_result
from serab_core.score.outcome import complete
from serab_core.store import codec
from serab_core.store.jsonio import digest, write_json
from serab_core.store.reading import file_exists
from serab_core.store.results import (
    outcome_path,
    read_outcome,
    result_path,
    write_result,
)
from serab_core.system.timing import sum_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serab_core.embed.blocks import Block
    from serab_core.run.identity import Study
    from serab_core.run.plan import Plan, PlannedExtractor
    from serab_core.types import ClassifierOutcome, CorpusState, Task, TaskResult

_REPEAT_CANDIDATES = 8  # blocks that a repeat job gets, so that it can choose one that another process embedded
_MAX_ATTEMPTS = 2  # retries after damaged shards, per evaluation; more damage points to a defective disk


Stage = Literal["fit", "embed", "repeat", "tune", "done"]
_STAGES: dict[type[Job], Stage] = {FitJob: "fit", EmbedJob: "embed", RepeatJob: "repeat", TuneJob: "tune"}


class StateDocument(msgspec.Struct, frozen=True):
    """The statistics that an extractor computed for a corpus."""

    schema: Literal["serab.corpus-state/1"]
    state: dict[str, int | float | list[int | float]]


class RepeatDocument(msgspec.Struct, frozen=True):
    """The note that a repeat job has confirmed the embeddings of a fingerprint."""

    schema: Literal["serab.repeat/1"]
    repeated: bool


@dataclass(slots=True)
class Evaluation:
    """The state of the evaluation of one extractor on one task.

    Attributes:
        plan: the plan of the run, with the protocol for the task's kind of target.
        source: the embeddings, with corpus statistics once they are known.
        outcomes: outcomes of finished studies by classifier.
        throughput: throughput of the blocks that this run embedded.
        seconds: time of finished jobs by phase.
        reused_work: whether an earlier run did a part of the work.
    """

    plan: Plan
    extractor: PlannedExtractor
    task: Task
    source: Source
    outcomes: dict[str, ClassifierOutcome] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    throughput: Throughput = field(default_factory=Throughput)
    seconds: dict[str, float] = field(default_factory=dict)
    reused_work: bool = False
    _running: list[Job] = field(default_factory=list)
    _written_by: dict[str, int] = field(default_factory=dict)  # id of the process that wrote each shard
    _attempts: int = 0
    _outcomes_loaded: bool = False
    _identity: TaskIdentity | None = None
    _blocks: tuple[Block, ...] | None = None

    @classmethod
    def of(cls, plan: Plan, extractor: PlannedExtractor, task: Task) -> Evaluation:
        """Return the evaluation, with the corpus statistics of an earlier run if they are stored."""
        if task.target:
            plan = replace(plan, protocol=for_targets(plan.protocol))
            extractor = replace(extractor, classifiers=extractor.regressors)
        spec = extractor.spec
        source = Source(str(plan.home.root), extractor.name, extractor.fingerprint, task, layers=spec.layers)
        known = known_state(spec, task.name.partition("/")[0]) if spec.uses_corpus else None
        evaluation = cls(plan, extractor, task, replace(source, state=known))
        if spec.uses_corpus and known is None and file_exists(evaluation._state_path):
            with suppress(ContentError):  # computed again, and overwritten
                evaluation.source = replace(source, state=codec.read(evaluation._state_path, StateDocument).state)
        return evaluation

    # --- stored work ---

    def stored_result(self) -> TaskResult | None:
        """Return the result of an earlier run with the same identity; None if there is none, or with `--fresh`.

        Raises:
            StoreError: the result file cannot be read.
        """
        if self.needs_fit or self.plan.fresh:
            return None
        return reusable_result(self.result_path, self.plan, self.task, self.notices)

    def discard(self) -> None:
        """Delete the stored work of the evaluation, except its result, which stays until the new one replaces it.

        Raises:
            StoreError: the home cannot be written.
        """
        paths = [self._state_path] if self.extractor.spec.uses_corpus and self.source.state is not None else []
        if not self.needs_fit:
            paths.append(self._repeat_path)
            for block in self._all_blocks():
                paths += [block.shard.manifest, block.shard.path]
            for study in self.identity.studies.values():
                paths.append(outcome_path(self.plan.home, study.identity.study))
                paths += self._tune_job(study).journals()
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise store_error(error, path, "deleted") from error
        if self.extractor.spec.uses_corpus:
            self._set_state(known_state(self.extractor.spec, self.task.name.partition("/")[0]))

    def utterances_to_embed(self) -> int:
        """Return the number of utterances without an embedding."""
        if self.needs_fit:
            return len(self.task.utterances)
        self._load_outcomes()
        if len(self.outcomes) == len(self.extractor.classifiers):
            return 0
        return sum(len(block.utterances) for block in self._missing_blocks())

    def points_to_tune(self) -> int:
        """Return the number of points in studies without an outcome."""
        if not self.needs_fit:
            self._load_outcomes()
        sizes = grid_sizes(self.extractor.classifiers, self.plan.protocol)
        layers = max(1, len(self.source.layers))
        return sum(size * layers for name, size in sizes.items() if name not in self.outcomes)

    @property
    def identity(self) -> TaskIdentity:
        """The identity of the result. If the extractor uses corpus statistics, they must be known."""
        if self._identity is None:
            assert not self.needs_fit
            self._identity = TaskIdentity.of(
                self.extractor.spec.name, self.extractor.classifiers, self.plan.protocol, self.source
            )
        return self._identity

    @property
    def result_path(self) -> Path:
        """The path of the stored result."""
        names = (self.extractor.spec.name, self.task.name, self.plan.protocol.name)
        return result_path(self.plan.home, *names, self.identity.key)

    # --- jobs ---

    def next_jobs(self) -> Iterator[Job]:
        """Yield the jobs that can start now: the corpus fit, then blocks, then the repeat job, then classifiers."""
        if self._running:
            return
        for job in list(self._ready()):
            self._running.append(job)
            yield job

    @property
    def stage(self) -> Stage:
        """The kind of the jobs that run, or that can start now. Raises StoreError."""
        if self._running:
            return _STAGES[type(self._running[0])]
        if self.needs_fit:
            return "fit"
        self._load_outcomes()
        if len(self.outcomes) == len(self.extractor.classifiers):
            return "done"
        if self._missing_blocks():
            return "embed"
        return "tune" if self._is_repeated else "repeat"

    def _ready(self) -> Iterator[Job]:
        name, fingerprint, state = self.extractor.name, self.extractor.fingerprint, self.source.state
        match self.stage:
            case "fit":
                yield FitJob(name, tuple(u for u in self.task.utterances if u.split == "train"))
            case "embed":
                yield from (EmbedJob(name, fingerprint, block, state) for block in self._missing_blocks())
            case "repeat":
                blocks = self._all_blocks()[:_REPEAT_CANDIDATES]
                written_by = tuple((block, self._written_by.get(block.shard.key, 0)) for block in blocks)
                yield RepeatJob(name, fingerprint, written_by, state)
            case "tune":  # the largest search first, so that it does not run alone at the end
                studies = [study for study in self.identity.studies.values() if study.spec.name not in self.outcomes]
                yield from sorted(map(self._tune_job, studies), key=lambda job: job.steps, reverse=True)

    def _tune_job(self, study: Study) -> TuneJob:
        return TuneJob(study.spec.name, study.protocol, self.source, study.identity, study.grid_size)

    def record(self, job: Job, finished: Finished[object]) -> None:
        """Record the return value of a job. Raises StoreError if it cannot be written."""
        self._end(job)
        self.seconds = sum_times(self.seconds, finished.seconds)
        match job, finished.value:
            case FitJob(), dict(state):
                write_json(self._state_path, {"schema": "serab.corpus-state/1", "state": state})
                self._set_state(state)
            case EmbedJob(), Throughput() as new:
                old = self.throughput
                self.throughput = Throughput(old.audio + new.audio, old.seconds + new.seconds)
                self._written_by[job.block.shard.key] = new.process
            case RepeatJob(), _:
                write_json(self._repeat_path, {"schema": "serab.repeat/1", "repeated": True})
            case TuneJob(), outcome:
                self.outcomes[job.classifier] = outcome  # type: ignore[assignment]

    def recovers(self, job: Job, error: Exception) -> bool:
        """Return whether to retry a failed job, because it read a damaged shard, which is in quarantine now."""
        self._end(job)
        if isinstance(job, RepeatJob) and isinstance(error, ExtractorError):
            with suppress(StoreError):
                self.discard()  # no stored embedding can be trusted
        if not isinstance(job, TuneJob | RepeatJob) or not isinstance(error, StoreError):
            return False
        if self._attempts >= _MAX_ATTEMPTS or (not self._missing_blocks() and not self._running):
            return False
        if not self._running:
            self._attempts += 1
        self._note_damage(error)
        return True

    def retries(self, error: StoreError) -> bool:
        """Return whether to retry a failed job once more, because another evaluation may have replaced its shard."""
        self._attempts += 1
        self._note_damage(error)
        return self._attempts <= _MAX_ATTEMPTS

    def _note_damage(self, error: StoreError) -> None:
        """Add a notice about a damaged shard. Other jobs then only find that there is no shard."""
        note = f"{error.where} {error.what}; it was put in quarantine and computed again."
        if isinstance(error, ContentError) and note not in self.notices:
            self.notices.append(note)

    @property
    def complete(self) -> bool:
        """Whether every classifier has an outcome."""
        return not self._running and len(self.outcomes) == len(self.extractor.classifiers)

    def finish(self) -> TaskResult:
        """Assemble the result and store it. Raises TuningError, StoreError."""
        outcomes = tuple(self.outcomes[spec.name] for spec in self.extractor.classifiers)
        result = assemble_result(
            self.plan,
            self.extractor,
            self.source,
            self.identity,
            outcomes,
            seconds=self.seconds,
            reused_work=self.reused_work,
        )
        write_result(self.result_path, result)
        return result

    # --- internal ---

    def _end(self, job: Job) -> None:
        self._running = [other for other in self._running if other is not job]

    def _set_state(self, state: CorpusState | None) -> None:
        self.source = replace(self.source, state=state)
        self._identity = self._blocks = None

    @property
    def needs_fit(self) -> bool:
        """Whether the corpus statistics that the extractor needs are not known yet."""
        return self.extractor.spec.uses_corpus and self.source.state is None

    @property
    def _state_path(self) -> Path:
        train = [u.sha256 for u in self.task.utterances if u.split == "train"]
        return folder_for(self.plan.home, self.extractor.fingerprint) / f"corpus-{digest(train)[:32]}.json"

    @property
    def _is_repeated(self) -> bool:
        """Whether a repeat job has already confirmed the embeddings of this fingerprint. Raises StoreError."""
        try:
            path = self._repeat_path
            return file_exists(path) and codec.read(path, RepeatDocument).repeated
        except ContentError:
            return False

    @property
    def _repeat_path(self) -> Path:
        return folder_for(self.plan.home, self.extractor.fingerprint) / "repeat.json"

    def _all_blocks(self) -> tuple[Block, ...]:
        if self._blocks is None:
            self._blocks = self.source.blocks()
        return self._blocks

    def _missing_blocks(self) -> Sequence[Block]:
        return [block for block in self._all_blocks() if not is_done(block)]

    def _load_outcomes(self) -> None:
        """Load the outcomes of studies that an earlier run finished; damaged outcomes are ignored."""
        if self._outcomes_loaded:
            return
        self._outcomes_loaded = True
        for name, study in self.identity.studies.items():
            path = outcome_path(self.plan.home, study.identity.study)
            with suppress(ContentError):
                if file_exists(path):
                    self.outcomes[name] = complete(read_outcome(path))
        self.reused_work = bool(self.outcomes) or len(self._missing_blocks()) < len(self._all_blocks())
