"""The compiled forest equals that of scikit-learn: every node of every tree, and the class fractions of its leaves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serab_plugin_classifiers._forest import STAGES, TREES, ForestPredictor, ForestWorkspace
from sklearn.ensemble import RandomForestClassifier

from serab_core import Examples
from serab_core.types import PointError


def peer(examples: Examples, params, trees: int = TREES) -> RandomForestClassifier:
    return RandomForestClassifier(trees, random_state=3, **params).fit(examples.X, examples.y)


def same(forest: ForestPredictor, reference: RandomForestClassifier, X: np.ndarray) -> None:
    trees = [tree.tree_ for tree in reference.estimators_]
    assert list(np.diff(forest.starts)) == [tree.node_count for tree in trees]
    for name, attribute in (
        ("left", "children_left"), ("right", "children_right"), ("feature", "feature"), ("threshold", "threshold"),
    ):  # fmt: skip
        np.testing.assert_array_equal(
            getattr(forest, name), np.concatenate([getattr(tree, attribute) for tree in trees])
        )
    np.testing.assert_array_equal(forest.totals(X) / len(trees), reference.predict_proba(X))
    np.testing.assert_array_equal(forest.predict(X), reference.predict(X))


def problem(seed: int, n: int, d: int, k: int, values: str) -> Examples:
    """Return features of several kinds: continuous, with many ties, nearly equal, constant."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d))
    if values == "ties":
        X = np.round(X * 2) / 2
    elif values == "close":
        X = X * 1e-7
    X[:, rng.random(d) < 0.2] = 0.5
    y = np.sort(rng.choice(k + 2, k, replace=False))[rng.integers(0, k, n)]  # some class may be absent
    X[:, 0] += y
    return Examples(X, y, k + 2)


@given(
    seed=st.integers(0, 2**20),
    n=st.integers(2, 150),
    d=st.integers(1, 40),
    k=st.integers(1, 5),
    values=st.sampled_from(["continuous", "ties", "close"]),
    depth=st.integers(1, 12),
    least=st.sampled_from([2, 3, 5, 10]),
    weight=st.sampled_from([None, "balanced"]),
)
@settings(max_examples=40, deadline=None)
def test_node_for_node(seed, n, d, k, values, depth, least, weight):
    train = problem(seed, n, d, k, values)
    params = {"max_depth": depth, "min_samples_split": least, "class_weight": weight}
    same(ForestWorkspace(train, train, 3).fit(params), peer(train, params), train.X)


@pytest.mark.parametrize("weight", [None, "balanced"])
def test_lists_long_enough_for_every_way_of_sorting(weight):
    train, params = problem(1, 2_000, 6, 4, "continuous"), {"max_depth": 25, "min_samples_split": 2}
    params["class_weight"] = weight
    same(ForestWorkspace(train, train, 3).fit(params), peer(train, params), train.X)


def test_limits_share_trees_that_they_do_not_touch():
    train = problem(2, 120, 30, 3, "continuous")
    workspace = ForestWorkspace(train, train, 3)
    for depth in (6, 20, 9, 4, 7, 20):
        params = {"max_depth": depth, "min_samples_split": 2, "class_weight": None}
        same(workspace.fit(params), peer(train, params), train.X)
    (known,) = workspace._untouched.values()
    assert any(tree is not None for tree in known)


def test_refit_and_stages():
    train, validation = problem(4, 90, 20, 3, "ties"), problem(5, 40, 20, 3, "ties")
    params = {"max_depth": 5, "min_samples_split": 2, "class_weight": "balanced"}
    workspace = ForestWorkspace(train, validation, 3)
    same(workspace.refit(params), peer(train.followed_by(validation), params), validation.X)
    for stage, size in zip(workspace.partial_fits(params), STAGES, strict=True):
        same(stage, peer(train, params, size), validation.X)


def test_there_and_back():
    train = problem(6, 50, 10, 3, "continuous")
    forest = ForestWorkspace(train, train, 0).refit({"max_depth": 5, "min_samples_split": 2, "class_weight": None})
    np.testing.assert_array_equal(ForestPredictor.rebuild(forest.export()).totals(train.X), forest.totals(train.X))


def test_features_that_are_not_finite():
    train = problem(7, 20, 3, 2, "continuous")
    train.X[3, 1] = np.nan
    with pytest.raises(PointError, match="not finite"):
        ForestWorkspace(train, train, 0).fit({"max_depth": 5, "min_samples_split": 2, "class_weight": None})
