"""The search: the paper's order, ties, failures, and a study that goes on after a kill."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid

from serab_core.errors import TuningError
from serab_core.score.metrics import accuracy
from serab_core.tune.plain import estimator_workspace
from serab_core.tune.points import best_point, grid_points
from serab_core.tune.study import search
from serab_core.types import ClassifierSpec, Examples, Point, PointError

SPACE = {"kernel": ("rbf", "linear"), "C": (100.0, 1.0, 0.01), "class_weight": ("balanced", None)}


class Counting:
    """Predicts class 0 for some points and class 1 for others, and remembers what it was asked."""

    asked: list = []  # noqa: RUF012

    def __init__(self, params):
        self.params = params

    def fit(self, X, y):
        Counting.asked.append(dict(self.params))
        if Counting.stop_at is not None and len(Counting.asked) >= Counting.stop_at:
            raise KeyboardInterrupt
        if self.params["C"] == 1.0:
            raise PointError("C may not be 1")
        return self

    def predict(self, X):
        return np.full(len(X), 0 if self.params["kernel"] == "linear" else 1)


@pytest.fixture
def spec():
    Counting.asked, Counting.stop_at = [], None
    return ClassifierSpec(
        name="counting",
        title="Counting",
        search_space=SPACE,
        prepare=estimator_workspace(lambda params, seed: Counting(params)),
    )


DATA = Examples(np.zeros((4, 2)), np.array([0, 0, 0, 1]), 2)


def run(spec, journal, advance=lambda n: None):
    workspace = spec.prepare(DATA, DATA, seed=42)
    return search(spec, workspace, DATA, accuracy, journal=journal, seed=42, advance=advance)


def test_grid_order_is_scikit_learns(spec):
    assert list(grid_points(spec)) == list(ParameterGrid({k: list(v) for k, v in SPACE.items()}))


def test_every_point_once_with_its_score_or_reason(spec, tmp_path):
    steps = []
    points = run(spec, tmp_path / "s.h5", steps.append)
    assert [p.params for p in points] == list(grid_points(spec))
    assert sum(steps) == len(points) == len(Counting.asked) == 12
    for point in points:
        if point.params["C"] == 1.0:
            assert (point.score, point.reason) == (None, "C may not be 1")
        else:
            assert point.score == (0.75 if point.params["kernel"] == "linear" else 0.25)
    assert best_point(points).params == {"C": 100.0, "class_weight": "balanced", "kernel": "linear"}


def test_a_finished_study_is_not_run_again(spec, tmp_path):
    first = run(spec, tmp_path / "s.h5")
    Counting.asked = []
    steps = []
    assert run(spec, tmp_path / "s.h5", steps.append) == first
    assert Counting.asked == []
    assert sum(steps) == 12


@pytest.mark.parametrize("stop_at", [1, 2, 7, 12])
def test_an_interrupted_study_goes_on_where_it_stood(spec, tmp_path, stop_at):
    whole = run(spec, tmp_path / "whole.h5")
    Counting.asked, Counting.stop_at = [], stop_at
    with pytest.raises(KeyboardInterrupt):
        run(spec, tmp_path / "s.h5")
    done = Counting.asked[:-1]
    Counting.asked, Counting.stop_at = [], None
    assert run(spec, tmp_path / "s.h5") == whole
    again = [p for p in Counting.asked if p in done]
    assert again == []
    assert len(Counting.asked) == 12 - len(done)


def test_a_damaged_journal_is_set_aside(spec, tmp_path):
    (tmp_path / "s.h5").write_bytes(b"junk")
    assert len(run(spec, tmp_path / "s.h5")) == 12
    assert list(tmp_path.glob("s.h5.bad-*"))


scores = st.one_of(st.none(), st.sampled_from([0.1, 0.5, 0.9]))


@given(st.lists(scores, max_size=20))
def test_best_point_is_the_first_of_the_best(values):
    points = tuple(Point({"i": i}, value) for i, value in enumerate(values))
    best = best_point(points)
    there = [value for value in values if value is not None]
    if not there:
        assert best is None
    else:
        assert best.params["i"] == values.index(max(there))


def test_plain_workspace_names_what_an_estimator_cannot():
    class Refuses:
        def fit(self, X, y):
            raise ValueError("two\n lines")

    workspace = estimator_workspace(lambda params, seed: Refuses())(DATA, DATA, seed=1)
    for fit in (workspace.fit, workspace.refit):
        with pytest.raises(PointError, match="^two lines$"):
            fit({})


def test_tuning_names_the_classifier_that_breaks(toys, prepared_tones, tmp_path):
    from serab_core import plugins
    from serab_core.data.protocols import PROTOCOLS
    from serab_core.tune.classifier import normalised, tune_classifier

    protocol = PROTOCOLS["serab"]
    task = prepared_tones.task(protocol)
    embeddings = np.random.RandomState(0).standard_normal((len(task.utterances), 5)).astype(np.float32)
    features = normalised(task, embeddings, protocol)

    def tune(name):
        spec = plugins.classifier(name)
        path = tmp_path / f"{name}.h5"
        return tune_classifier(spec, protocol, task, features, accuracy, journal=path, advance=lambda n: None)

    with pytest.raises(TuningError, match="classifier crash raised AttributeError: a bug in the plugin"):
        tune("crash")
    points, best, predictions = tune("never")
    assert best is None
    assert predictions is None
    assert {p.reason for p in points} == {"it never fits"}
    points, best, predictions = tune("centroid")
    assert predictions.ids == tuple(u.id for u in task.utterances if u.split == "test")
    assert set(predictions.predicted) <= {"low", "mid", "high"}
