"""The wide search: the sampling of a point from a classifier's space, and the number of trials per classifier."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core.types import Range

if TYPE_CHECKING:
    from collections.abc import Sequence

    import optuna

    from serab_core.types import ClassifierSpec, GridValue, Params, ProtocolSpec


def suggest(trial: optuna.Trial, spec: ClassifierSpec) -> Params:
    """Sample a point: first the candidate values and plain ranges, then the ranges that depend on one of these."""
    space = spec.wide_space or spec.search_space
    drawn: dict[str, GridValue] = {}
    for name in sorted(space, key=lambda name: (_condition(space[name]) is not None, name)):
        values = space[name]
        if not isinstance(values, Range):
            drawn[name] = trial.suggest_categorical(name, list(values))
            continue
        if values.when is not None and drawn.get(values.when[0]) != values.when[1]:
            continue
        if values.integer:
            drawn[name] = trial.suggest_int(name, int(values.low), int(values.high), log=values.log)
        else:
            drawn[name] = trial.suggest_float(name, values.low, values.high, log=values.log)
    return drawn


def _condition(values: Range | Sequence[GridValue]) -> tuple[str, GridValue] | None:
    return values.when if isinstance(values, Range) else None


def allocate_trials(specs: Sequence[ClassifierSpec], trials: int) -> dict[str, int]:
    """Return the trials of each classifier, in proportion to its parameters and weight; at least one each."""
    sizes = {spec.name: len(spec.wide_space or spec.search_space) * spec.trial_weight for spec in specs}
    total = sum(sizes.values()) or 1.0  # classifiers without parameters have no size
    allocated = {name: max(1, int(trials * size / total)) for name, size in sizes.items()}
    for name in sorted(sizes, key=lambda name: -sizes[name]):  # trials that rounding down has left
        if sum(allocated.values()) < trials:
            allocated[name] += 1
    return allocated


def with_trial_share(protocol: ProtocolSpec, specs: Sequence[ClassifierSpec], name: str) -> ProtocolSpec:
    """Return the protocol with the trials that are allocated to one classifier."""
    return (
        replace(protocol, trials=allocate_trials(specs, protocol.trials)[name]) if protocol.tuner == "tpe" else protocol
    )
