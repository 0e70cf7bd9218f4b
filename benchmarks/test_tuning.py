"""The paper's grids against scikit-learn's GridSearchCV with all cores, on stored features of EmoDB.

tox run -e bench -- benchmarks/test_tuning.py

serab does what `serab eval` does: prepare, search the grid with Optuna and an HDF5 journal, refit, predict the test
split. GridSearchCV gets the predefined split, the same grid and a refit. It needs three minutes for LDA on the 6,373
features of ComParE, so it runs once there.
"""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from serab_core import plugins
from serab_core.score.metrics import accuracy
from serab_core.tune.normalise import per_speaker
from serab_core.tune.points import best_point, fit_and_predict
from serab_core.tune.study import search
from serab_core.tune.wide import allocate_trials
from serab_core.types import Examples

STORED = Path(__file__).parents[2] / "shared" / "golden" / "emodb_features.npz"
SETS = ("compare_2016", "byol_s_512")
GROUPS = {"LDA, LR, QDA, SVC": ("svc", "lr", "qda", "lda"), "RF": ("rf",)}
PEERS = {
    "lda": lambda: LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    "lr": lambda: LogisticRegression(max_iter=10_000, random_state=42),
    "rf": lambda: RandomForestClassifier(random_state=42),
    "svc": lambda: SVC(max_iter=10_000, random_state=42),
}


def task(name: str) -> tuple[Examples, Examples, Examples]:
    if not STORED.is_file():
        pytest.skip("the folder shared/ with stored features is not beside the project")
    stored = np.load(STORED)
    splits = np.select([stored["train"], stored["validation"]], ["train", "validation"], "test")
    X = per_speaker(stored[name], stored["speaker"], splits)
    names, y = np.unique(stored["label"], return_inverse=True)
    train, validation, test = (
        Examples(X[splits == s], y[splits == s], len(names)) for s in ("train", "validation", "test")
    )
    return train, validation, test


def tune(splits: tuple[Examples, Examples, Examples], name: str, folder: Path) -> dict[str, object]:
    """Tune one classifier as a worker of `serab eval` does, and return the chosen grid point."""
    train, validation, test = splits
    with threadpool_limits(1):
        spec = plugins.classifier(name)
        workspace = spec.prepare(train, validation, seed=42)
        points = search(
            spec, workspace, validation, accuracy, journal=folder / f"{name}.h5", seed=42, advance=lambda n: None
        )
        best = best_point(points)
        fit_and_predict(workspace.refit, best.params, test)
    return dict(best.params)


def ours(
    splits: tuple[Examples, Examples, Examples], names: tuple[str, ...], folder: Path, pool: ProcessPoolExecutor | None
) -> dict[str, object]:
    """Tune the classifiers in parallel worker processes; without a pool, tune in this process with all cores."""
    if pool is None:
        return {name: tune(splits, name, folder) for name in names}
    waiting = {name: pool.submit(tune, splits, name, folder) for name in names}
    return {name: future.result() for name, future in waiting.items()}


@pytest.fixture(scope="module")
def pool():
    """Return a pool of worker processes that are started before the measurement, as GridSearchCV reuses its own."""
    with ProcessPoolExecutor(len(os.sched_getaffinity(0)), mp_context=get_context("fork")) as executor:
        list(executor.map(abs, range(8)))
        yield executor


def theirs(splits: tuple[Examples, Examples, Examples], names: tuple[str, ...]) -> dict[str, object]:
    train, validation, test = splits
    both = train.followed_by(validation)
    fold = PredefinedSplit(np.repeat([-1, 0], [len(train.y), len(validation.y)]))
    chosen = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            if name == "qda":  # current scikit-learn refuses these classes
                continue
            grid = {key: list(values) for key, values in plugins.classifier(name).search_space.items()}
            grid_search = GridSearchCV(PEERS[name](), grid, cv=fold, n_jobs=-1).fit(both.X, both.y)
            grid_search.predict(test.X)
            chosen[name] = grid_search.best_params_
    return chosen


@pytest.mark.parametrize("who", ["serab", "GridSearchCV"])
@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", SETS)
def test_grids(benchmark, name, group, who, tmp_path, pool):
    benchmark.group = f"{name}: {group}"
    splits = task(name)
    count = iter(range(100))

    def run() -> dict[str, object]:
        if who == "GridSearchCV":
            return theirs(splits, GROUPS[group])
        folder = tmp_path / str(next(count))
        folder.mkdir()
        return ours(splits, GROUPS[group], folder, pool if len(GROUPS[group]) > 1 else None)

    rounds = 1 if group == "RF" or (who == "GridSearchCV" and name == "compare_2016") else 5
    chosen = benchmark.pedantic(run, rounds=rounds, warmup_rounds=0 if rounds == 1 else 1)
    benchmark.extra_info["points"] = sum(
        int(np.prod([len(v) for v in plugins.classifier(n).search_space.values()])) for n in chosen
    )


@pytest.mark.parametrize("tuner", ["grid", "tpe"])
@pytest.mark.parametrize("name", [*SETS, "byol_a_512"])
def test_wide_search(benchmark, name, tuner, tmp_path):
    """Measure 60 trials in the wide spaces against all 100 grid points: time, and the best validation score."""
    benchmark.group = f"{name}: 60 trials of TPE, and the grids"
    train, validation, _ = task(name)
    specs = [plugins.classifier(n) for n in ("lda", "lr", "qda", "rf", "svc")]
    trials_by_name, count = allocate_trials(specs, 60), iter(range(100))

    def run() -> float:
        folder, best = tmp_path / str(next(count)), 0.0
        folder.mkdir()
        with threadpool_limits(1):
            for spec in specs:
                points = search(
                    spec, spec.prepare(train, validation, seed=42), validation, accuracy, journal=folder / spec.name,
                    seed=42, advance=lambda n: None, trials=trials_by_name[spec.name] if tuner == "tpe" else None,
                )  # fmt: skip
                best = max(best, best_point(points).score)
        return best

    best = benchmark.pedantic(run, rounds=3)
    benchmark.extra_info["right_of_107"] = round(best * len(validation.y))


class _Constant:
    """A workspace that costs nothing."""

    def __init__(self, y: np.ndarray) -> None:
        self._y = y

    def fit(self, params: object) -> _Constant:
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self._y


@pytest.mark.benchmark(group="what Optuna and the journal add to the 100 points")
def test_overhead(benchmark, tmp_path):
    examples = Examples(np.zeros((10, 2)), np.arange(10) % 2, 2)
    count = iter(range(100))

    def run() -> None:
        folder = tmp_path / str(next(count))
        folder.mkdir()
        for name in ("lda", "lr", "qda", "rf", "svc"):
            search(
                plugins.classifier(name), _Constant(examples.y), examples, accuracy, journal=folder / f"{name}.h5",
                seed=42, advance=lambda n: None,
            )  # fmt: skip

    benchmark.pedantic(run, rounds=7, warmup_rounds=1)
