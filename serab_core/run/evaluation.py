"""One extractor on one task: which jobs it still needs, in what order, and its result once they are done."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serab_core import plugins
from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.data.protocols import for_targets
from serab_core.embed.blocks import folder_for, is_done
from serab_core.embed.corpus import known_state
from serab_core.embed.embedder import Pace
from serab_core.errors import ContentError, ExtractorError, StoreError, store_error
from serab_core.run.jobs import (
    EMBED,
    TUNE,
    Done,
    Source,
    classifier_identity,
    finished_outcome,
    journals_of,
    run_block,
    run_classifier,
    run_fit,
    run_repeat,
)
from serab_core.run.provenance import provenance
from serab_core.score.choose import choose
from serab_core.store.jsonio import digest, read_json, write_json
from serab_core.store.reading import file_exists
from serab_core.store.results import outcome_path, read_continuous, read_result, result_path, write_result
from serab_core.system.timing import added
from serab_core.tune.classifier import study_key
from serab_core.tune.points import grid_points
from serab_core.tune.wide import own_protocol
from serab_core.types import SPLITS, ContinuousResult, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from serab_core.run.plan import Plan, PlannedExtractor
    from serab_core.types import ClassifierOutcome, ClassifierSpec, ProtocolSpec, Task

_STATE_SCHEMA = "serab.corpus-state/1"
_REPEAT_SCHEMA = "serab.repeat/1"
_REPEAT_FROM = 8  # blocks among which one of another process is looked for
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Job:
    """A function for an executor. `name` is `fit`, a block's key or a classifier.

    Attributes:
        stage, steps: what it reports while it runs, all in all.
    """

    kind: str
    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    stage: str = ""
    steps: int = 0


def _sexes(task: str, speakers: Iterable[str]) -> dict[str, str]:
    """What the corpus declares of these speakers."""
    spec = plugins.dataset_or_none(task)
    declared = {} if spec is None else spec.speaker_sex
    return {speaker: declared[speaker] for speaker in sorted(set(speakers)) if speaker in declared}


@dataclass(slots=True)
class Pair:
    """The progress of one extractor on one task."""

    plan: Plan
    extractor: PlannedExtractor
    task: Task
    source: Source
    outcomes: dict[str, ClassifierOutcome] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    pace: Pace = field(default_factory=Pace)
    spent: dict[str, float] = field(default_factory=dict)
    _took_over: bool = False
    _open: set[str] = field(default_factory=set)
    _written_by: dict[str, int] = field(default_factory=dict)
    _tries: int = 0
    _planned: bool = False

    @classmethod
    def of(cls, plan: Plan, extractor: PlannedExtractor, task: Task) -> Pair:
        """The pair, with corpus statistics from an earlier run where there are any."""
        if task.target:
            plan = replace(plan, protocol=for_targets(plan.protocol))
            extractor = replace(extractor, classifiers=extractor.regressors)
        spec = extractor.spec
        source = Source(str(plan.home.root), extractor.name, extractor.fingerprint, task, layers=spec.layers)
        known = known_state(spec, task.name.partition("/")[0]) if spec.uses_corpus else None
        pair = cls(plan, extractor, task, replace(source, state=known))
        if spec.uses_corpus and known is None and file_exists(pair._state_path):
            try:
                state = read_json(pair._state_path, _STATE_SCHEMA)["state"]
                pair.source = replace(source, state=state)
            except (ContentError, KeyError):
                pass  # computed anew, and written over
        return pair

    # --- what is there already ---

    def stored_result(self) -> TaskResult | ContinuousResult | None:
        """The result of an earlier run with the same identity; None where everything is to be computed again.

        Raises:
            StoreError: there is one that cannot be read.
        """
        if self._needs_fit or self.plan.fresh:
            return None
        path = self.result_path
        try:
            if not file_exists(path):
                return None
            found = self._with_cautions(read_continuous(path) if self.task.target else read_result(path))
        except ContentError as error:
            self.notices.append(f"{error.where} {error.what}; it is made anew.")
            return None
        imported = getattr(found, "imported", "")
        if imported:
            self.notices.append(
                f"{found.extractor} on {found.task} was not computed here: the result is imported ({imported}). "
                "--fresh computes it."
            )
        if self.plan.profile and not found.profile:
            words = f"{found.extractor} on {found.task} was there already, made without --profile"
            self.notices.append(f"{words}: a profile is taken where the work is done, such as in another SERAB_HOME.")
        return found

    def _with_cautions(self, found: TaskResult | ContinuousResult) -> TaskResult | ContinuousResult:
        """The result of an earlier run with what is known of its corpus now. It is stored, for tables read the file."""
        known = replace(found, cautions=self._cautions(), splits=self.task.splits, faulty=self.task.faulty)
        if known != found:
            with suppress(StoreError):  # a home that is read-only
                write_result(self.result_path, known)
        return known

    def discard(self) -> None:
        """Delete what is stored of the pair, but for its result, which stays until the new one replaces it.

        Raises:
            StoreError: the home cannot be written.
        """
        paths = [self._state_path] if self.extractor.spec.uses_corpus and self.source.state is not None else []
        if not self._needs_fit:
            paths.append(self._repeat_path)
            for block in self.source.blocks():
                paths += [block.shard.manifest, block.shard.path]
            for spec in self.extractor.classifiers:
                paths.append(outcome_path(self.plan.home, self._study(spec.name)))
                paths += journals_of(spec.name, self._protocol(spec), self.source)
        for path in paths:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise store_error(error, path, "deleted") from error
        if self.extractor.spec.uses_corpus:
            known = known_state(self.extractor.spec, self.task.name.partition("/")[0])
            self.source = replace(self.source, state=known)

    def utterances_to_embed(self) -> int:
        """How many utterances have no embedding yet."""
        if self._needs_fit:
            return len(self.task.utterances)
        self._find_outcomes()
        if len(self.outcomes) == len(self.extractor.classifiers):
            return 0
        return sum(len(block.utterances) for block in self.source.blocks() if not is_done(block))

    def points_to_tune(self) -> int:
        """How many points of the grids belong to studies that have no outcome yet."""
        if not self._needs_fit:
            self._find_outcomes()
        return sum(self._points(spec) for spec in self.extractor.classifiers if spec.name not in self.outcomes)

    @property
    def key(self) -> str:
        """The identity of the result: of its studies, and of how the protocol chooses."""
        protocol = self.plan.protocol
        return digest(
            {
                "protocol": protocol.name,
                "selection": protocol.selection,
                "extractor": self.extractor.spec.name,
                "studies": {spec.name: self._study(spec.name) for spec in self.extractor.classifiers},
            }
        )

    @property
    def result_path(self) -> Path:
        """Where the result is kept."""
        return result_path(self.plan.home, self.extractor.spec.name, self.task.name, self.plan.protocol.name, self.key)

    # --- what is to do ---

    def next_jobs(self) -> Iterator[Job]:
        """Jobs that can run now and were not handed out yet: the corpus fit, then blocks, then classifiers."""
        if self._open:
            return
        if self._needs_fit:
            train = tuple(u for u in self.task.utterances if u.split == "train")
            yield self._opened(Job("fit", "fit", run_fit, (self.extractor.name, train)))
            return
        self._find_outcomes()
        waiting = [spec for spec in self.extractor.classifiers if spec.name not in self.outcomes]
        if not waiting:
            return
        missing = [block for block in self.source.blocks() if not is_done(block)]
        for block in missing:
            arguments = (self.extractor.name, self.extractor.fingerprint, block, self.source.state)
            yield self._opened(Job("block", block.shard.key, run_block, arguments, EMBED, len(block.utterances)))
        if missing:
            return
        if not self._is_repeated:
            some = [(block, self._written_by.get(block.shard.key, 0)) for block in self.source.blocks()[:_REPEAT_FROM]]
            repeat = (self.extractor.name, self.extractor.fingerprint, some, self.source.state)
            yield self._opened(Job("repeat", "repeat", run_repeat, repeat))
            return
        # The largest grids first, so that no worker is left with one of them at the end.
        for spec in sorted(waiting, key=self._points, reverse=True):
            own = (spec.name, self._protocol(spec), self.source)
            yield self._opened(Job("classifier", spec.name, run_classifier, own, TUNE, self._points(spec)))

    def take(self, job: Job, done: Done) -> None:
        """Takes in what a job returned. Raises StoreError when it cannot be written."""
        self._open.discard(job.name)
        self.spent, value = added(self.spent, done.spent), done.value
        if job.kind == "fit":
            write_json(self._state_path, {"schema": _STATE_SCHEMA, "state": dict(value)})
            self.source = replace(self.source, state=dict(value))
        elif job.kind == "block":
            self.pace = Pace(self.pace.audio + value.audio, self.pace.seconds + value.seconds)
            self._written_by[job.name] = value.process
        elif job.kind == "repeat":
            write_json(self._repeat_path, {"schema": _REPEAT_SCHEMA, "repeated": True})
        elif job.kind == "classifier":
            self.outcomes[job.name] = value

    def recovers(self, job: Job, error: Exception) -> bool:
        """Whether a failed job is retried: one that read a damaged shard, which was set aside."""
        self._open.discard(job.name)
        if job.kind == "repeat" and isinstance(error, ExtractorError):
            with suppress(StoreError):
                self.discard()  # nothing of what was stored can be trusted
        if job.kind not in ("classifier", "repeat") or not isinstance(error, StoreError) or self._tries >= _TRIES:
            return False
        if all(is_done(block) for block in self.source.blocks()) and not self._open:
            return False
        if not self._open:
            self._tries += 1
        note = f"{error.where} {error.what}; it was set aside and computed again."
        if note not in self.notices:
            self.notices.append(note)
        return True

    @property
    def complete(self) -> bool:
        """Whether every classifier has an outcome."""
        return not self._open and len(self.outcomes) == len(self.extractor.classifiers)

    def finish(self) -> TaskResult | ContinuousResult:
        """Puts the result together and stores it. Raises TuningError, StoreError."""
        protocol, task = self.plan.protocol, self.task
        outcomes = tuple(self.outcomes[spec.name] for spec in self.extractor.classifiers)
        chosen = choose(outcomes, protocol, f"{self.extractor.spec.name} on {task.name}")
        speakers = {u.id: u.speaker for u in task.utterances if u.split == "test"}
        common: dict[str, Any] = {
            "extractor": self.extractor.spec.name,
            "task": task.name,
            "language": task.language,
            "protocol": protocol.name,
            "variant": task.variant,
            "counts": {split: task.count(split) for split in SPLITS},
            "chosen": chosen.classifier,
            "outcomes": outcomes,
            "synthetic": task.synthetic,
            "partial": task.partial,
            "cautions": self._cautions(),
            "splits": task.splits,
            "faulty": task.faulty,
            "key": self.key,
            "provenance": provenance(self.plan, self.extractor, self.source),
            "speakers": speakers,
            "sexes": _sexes(task.name.partition("/")[0], speakers.values()),
            "profile": self._profile() if self.plan.profile else {},
        }
        result: TaskResult | ContinuousResult
        if task.target:
            result = ContinuousResult(target=task.target, scores=chosen.scores, **common)
        else:
            assert chosen.accuracy is not None
            assert chosen.uar is not None
            result = TaskResult(accuracy=chosen.accuracy, uar=chosen.uar, **common)
        write_result(self.result_path, result)
        return result

    # --- inside ---

    def _cautions(self) -> tuple[str, ...]:
        """What is shown beside every figure of this result."""
        task = self.task
        cautions = ["" if task.target else self.plan.protocol.caution, task.note, *task.cautions]
        cautions += [SYNTHETIC] if task.synthetic else []
        cautions += [PARTIAL] if task.partial else []
        return tuple(caution for caution in cautions if caution)

    def _profile(self) -> dict[str, Any]:
        return {"seconds": {name: round(own, 4) for name, own in self.spent.items()}, "whole": not self._took_over}

    def _opened(self, job: Job) -> Job:
        self._open.add(job.name)
        return job

    @property
    def _needs_fit(self) -> bool:
        return self.extractor.spec.uses_corpus and self.source.state is None

    @property
    def _state_path(self) -> Path:
        train = [u.sha256 for u in self.task.utterances if u.split == "train"]
        return folder_for(self.plan.home, self.extractor.fingerprint) / f"corpus-{digest(train)[:32]}.json"

    @property
    def _is_repeated(self) -> bool:
        """Whether embeddings of this fingerprint were computed twice, with the same numbers. Raises StoreError."""
        try:
            path = self._repeat_path
            return file_exists(path) and bool(read_json(path, _REPEAT_SCHEMA).get("repeated"))
        except ContentError:
            return False

    @property
    def _repeat_path(self) -> Path:
        """The file that says so."""
        return folder_for(self.plan.home, self.extractor.fingerprint) / "repeat.json"

    def _study(self, classifier: str) -> str:
        spec = next(spec for spec in self.extractor.classifiers if spec.name == classifier)
        return study_key(classifier_identity(spec, self._protocol(spec), self.source))

    def _protocol(self, spec: ClassifierSpec) -> ProtocolSpec:
        return own_protocol(self.plan.protocol, self.extractor.classifiers, spec.name)

    def _points(self, spec: ClassifierSpec) -> int:
        own = self._protocol(spec).trials or len(grid_points(spec))
        return own * max(1, len(self.source.layers))

    def _find_outcomes(self) -> None:
        if self._planned:
            return
        self._planned = True
        for spec in self.extractor.classifiers:
            outcome = finished_outcome(self.plan.home, self._study(spec.name))
            if outcome is not None:
                self.outcomes[spec.name] = outcome
        self._took_over = bool(self.outcomes) or any(is_done(block) for block in self.source.blocks())
