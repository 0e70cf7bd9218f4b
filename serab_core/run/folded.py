"""An evaluation over folds: each fold is an evaluation with its own search and choice, and all share embeddings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from serab_core.data.folds import fold_tasks
from serab_core.data.protocols import for_targets
from serab_core.embed.embedder import Throughput
from serab_core.errors import StoreError
from serab_core.run.assemble import assemble_folds
from serab_core.run.evaluation import Evaluation
from serab_core.run.jobs import TuneJob
from serab_core.run.reuse import reusable_result
from serab_core.store.jsonio import digest
from serab_core.store.results import result_path, write_result
from serab_core.system.timing import sum_times

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from serab_core.run.jobs import Finished, Job
    from serab_core.run.plan import Plan, PlannedExtractor
    from serab_core.types import Task, TaskResult


@dataclass(slots=True)
class FoldedEvaluation:
    """The state of the evaluation of one extractor on one task with folds; it has the methods of `Evaluation`.

    Attributes:
        plan: the plan of the run, with the protocol for the task's kind of target.
        task: the task with its folds.
        by_fold: the evaluation of each fold.
    """

    plan: Plan
    extractor: PlannedExtractor
    task: Task
    by_fold: tuple[Evaluation, ...]
    _notices: list[str] = field(default_factory=list)
    _owners: list[tuple[Job, Evaluation]] = field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, extractor: PlannedExtractor, task: Task) -> FoldedEvaluation:
        """Return the evaluation, with an evaluation of each fold."""
        by_fold = tuple(Evaluation.of(plan, extractor, one_split) for one_split in fold_tasks(task))
        if task.target:
            plan = replace(plan, protocol=for_targets(plan.protocol))
            extractor = replace(extractor, classifiers=extractor.regressors)
        return cls(plan, extractor, task, by_fold)

    # --- stored work ---

    def stored_result(self) -> TaskResult | None:
        """Return the result of an earlier run with the same identity; None if there is none, or with `--fresh`.

        Raises:
            StoreError: the result file cannot be read.
        """
        if self.plan.fresh or any(fold.needs_fit for fold in self.by_fold):
            return None
        return reusable_result(self.result_path, self.plan, self.task, self._notices)

    def discard(self) -> None:
        """Delete the stored work of every fold. Raises StoreError if the home cannot be written."""
        for fold in self.by_fold:
            fold.discard()

    def utterances_to_embed(self) -> int:
        """Return the number of utterances without an embedding; folds with equal embeddings count once."""
        counts = {fold.source.embeddings_id: fold.utterances_to_embed() for fold in self.by_fold if not fold.needs_fit}
        return sum(counts.values()) + sum(fold.utterances_to_embed() for fold in self.by_fold if fold.needs_fit)

    def points_to_tune(self) -> int:
        """Return the number of points in studies without an outcome."""
        return sum(fold.points_to_tune() for fold in self.by_fold)

    @property
    def key(self) -> str:
        """The identity of the result: a digest over the identities of its folds, whose statistics must be known."""
        keys = [fold.identity.key for fold in self.by_fold]
        return digest({"protocol": self.plan.protocol.name, "task": self.task.digest, "folds": keys})

    @property
    def result_path(self) -> Path:
        """The path of the stored result."""
        names = (self.extractor.spec.name, self.task.name, self.plan.protocol.name)
        return result_path(self.plan.home, *names, self.key)

    @property
    def notices(self) -> list[str]:
        """Sentences about stored work, each once."""
        return list(dict.fromkeys([*self._notices, *(notice for fold in self.by_fold for notice in fold.notices)]))

    @property
    def throughput(self) -> Throughput:
        """Throughput of the blocks that this run embedded."""
        measured = [fold.throughput for fold in self.by_fold]
        return Throughput(sum(fold.audio for fold in measured), sum(fold.seconds for fold in measured))

    # --- jobs ---

    def next_jobs(self) -> Iterator[Job]:
        """Yield the jobs that can start now. Folds with equal embeddings wait for the fold that embeds them."""
        embedding: set[str] = set()
        repeating = False
        for fold in self.by_fold:
            if fold.source.embeddings_id in embedding:
                continue
            stage = fold.stage
            if not (stage == "repeat" and repeating):
                for job in fold.next_jobs():
                    self._owners.append((job, fold))
                    yield job
            if stage in ("embed", "repeat"):
                embedding.add(fold.source.embeddings_id)
            repeating |= stage == "repeat"

    def record(self, job: Job, finished: Finished[object]) -> None:
        """Record the return value of a job. Raises StoreError if it cannot be written."""
        self._owner(job).record(job, finished)

    def recovers(self, job: Job, error: Exception) -> bool:
        """Return whether to retry a failed job, because it read a damaged shard, which is in quarantine now."""
        owner = self._owner(job)
        if owner.recovers(job, error):
            return True
        return isinstance(job, TuneJob) and isinstance(error, StoreError) and owner.retries(error)

    @property
    def complete(self) -> bool:
        """Whether every classifier of every fold has an outcome."""
        return all(fold.complete for fold in self.by_fold)

    def finish(self) -> TaskResult:
        """Assemble the result of all folds and store it. Raises TuningError, StoreError."""
        seconds: dict[str, float] = {}
        for fold in self.by_fold:
            seconds = sum_times(seconds, fold.seconds)
        result = assemble_folds(
            self.plan,
            self.extractor,
            self.task,
            [fold.source for fold in self.by_fold],
            [tuple(fold.outcomes[spec.name] for spec in self.extractor.classifiers) for fold in self.by_fold],
            key=self.key,
            seconds=seconds,
            reused_work=any(fold.reused_work for fold in self.by_fold),
        )
        write_result(self.result_path, result)
        return result

    def _owner(self, job: Job) -> Evaluation:
        owner = next(fold for other, fold in self._owners if other is job)
        self._owners = [pair for pair in self._owners if pair[0] is not job]
        return owner


def evaluation_of(plan: Plan, extractor: PlannedExtractor, task: Task) -> Evaluation | FoldedEvaluation:
    """Return the evaluation of one extractor on one task, with folds if the task has them."""
    return (FoldedEvaluation if task.folds else Evaluation).of(plan, extractor, task)
