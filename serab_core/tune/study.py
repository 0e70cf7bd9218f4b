"""The search over one classifier's points on one task: an Optuna study, stored in an HDF5 journal and resumable."""

from __future__ import annotations

import contextlib
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from serab_core.errors import ContentError
from serab_core.store.journal import Hdf5JournalBackend
from serab_core.store.shards import move_aside
from serab_core.tune.points import fit_and_predict, grid_points
from serab_core.tune.wide import suggest
from serab_core.types import Point, PointError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from serab_core.types import ClassifierSpec, Examples, GridValue, Labels, Params, Predictor, Workspace

_REASON = "reason"
_STARTUP = 5
"""Trials before TPE and pruning begin. It does not depend on the length of a search, so that a longer search begins
with the same trials as a shorter one."""


def search(
    spec: ClassifierSpec,
    workspace: Workspace,
    validation: Examples,
    objective: Callable[[Labels, Labels], float],
    *,
    journal: Path,
    seed: int,
    advance: Callable[[int], None],
    trials: int | None = None,
) -> tuple[Point, ...]:
    """Score points on the validation examples: the whole grid, or a number of trials in the wide space.

    Points that are in the journal are not computed again.

    Args:
        spec: the classifier.
        workspace: from the classifier's `prepare`.
        validation: the examples that points are scored on.
        objective: score of (truth, predicted), larger is better.
        journal: the study's HDF5 file; a damaged one is quarantined, and the study starts from the beginning.
        seed: seed of the sampler.
        advance: receives the number of points that were scored.
        trials: number of TPE trials; None to search the grid.

    Returns:
        the points in the order of the grid, or of the trials.

    Raises:
        StoreError: the journal cannot be written.
    """
    backend = _open(journal)
    run = _Run(spec, workspace, validation, objective, advance)
    with _quiet_optuna():
        study = optuna.create_study(
            study_name=spec.name,
            storage=JournalStorage(backend),
            direction="maximize",
            load_if_exists=True,
        )
        try:
            if trials is None:
                return _search_grid(study, run, seed)
            return _search_wide(study, run, seed, trials)
        finally:
            backend.flush()


@dataclass(frozen=True, slots=True)
class _Run:
    """The inputs of a trial."""

    spec: ClassifierSpec
    workspace: Workspace
    validation: Examples
    objective: Callable[[Labels, Labels], float]
    advance: Callable[[int], None]

    def score(self, trial: optuna.Trial, params: Params, *, prunes: bool = False) -> float:
        """Score a point. The reason of a point that is pruned or cannot be fitted is stored in the trial."""
        try:
            partial_fits = getattr(self.workspace, "partial_fits", None) if prunes else None
            if partial_fits is None:
                predicted = fit_and_predict(self.workspace.fit, params, self.validation)
                return self.objective(self.validation.y, predicted)
            return self._score_partial_fits(trial, partial_fits(params))
        except (PointError, optuna.TrialPruned) as error:
            trial.set_user_attr(_REASON, str(error))
            raise
        finally:
            self.advance(1)

    def _score_partial_fits(self, trial: optuna.Trial, predictors: Iterator[Predictor]) -> float:
        score = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for step, predictor in enumerate(predictors):
                if step and trial.should_prune():
                    raise optuna.TrialPruned(f"given up after stage {step}, at {score:.4f}")
                predicted = np.asarray(predictor.predict(self.validation.X), dtype=np.int64)
                score = self.objective(self.validation.y, predicted)
                trial.report(score, step)
        return score


def _search_grid(study: optuna.Study, run: _Run, seed: int) -> tuple[Point, ...]:
    points = grid_points(run.spec)
    space = {name: list(values) for name, values in run.spec.search_space.items()}
    sampler = optuna.samplers.GridSampler(space, seed=seed)
    study.sampler = sampler

    def run_point(trial: optuna.Trial) -> float:
        return run.score(trial, {name: trial.suggest_categorical(name, space[name]) for name in points[0]})

    run.advance(len(_settled(study)))
    if not sampler.is_exhausted(study):
        study.optimize(run_point, catch=(PointError,))
    # The sampler counts a trial that Ctrl-C interrupted as visited; such a point is enqueued again by its parameters.
    trials = _settled(study)
    for params in [params for params in points if _key(params) not in trials]:
        study.enqueue_trial(dict(params))
        study.optimize(run_point, n_trials=1, catch=(PointError,))
    trials = _settled(study)
    return tuple(_point(params, trials[_key(params)]) for params in points)


def _search_wide(study: optuna.Study, run: _Run, seed: int, count: int) -> tuple[Point, ...]:
    """Run TPE trials. Each trial has its own seed, so that an interrupted study continues with the same trials."""

    def run_point(trial: optuna.Trial) -> float:
        return run.score(trial, suggest(trial, run.spec), prunes=True)

    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=_STARTUP)
    ended = _ended(study)
    run.advance(min(len(ended), count))
    while len(ended) < count:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.sampler = optuna.samplers.TPESampler(
                seed=seed + len(ended),
                n_startup_trials=_STARTUP,
                multivariate=True,
                group=True,
                constant_liar=False,  # an unfinished trial of a killed process must not count
            )
        study.optimize(run_point, n_trials=1, catch=(PointError,))
        ended = _ended(study)
    return tuple(_point(dict(trial.params), trial) for trial in ended[:count])


def ended_trials(journal: Path, classifier: str) -> int:
    """Return the number of ended trials in a journal. Raises StoreError for a file that is not a journal."""
    with _quiet_optuna():
        storage = JournalStorage(Hdf5JournalBackend(journal))
        return len(_ended(optuna.load_study(study_name=classifier, storage=storage)))


def _ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the trials that have a score or a reason."""
    everything = study.get_trials(deepcopy=False)
    return [t for t in everything if t.state is TrialState.COMPLETE or _REASON in t.user_attrs]


def _settled(study: optuna.Study) -> dict[tuple[tuple[str, GridValue], ...], optuna.trial.FrozenTrial]:
    """Return the ended trials by their parameters; the first trial of equal parameters counts."""
    table: dict[tuple[tuple[str, GridValue], ...], optuna.trial.FrozenTrial] = {}
    for trial in _ended(study):
        table.setdefault(_key(trial.params), trial)
    return table


def _point(params: Params, trial: optuna.trial.FrozenTrial) -> Point:
    if trial.state is TrialState.COMPLETE:
        return Point(params, trial.value)
    return Point(params, None, str(trial.user_attrs[_REASON]), pruned=trial.state is TrialState.PRUNED)


def _key(params: Params) -> tuple[tuple[str, GridValue], ...]:
    return tuple(sorted(params.items()))


def _open(journal: Path) -> Hdf5JournalBackend:
    try:
        return Hdf5JournalBackend(journal)
    except ContentError:
        move_aside(journal)
        return Hdf5JournalBackend(journal)


@contextlib.contextmanager
def _quiet_optuna() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
