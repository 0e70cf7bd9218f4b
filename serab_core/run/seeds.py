"""Evaluation under several seeds: the results of a run, and its extractors and tasks again under other seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core.data.protocols import for_targets, with_seed
from serab_core.errors import UsageError
from serab_core.run.evaluate import evaluate
from serab_core.run.identity import depends_on_seed
from serab_core.system.hints import option
from serab_core.types import DEFAULT_SEED

if TYPE_CHECKING:
    from serab_core.engine.executors import Engine
    from serab_core.run.plan import Plan
    from serab_core.types import Failure, Progress, ProtocolSpec, Run, TaskResult

MAX_SEEDS = 100


def require_seeds(count: int | None, protocol: ProtocolSpec, *, fresh: bool = False) -> None:
    """Check a number of seeds. Raises UsageError for an impossible one, another seed, or with `fresh`."""
    if count is None:
        return
    if not 1 <= count <= MAX_SEEDS:
        raise UsageError(f"{count} seeds are not possible", next_step=f"give a number from 1 to {MAX_SEEDS}")
    if protocol.seed != DEFAULT_SEED:
        raise UsageError(
            f"several seeds begin with {DEFAULT_SEED}, and the protocol has the seed {protocol.seed}",
            next_step=f"leave out {option('seed')} or {option('seeds')}",
        )
    if fresh:
        raise UsageError(
            f"{option('fresh')} deletes stored work of one seed only",
            next_step=f"first give {option('fresh')} without {option('seeds')}, and then the other way round",
        )


def protocol_with_seed(protocol: ProtocolSpec, seed: int | None) -> ProtocolSpec:
    """Return the protocol with a seed that the user named; the protocol itself for None.

    Raises:
        UsageError: the seed is impossible, or the name of the protocol states another one.
    """
    if seed is None:
        return protocol
    if protocol.seed not in (DEFAULT_SEED, seed):
        raise UsageError(
            f"protocol {protocol.name} has another seed than {option('seed', seed)}", next_step="name one seed"
        )
    return with_seed(protocol, seed)


def evaluate_seeds(plan: Plan, run: Run, count: int, progress: Progress, engine: Engine) -> Run:
    """Evaluate the extractors and tasks of a run under further seeds, as separate results.

    Only results with a classifier that depends on the seed are computed. The studies of other classifiers are reused.

    Args:
        plan: the plan of the run.
        run: the run, under the default seed.
        count: number of seeds, with that of the run.
        progress, engine: as for the run.

    Returns:
        the run with `seeds`, and with the failures under further seeds.

    Raises:
        InterruptedRunError, StoreError, UsageError: as `evaluate` raises them.
    """
    varying = frozenset((result.extractor, result.task) for result in run.results if _varies(plan, result))
    fixed = [f"{r.extractor} on {r.task}" for r in run.results if (r.extractor, r.task) not in varying]
    notices = [f"The same under every seed, because no classifier depends on it: {', '.join(fixed)}."] if fixed else []
    results: list[TaskResult] = []
    failures: list[Failure] = []
    for seed in range(DEFAULT_SEED + 1, DEFAULT_SEED + count) if varying else ():
        progress.note(f"Seed {seed}, up to {DEFAULT_SEED + count - 1}")
        other = evaluate(replace(plan, protocol=with_seed(plan.protocol, seed)), progress, engine, only=varying)
        results += other.results
        failures += [
            replace(failure, error={**failure.error, "what": f"seed {seed}: {failure.error['what']}"})
            for failure in other.failures
        ]
    return replace(
        run,
        seeds=tuple(results),
        failures=(*run.failures, *failures),
        notices=(*run.notices, *notices),
    )


def _varies(plan: Plan, result: TaskResult) -> bool:
    """Return whether a classifier of a result depends on the seed."""
    entry = next(entry for entry in plan.extractors if entry.spec.name == result.extractor)
    specs, protocol = entry.classifiers, plan.protocol
    if result.target is not None:
        specs, protocol = entry.regressors, for_targets(plan.protocol)
    return any(depends_on_seed(spec, protocol) for spec in specs)
