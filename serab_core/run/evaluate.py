"""Run a plan: submit the missing jobs, and assemble each result as soon as its outcomes are known."""

from __future__ import annotations

import logging
import traceback
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from serab_core import plugins
from serab_core.engine.devices import require_devices
from serab_core.engine.executors import LocalEngine
from serab_core.engine.transfer import run_job
from serab_core.errors import InterruptedRunError, SerabError, unforeseen
from serab_core.run.folded import evaluation_of
from serab_core.run.jobs import FitJob, WarmJob
from serab_core.run.throughput import write_throughputs
from serab_core.score.bootstrap import MIN_SPEAKERS
from serab_core.system.hints import command
from serab_core.types import Failure, Run, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from serab_core.engine.executors import Engine
    from serab_core.plugins.entry_points import Listeners
    from serab_core.run.evaluation import Evaluation
    from serab_core.run.folded import FoldedEvaluation
    from serab_core.run.jobs import Job
    from serab_core.run.plan import Plan
    from serab_core.types import Progress

    AnyEvaluation: TypeAlias = Evaluation | FoldedEvaluation


logger = logging.getLogger("serab.run")


@dataclass(slots=True)
class _RunState:
    """The state of a run: pending jobs, results and failures.

    Attributes:
        pending: the evaluation and the job of each future.
        results, failures: by the position of the evaluation in the run.
    """

    executor: Executor
    listeners: Listeners
    results: dict[int, TaskResult]
    failures: dict[int, Failure] = field(default_factory=dict)
    pending: dict[Future[Any], tuple[int, AnyEvaluation, Job]] = field(default_factory=dict)

    def advance(self, position: int, evaluation: AnyEvaluation) -> None:
        """Submit the next jobs of an evaluation; with none left and none running, assemble its result."""
        try:
            for job in evaluation.next_jobs():
                self.pending[self.executor.submit(run_job, job)] = (position, evaluation, job)
            if evaluation.complete:
                self.results[position] = evaluation.finish()
                logger.info("stored %s", evaluation.result_path)
                self.listeners.emit("serab_task_scored", result=self.results[position])
        except Exception as error:
            self.fail(position, evaluation, error)

    def finish_job(self, future: Future[Any]) -> Job:
        """Record the result of a job, submit the jobs that it made possible, and return the job."""
        position, evaluation, job = self.pending.pop(future)
        if position in self.failures:
            return job
        try:
            evaluation.record(job, future.result())
        except Exception as error:
            recovers = evaluation.recovers(job, error)
            logger.info("%s failed (%s)%s", job.label, error, ": it is retried" if recovers else "")
            if not recovers:
                self.fail(position, evaluation, error)
                return job
        self.advance(position, evaluation)
        return job

    def fail(self, position: int, evaluation: AnyEvaluation, error: Exception) -> None:
        """Record a failure, and cancel the other jobs of the evaluation."""
        if isinstance(error, SerabError):
            document = error.as_json()
        else:
            document = unforeseen(error).as_json() | {"traceback": "".join(traceback.format_exception(error))}
        self.failures[position] = Failure(evaluation.extractor.spec.name, evaluation.task.name, document)
        for future, (other, _, _) in self.pending.items():
            if other == position:
                future.cancel()


def evaluate(plan: Plan, progress: Progress, engine: Engine, *, only: Collection[tuple[str, str]] | None = None) -> Run:
    """Run a plan.

    Stored work is reused. A failed evaluation is reported and does not stop the others.

    Args:
        plan: the plan.
        progress: displays the progress of the run.
        engine: runs the jobs.
        only: the extractors and tasks to evaluate, by name; by default all of the plan.

    Returns:
        the run, with its results in the order of extractors and tasks.

    Raises:
        InterruptedRunError: Ctrl-C; finished work is stored, and the same command continues from there.
        StoreError: the home cannot be read.
        UsageError: an extractor needs a GPU that this machine does not have.
    """
    run = Run(
        protocol=plan.protocol,
        extractors=tuple(entry.spec.name for entry in plan.extractors),
        tasks=tuple(task.name for task in plan.tasks),
        missing=plan.missing,
        notices=plan.notices,
    )
    listeners = plugins.registry().listeners()
    listeners.emit("serab_run_started", run=run)
    evaluations = plan.shard.select(
        [evaluation_of(plan, entry, task) for entry in plan.extractors for task in plan.tasks]
    )
    if only is not None:
        evaluations = [
            evaluation for evaluation in evaluations if (evaluation.extractor.spec.name, evaluation.task.name) in only
        ]
    results: dict[int, TaskResult] = {}
    for position, evaluation in enumerate(evaluations):
        if plan.fresh:
            evaluation.discard()
        stored = evaluation.stored_result()
        name = f"{evaluation.extractor.spec.name} on {evaluation.task.name}"
        logger.info("%s: %s", name, "to be computed" if stored is None else f"stored in {evaluation.result_path}")
        if stored is not None:
            results[position] = stored
            listeners.emit("serab_task_scored", result=stored)
    reused = frozenset(result.key for result in results.values())
    waiting = {position: evaluation for position, evaluation in enumerate(evaluations) if position not in results}
    failures: dict[int, Failure] = {}
    engine_notices: Sequence[str] = ()
    if waiting:
        if isinstance(engine, LocalEngine):  # workers of a cluster may have other devices
            require_devices(
                evaluation.extractor.spec.name for evaluation in waiting.values() if evaluation.utterances_to_embed()
            )
        failures, engine_notices = _compute(waiting, progress, engine, listeners, results)
    write_throughputs(plan, evaluations)
    run = replace(
        run,
        results=tuple(results[position] for position in sorted(results)),
        failures=tuple(failures[position] for position in sorted(failures)),
        reused=reused,
        notices=tuple(_notices(plan, evaluations, waiting.values(), engine_notices, listeners)),
    )
    listeners.emit("serab_run_finished", run=run)
    return run


