"""For each check of a classifier a plugin that fails it, and no other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serab_core import plugins
from serab_core.testing import classifier_checks
from serab_core.types import Exported, PointError


def failing(name: str) -> set[str]:
    failed = set()
    for check in classifier_checks(name):
        try:
            check()
        except AssertionError as error:
            assert f"fails {check.id}" in str(error)
            failed.add(check.id)
    return failed


class Changed:
    """The toy classifier's workspace, with something done before each fit and to each prediction."""

    calls = 0

    def __init__(self, inner, train, before, after, proba):
        self._inner, self._train, self._before, self._after, self._proba = inner, train, before, after, proba

    def _fit(self, how, params):
        self._before(self._train, params)
        fitted = getattr(self._inner, how)(params)
        after = self._after

        class Predictor:
            def predict(self, X):
                Changed.calls += 1
                return after(fitted.predict(X), X, Changed.calls)

        if self._proba is not None:
            Predictor.predict_proba = staticmethod(self._proba)
        return Predictor()

    def fit(self, params):
        return self._fit("fit", params)

    def refit(self, params):
        return self._fit("refit", params)


def nothing(*_):
    return None


def changed(before=nothing, after=lambda predicted, X, calls: predicted, split=nothing, proba=None):
    own = plugins.classifier("centroid").prepare

    def prepare(train, validation, /, *, seed):
        split(validation)
        return Changed(own(train, validation, seed=seed), train, before, after, proba)

    return {"prepare": prepare, "rebuild": None}


def no_reason(train, params):
    if params["shrink"] > 1:
        raise PointError(" ")


def first_is(value, when):
    def after(predicted, X, calls):
        predicted = predicted.copy()
        if when(X, calls):
            predicted[0] = value
        return predicted

    return after


def needs_all_classes(validation):
    assert len(set(validation.y.tolist())) == 3, "classes are missing"


def scale(train, params):
    train.X[:] *= 1.0


def by_seed():
    """A classifier whose first prediction is the parity of its seed."""
    build = {parity: changed(after=first_is(parity, lambda *_: True))["prepare"] for parity in (0, 1)}

    def prepare(train, validation, /, *, seed):
        return build[seed % 2](train, validation, seed=seed)

    return {"prepare": prepare, "rebuild": None}


class Other:
    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X), np.int64)


BROKEN = {
    "grid": lambda: {"search_space": {"shrink": (0.0, 0.0)}},
    "points": lambda: changed(before=no_reason),
    "learns": lambda: changed(after=lambda predicted, X, calls: predicted * (X.shape[1] != 6)),
    "learns-wide": lambda: changed(after=lambda predicted, X, calls: predicted * (X.shape[1] != 200)),
    "reference": lambda: {"reference": lambda params, seed: Other()},
    "repeatable": lambda: changed(
        after=lambda predicted, X, calls: first_is(calls % 2, lambda *_: True)(predicted, X, 0)
    ),
    "seed": lambda: {**by_seed(), "uses_seed": False},
    "known-classes": lambda: changed(after=first_is(3, lambda X, calls: X.shape[1] == 6)),
    "probabilities": lambda: changed(proba=lambda X: np.full((len(X), 3), 0.5)),
    "missing-class": lambda: changed(split=needs_all_classes),
    "input-kept": lambda: changed(before=scale),
    "settings-kept": lambda: changed(before=lambda train, params: np.random.seed(0)),
    "export": lambda: {"rebuild": lambda exported: Other()},
}


@pytest.mark.parametrize(
    ("proba", "said"),
    [
        (lambda X: np.ones((len(X), 4)) / 4, "returned shape"),
        (lambda X: np.ones((len(X), 1, 1)), "returned shape"),
        (lambda X: np.tile([2.0, -1.0, 0.0], (len(X), 1)), "not probabilities"),
        (lambda X: np.full((len(X), 3), np.nan), "not probabilities"),
        (lambda X: np.tile([1.0, 0.0, 0.0], (len(X), 1)), "the most probable class is the predicted one for 3"),
    ],
)
def test_probabilities_that_are_none_are_named(toys, monkeypatch, proba, said):
    spec = replace(plugins.classifier("centroid"), **changed(proba=proba))
    monkeypatch.setattr(plugins, "classifier", lambda name: spec)
    (check,) = [check for check in classifier_checks("centroid") if check.id == "classifier-probabilities"]
    with pytest.raises(AssertionError, match=said):
        check()


@pytest.mark.parametrize("name", ["centroid", "knn"])
def test_good_ones(toys, name):
    assert failing(name) == set()


@pytest.mark.parametrize("check", BROKEN)
def test_broken_in_one_way(toys, monkeypatch, check):
    spec = replace(plugins.classifier("centroid"), **BROKEN[check]())
    monkeypatch.setattr(plugins, "classifier", lambda name: spec)
    assert failing("centroid") == {f"classifier-{check}"}


def test_each_check_has_a_broken_plugin(toys):
    assert [check.id for check in classifier_checks("knn")] == [f"classifier-{name}" for name in BROKEN]


def test_what_raises_and_what_is_no_plain_data(toys, monkeypatch):
    own = plugins.classifier("centroid")

    class Fitted:
        def predict(self, X):
            return np.zeros(len(X), np.int64)

        def export(self):
            return Exported({"a": np.zeros(2)}, {"set": {1, 2}})

    class Workspace:
        def __init__(self, train, validation, seed):
            pass

        def fit(self, params):
            if params["shrink"] == 2.0:
                raise KeyError("shrink")
            return Fitted()

        refit = fit

    spec = replace(own, prepare=lambda a, b, seed: Workspace(a, b, seed), rebuild=lambda exported: Fitted())
    monkeypatch.setattr(plugins, "classifier", lambda name: spec)
    asked = {"classifier-points": "raises KeyError: 'shrink'", "classifier-export": "its export is not plain data"}
    for check in classifier_checks("centroid"):
        if check.id in asked:
            with pytest.raises(AssertionError, match=asked[check.id]):
                check()


def test_a_point_of_no_grid_and_one_that_never_fits(toys, monkeypatch):
    assert "classifier-learns" in failing("never")
    spec = replace(plugins.classifier("knn"), search_space={})
    monkeypatch.setattr(plugins, "classifier", lambda name: spec)
    classifier_checks("knn")[0]()  # the empty product is one point without parameters
