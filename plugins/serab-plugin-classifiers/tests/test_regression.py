"""Ridge and support vector regression, compared with scikit-learn."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from serab_plugin_classifiers import _regression
from serab_plugin_classifiers._regression import RidgeWorkspace, SvrWorkspace
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from serab_core import plugins
from serab_core.tune.points import grid_points
from serab_core.types import Examples, PointError


def examples(seed: int, n: int, d: int) -> Examples:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * rng.uniform(0.2, 3, d) + rng.standard_normal(d)
    return Examples(X, 3 + X[:, 0] + rng.standard_normal(n), 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(3, 40), st.integers(1, 60), st.sampled_from([1e-5, 0.1, 10.0, 1e5]))
def test_ridge_is_scikit_learns(seed, n, d, alpha):
    train, validation, fresh = examples(seed, n, d), examples(seed + 1, 9, d), examples(seed + 2, 20, d).X
    workspace = RidgeWorkspace(train, validation)
    for fit, data in ((workspace.fit, train), (workspace.refit, train.followed_by(validation))):
        theirs = Ridge(alpha=alpha, solver="svd").fit(data.X, data.y).predict(fresh)
        np.testing.assert_allclose(fit({"alpha": alpha}).predict(fresh), theirs, rtol=1e-5, atol=1e-5 * np.ptp(data.y))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.integers(5, 40), st.integers(1, 40), st.integers(0, 21), st.booleans())
def test_svr_is_scikit_learns_on_standardised_targets(seed, n, d, place, many):
    train, fresh = examples(seed, n, d), examples(seed + 2, 20, d).X
    params = grid_points(plugins.classifier("svr"))[place]
    scaler = StandardScaler().fit(train.y[:, None])
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setattr(_regression, "MAX_SHARED", 0 if many else 6000)
        theirs = SVR(max_iter=10_000, **params).fit(train.X, scaler.transform(train.y[:, None])[:, 0])
        ours = SvrWorkspace(train, train).fit(params).predict(fresh)
    expected = scaler.inverse_transform(theirs.predict(fresh)[:, None])[:, 0]
    np.testing.assert_allclose(ours, expected, atol=1e-3 * np.ptp(train.y))


def test_a_constant_target_is_no_task():
    flat = Examples(np.eye(4), np.full(4, 2.0), 0)
    for workspace in (RidgeWorkspace(flat, flat), SvrWorkspace(flat, flat)):
        with pytest.raises(PointError, match="the same for every utterance"):
            workspace.fit({"alpha": 1.0, "kernel": "linear", "C": 1.0})