def _notices(
    plan: Plan,
    evaluations: Sequence[AnyEvaluation],
    computed: Iterable[AnyEvaluation],
    engine_notices: Sequence[str],
    listeners: Listeners,
) -> list[str]:
    """Return the notices of the run, in the order in which they are shown."""
    names = dict.fromkeys(evaluation.extractor.name for evaluation in computed)
    changes = dict.fromkeys(text for name in names for text in plan.changes.get(name, ()))
    notices = [*plan.notices, *changes, *engine_notices]
    notices += [notice for evaluation in evaluations for notice in evaluation.notices]
    notices += [f"Tracker: {error}" for error in listeners.errors]
    notices += _few_test_speakers(plan)
    if not plan.shard.is_whole:
        whole = len(plan.extractors) * len(plan.tasks)
        notices.append(
            f"Run shard {plan.shard.number} of {plan.shard.of}: {len(evaluations)} of {whole} results. After all run "
            "shards, the same command for the whole run shows all results together."
        )
    return notices


def _few_test_speakers(plan: Plan) -> list[str]:
    """Return a sentence that names the tasks with few test speakers, and the protocol that tests all; or none."""
    few: dict[str, int] = {}
    for task in plan.tasks:
        tested = {u.speaker for u in task.utterances if u.split == "test"}
        if not task.synthetic and not task.folds and len(tested) < MIN_SPEAKERS <= len(task.speakers):
            few[task.name] = len(tested)
    if not few:
        return []
    names = ", ".join(f"{name} ({count})" for name, count in few.items())
    loso = command("eval", plan.extractors[0].name, tasks=list(few), protocol="loso")
    return [f"Few test speakers: {names}. Another split may give another score; {loso} tests every speaker once."]


def _compute(
    evaluations: Mapping[int, AnyEvaluation],
    progress: Progress,
    engine: Engine,
    listeners: Listeners,
    results: dict[int, TaskResult],
) -> tuple[dict[int, Failure], Sequence[str]]:
    """Run the jobs of all evaluations, fill in the results, and return failures and notices of the engine."""
    embed_total = sum(evaluation.utterances_to_embed() for evaluation in evaluations.values())
    tune_total = sum(evaluation.points_to_tune() for evaluation in evaluations.values())
    with (
        progress.task("Embedding utterances", embed_total) as embedded,
        progress.task("Tuning classifiers", tune_total) as tuned,
    ):
        advance: dict[str, Callable[[int], None]] = {"embed": embedded, "tune": tuned}
        try:
            with engine.open(lambda phase, steps: advance[phase](steps)) as executor:
                state = _RunState(executor, listeners, results)
                for position, evaluation in evaluations.items():
                    state.advance(position, evaluation)
                _warm_idle_workers(state, len(evaluations), engine.jobs)
                while state.pending:
                    completed, _ = wait(state.pending, return_when=FIRST_COMPLETED)
                    for future in completed:
                        job = state.finish_job(future)
                        if not engine.live and job.phase:
                            advance[job.phase](job.steps)
                return state.failures, tuple(getattr(executor, "notices", ()))
        except KeyboardInterrupt as error:
            raise InterruptedRunError(
                "interrupted; finished work is stored",
                next_step="run the same command again to continue from there",
            ) from error


def _warm_idle_workers(state: _RunState, evaluations: int, workers: int) -> None:
    """Let idle workers load the extractor while the corpus statistics are computed."""
    fitting = [job.extractor for _, _, job in state.pending.values() if isinstance(job, FitJob)]
    if fitting and len(fitting) == evaluations:
        for _ in range(workers - len(state.pending)):
            state.executor.submit(run_job, WarmJob(fitting[0]))
