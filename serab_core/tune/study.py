"""The search over one classifier's points on one task: an Optuna study, kept in an HDF5 journal and resumed from it."""

from __future__ import annotations

import contextlib
import itertools
import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.storages import JournalStorage
from optuna.trial import TrialState

from serab_core.errors import StoreError
from serab_core.store.journal import Hdf5JournalBackend
from serab_core.types import Point, PointError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from serab_core.types import ClassifierSpec, Examples, GridValue, Labels, Params, Predictor, Workspace

_REASON = "reason"


def grid_points(spec: ClassifierSpec) -> tuple[Params, ...]:
    """The points of the grid in the order that settles ties: keys sorted, the last key fastest."""
    keys = sorted(spec.search_space)
    return tuple(
        dict(zip(keys, values, strict=True)) for values in itertools.product(*(spec.search_space[k] for k in keys))
    )


def search(
    spec: ClassifierSpec,
    workspace: Workspace,
    validation: Examples,
    objective: Callable[[Labels, Labels], float],
    *,
    journal: Path,
    seed: int,
    advance: Callable[[int], None],
) -> tuple[Point, ...]:
    """Scores every point of the classifier's grid on the validation examples.

    Points that the journal holds are not computed again.

    Args:
        spec: the classifier.
        workspace: from its `prepare`.
        validation: what points are scored on.
        objective: score of (truth, predicted), larger is better.
        journal: the study's HDF5 file; a damaged one is set aside and the study made anew.
        seed: of the sampler.
        advance: told of each point that is done.

    Returns:
        the points in grid order.

    Raises:
        StoreError: the journal cannot be written.
    """
    points = grid_points(spec)
    backend = _open(journal)
    sampler = optuna.samplers.GridSampler({k: list(v) for k, v in spec.search_space.items()}, seed=seed)

    def run_point(trial: optuna.Trial) -> float:
        params = {name: trial.suggest_categorical(name, list(spec.search_space[name])) for name in points[0]}
        try:
            predicted = fit_and_predict(workspace.fit, params, validation)
        except PointError as error:
            trial.set_user_attr(_REASON, str(error))
            advance(1)
            raise
        advance(1)
        return objective(validation.y, predicted)

    with _quiet_optuna():
        study = optuna.create_study(
            study_name=spec.name,
            storage=JournalStorage(backend),
            sampler=sampler,
            direction="maximize",
            load_if_exists=True,
        )
        try:
            advance(len(_settled(study)))
            if not sampler.is_exhausted(study):
                study.optimize(run_point, catch=(PointError,))
            # The sampler counts a trial that Ctrl-C ended as done; it is asked for by its parameters again.
            trials = _settled(study)
            left = [params for params in points if _key(params) not in trials]
            for params in left:
                study.enqueue_trial(dict(params))
                study.optimize(run_point, n_trials=1, catch=(PointError,))
        finally:
            backend.flush()
        trials = _settled(study)
    return tuple(_point(params, trials[_key(params)]) for params in points)


def best_point(points: tuple[Point, ...]) -> Point | None:
    """The first point of the highest score; None when none could be fitted."""
    best: Point | None = None
    for point in points:
        if point.score is not None and (best is None or best.score is None or point.score > best.score):
            best = point
    return best


def fit_and_predict(fit: Callable[[Params], Predictor], params: Params, examples: Examples) -> Labels:
    """Fits a point and predicts, without the library's warnings of slow convergence, which the paper's grids abound in.

    Raises:
        PointError: the point cannot be fitted.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predicted: Labels = np.asarray(fit(params).predict(examples.X), dtype=np.int64)
    return predicted


def _settled(study: optuna.Study) -> dict[tuple[tuple[str, GridValue], ...], optuna.trial.FrozenTrial]:
    """The trials that have a score or a reason, by their parameters; the first counts."""
    everything = study.get_trials(deepcopy=False)
    settled = (t for t in everything if t.state is TrialState.COMPLETE or _REASON in t.user_attrs)
    table: dict[tuple[tuple[str, GridValue], ...], optuna.trial.FrozenTrial] = {}
    for trial in settled:
        table.setdefault(_key(trial.params), trial)
    return table


def _point(params: Params, trial: optuna.trial.FrozenTrial) -> Point:
    if trial.state is TrialState.COMPLETE:
        return Point(params, trial.value)
    return Point(params, None, str(trial.user_attrs[_REASON]))


def _key(params: Params) -> tuple[tuple[str, GridValue], ...]:
    return tuple(sorted(params.items()))


def _open(journal: Path) -> Hdf5JournalBackend:
    try:
        return Hdf5JournalBackend(journal)
    except StoreError:
        with contextlib.suppress(FileNotFoundError):
            journal.rename(journal.with_name(f"{journal.name}.bad-{time.strftime('%Y%m%dT%H%M%S')}"))
        return Hdf5JournalBackend(journal)


@contextlib.contextmanager
def _quiet_optuna() -> Iterator[None]:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
