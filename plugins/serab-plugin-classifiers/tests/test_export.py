"""Exported classifiers predict the same as the fitted ones, without scikit-learn, pickle or the training data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core import plugins
from serab_core.tune.exported import ClassifierMetadata, load_export, write_export
from serab_core.tune.points import fit_and_predict, grid_points
from serab_core.types import Examples

POINTS = {
    "lda": [{"solver": "lsqr"}, {"solver": "lsqr", "shrinkage": 0.3}],
    "lr": [{"C": 1.0, "class_weight": "balanced"}],
    "qda": [{"reg_param": 0.1}],
    "rf": [{"max_depth": 6, "min_samples_split": 2, "class_weight": "balanced"}],
    "svc": [
        {"kernel": "rbf", "C": 10.0, "class_weight": None},
        {"kernel": "linear", "C": 0.1, "class_weight": "balanced"},
        {"kernel": "rbf", "C": 10.0, "class_weight": None, "gamma_by_scale": 3.0},
    ],
}
CASES = [(name, params) for name, several in POINTS.items() for params in several]


def random_examples(seed: int, sizes: tuple[int, ...], d: int) -> Examples:
    rng = np.random.RandomState(seed)
    y = np.repeat(np.arange(len(sizes)), sizes).astype(np.int64)
    X = rng.standard_normal((len(y), d)) + 1.5 * np.random.RandomState(99).standard_normal((len(sizes), d))[y]
    return Examples(X.astype(np.float32).astype(np.float64), y, len(sizes))


def metadata_of(name: str, params: dict, d: int, normalisation: str, classes: int = 4) -> ClassifierMetadata:
    labels = tuple("abcdef"[:classes])
    return ClassifierMetadata("x", "f", "t", "serab", name, "1", params, labels, d, normalisation)


@pytest.mark.parametrize(("name", "params"), CASES)
@pytest.mark.parametrize(("sizes", "d"), [((20, 12, 25, 9), 6), ((9, 7, 12, 8), 50), ((15, 11), 8)])
def test_read_back_it_predicts_the_same(tmp_path, name, params, sizes, d):
    train, validation, fresh = (
        random_examples(0, sizes, d),
        random_examples(1, sizes, d),
        random_examples(2, (30,) * len(sizes), d),
    )
    spec = plugins.classifier(name)
    fitted = spec.prepare(train, validation, seed=42).refit(params)
    expected = fit_and_predict(lambda p: fitted, params, fresh)
    write_export(
        tmp_path / "c",
        metadata_of(name, params, d, "train", len(sizes)),
        fitted.export(),
        {},
        np.zeros((3, d), np.float32),
    )
    back = load_export(tmp_path / "c")
    assert back.predict(fresh.X) == ["abcdef"[i] for i in expected]
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"classifier.json", "classifier.safetensors"}


@pytest.mark.filterwarnings("ignore:Solver terminated early")
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(2, 9), min_size=2, max_size=5).map(tuple), st.integers(1, 30))
def test_votes_and_trees_are_scikit_learns(seed, sizes, d):
    train, fresh = random_examples(seed, sizes, d), random_examples(seed + 1, (15,) * len(sizes), d)
    for name in ("svc", "rf"):
        spec = plugins.classifier(name)
        params = grid_points(spec)[seed % len(grid_points(spec))]
        workspace = spec.prepare(train, fresh, seed=42)
        fitted = workspace.fit(params) if name == "svc" else workspace.refit(params)  # the same types as refit gives
        again = spec.rebuild(fitted.export())
        assert np.array_equal(fit_and_predict(lambda p, f=fitted: f, params, fresh), again.predict(fresh.X))


def test_every_classifier_of_the_paper_can_be_rebuilt():
    assert all(plugins.classifier(name).rebuild is not None for name in POINTS)
