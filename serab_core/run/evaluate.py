"""Carries out a plan: hands out what is missing, puts results together as soon as their parts are there."""

from __future__ import annotations

import traceback
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from serab_core import plugins
from serab_core.engine.devices import require_devices
from serab_core.engine.executors import LocalEngine
from serab_core.errors import InterruptedRunError, SerabError, unforeseen
from serab_core.run.evaluation import Job, Pair
from serab_core.run.jobs import run_warm
from serab_core.run.throughput import note_paces
from serab_core.types import ContinuousResult, Failure, Run, TaskResult

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from serab_registry import Listeners

    from serab_core.engine.executors import Engine
    from serab_core.run.plan import Plan
    from serab_core.types import Progress


@dataclass(slots=True)
class _Board:
    """What is under way and what came of it."""

    executor: Executor
    listeners: Listeners
    pending: dict[Future[Any], tuple[Pair, Job]]
    results: dict[int, TaskResult | ContinuousResult]
    failures: dict[int, Failure]


def evaluate(plan: Plan, progress: Progress, engine: Engine) -> Run:
    """Runs a plan.

    What is stored already is reused; what fails is reported and does not stop the rest.

    Args:
        plan: what to do.
        progress: told how far it has come.
        engine: where the work is done.

    Returns:
        the run, its results in the order of extractors and tasks.

    Raises:
        InterruptedRunError: Ctrl-C; what was finished is stored, and the same command goes on from there.
        StoreError: the home cannot be read.
        UsageError: an extractor has to compute on a GPU that is not here.
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
    pairs = plan.share.taken([Pair.of(plan, entry, task) for entry in plan.extractors for task in plan.tasks])
    if plan.fresh:
        for pair in pairs:
            pair.discard()
    results: dict[int, TaskResult | ContinuousResult] = {}
    for position, pair in enumerate(pairs):
        stored = pair.stored_result()
        if stored is not None:
            results[position] = stored
            listeners.emit("serab_task_scored", result=stored)
    reused = frozenset(result.key for result in results.values())
    failures: dict[int, Failure] = {}
    open_pairs = {position: pair for position, pair in enumerate(pairs) if position not in results}
    told: list[str] = []
    if open_pairs:
        if isinstance(engine, LocalEngine):  # the workers of a cluster may have what this machine lacks
            require_devices(own.extractor.spec.name for own in open_pairs.values() if own.utterances_to_embed())
        told = _work_off(open_pairs, progress, engine, listeners, results, failures)
    note_paces(plan, pairs)
    anew = dict.fromkeys(pair.extractor.name for pair in open_pairs.values())
    changes = dict.fromkeys(text for name in anew for text in plan.changes.get(name, ()))
    notices = [*plan.notices, *changes, *told, *(note for pair in pairs for note in pair.notices)]
    notices += [f"Tracker: {error}" for error in listeners.errors]
    if not plan.share.whole:
        whole = len(plan.extractors) * len(plan.tasks)
        notices.append(
            f"Share {plan.share.number} of {plan.share.of}: {len(pairs)} of {whole} results. When all shares are done, "
            "the same command without --shard shows them together."
        )
    in_order = [results[position] for position in sorted(results)]
    run = replace(
        run,
        results=tuple(own for own in in_order if isinstance(own, TaskResult)),
        continuous=tuple(own for own in in_order if isinstance(own, ContinuousResult)),
        failures=tuple(failures[position] for position in sorted(failures)),
        reused=reused,
        notices=tuple(notices),
    )
    listeners.emit("serab_run_finished", run=run)
    return run


def _work_off(
    pairs: dict[int, Pair],
    progress: Progress,
    engine: Engine,
    listeners: Listeners,
    results: dict[int, TaskResult | ContinuousResult],
    failures: dict[int, Failure],
) -> list[str]:
    """Does what is missing, and returns what users should know of the workers."""
    embed_total = sum(pair.utterances_to_embed() for pair in pairs.values())
    tune_total = sum(pair.points_to_tune() for pair in pairs.values())
    with (
        progress.stage("Embedding utterances", embed_total) as embedded,
        progress.stage("Tuning classifiers", tune_total) as tuned,
    ):
        stages: dict[str, Callable[[int], None]] = {"embed": embedded, "tune": tuned}
        try:
            with engine.open(lambda stage, steps: stages[stage](steps)) as executor:
                board = _Board(executor, listeners, {}, results, failures)
                for position, pair in pairs.items():
                    _advance(board, position, pair)
                _warm_the_idle(board, pairs.values(), engine.jobs)
                positions = {id(pair): position for position, pair in pairs.items()}
                while board.pending:
                    done, _ = wait(board.pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        pair, job = board.pending.pop(future)
                        position = positions[id(pair)]
                        if not engine.live and job.stage:
                            stages[job.stage](job.steps)
                        if position not in failures:
                            _take(board, position, pair, job, future)
                return list(getattr(executor, "notices", ()))
        except KeyboardInterrupt as error:
            raise InterruptedRunError(
                "interrupted; what was finished is kept",
                next_step="run the same command again to go on from there",
            ) from error


def _warm_the_idle(board: _Board, pairs: Collection[Pair], jobs: int) -> None:
    """Workers that have to wait for corpus statistics load the extractor meanwhile."""
    fitting = [job.arguments[0] for _, job in board.pending.values() if job.kind == "fit"]
    if fitting and len(pairs) == len(fitting):
        for _ in range(jobs - len(board.pending)):
            board.executor.submit(run_warm, fitting[0])


def _take(board: _Board, position: int, pair: Pair, job: Job, future: Future[Any]) -> None:
    """Takes in a finished job of a pair, and hands out what it has made possible."""
    try:
        pair.take(job, future.result())
    except Exception as error:
        if not pair.recovers(job, error):
            _fail(board, position, pair, error)
            return
    _advance(board, position, pair)


def _advance(board: _Board, position: int, pair: Pair) -> None:
    """Hands out the pair's next jobs; with none left and none under way, puts its result together."""
    try:
        for job in pair.next_jobs():
            board.pending[board.executor.submit(job.function, *job.arguments)] = (pair, job)
        if pair.complete:
            board.results[position] = pair.finish()
            board.listeners.emit("serab_task_scored", result=board.results[position])
    except Exception as error:
        _fail(board, position, pair, error)


def _fail(board: _Board, position: int, pair: Pair, error: Exception) -> None:
    if isinstance(error, SerabError):
        document = error.as_json()
    else:
        document = unforeseen(error).as_json() | {"traceback": "".join(traceback.format_exception(error))}
    board.failures[position] = Failure(pair.extractor.spec.name, pair.task.name, document)
    for future, (owner, _) in board.pending.items():
        if owner is pair:
            future.cancel()
