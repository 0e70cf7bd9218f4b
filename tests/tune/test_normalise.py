"""Normalisation against a plain transcription of its definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from serab_core.tune.normalise import by_training_split, per_speaker, standardise

rng = np.random.RandomState(0)


def test_per_speaker_is_done_inside_each_split():
    X = rng.standard_normal((60, 4)).astype(np.float32) * 7 + 3
    groups = np.array(list("aabbcc") * 10)
    splits = np.repeat(["train", "validation", "test"], 20)
    out = per_speaker(X, groups, splits)
    assert out.dtype == np.float64
    for split in np.unique(splits):
        for group in np.unique(groups):
            rows = (splits == split) & (groups == group)
            own = X[rows].astype(np.float64)
            expected = (own - own.mean(axis=0)) / own.std(axis=0)
            np.testing.assert_allclose(out[rows], expected, rtol=1e-12)


def test_by_training_split_sees_no_other():
    X = rng.standard_normal((30, 3)).astype(np.float32)
    splits = ["train"] * 10 + ["validation"] * 10 + ["test"] * 10
    out = by_training_split(X, splits)
    changed = X.copy()
    changed[10:] *= 100
    np.testing.assert_array_equal(by_training_split(changed, splits)[:10], out[:10])
    np.testing.assert_allclose(out[:10].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(out[:10].std(axis=0), 1)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e8, -1e-8, 1 / 3])
def test_what_does_not_vary_becomes_zero(value):
    np.testing.assert_allclose(standardise(np.full((17, 2), value)), 0.0, atol=1e-7 * max(1, abs(value)))
    np.testing.assert_allclose(standardise(np.full((1, 2), value)), 0.0, atol=1e-12)


@given(arrays(np.float64, (9, 3), elements=st.floats(-1e6, 1e6)))
def test_always_finite_and_bounded(X):
    out = standardise(X)
    assert np.isfinite(out).all()
    assert np.abs(out).max() <= 9
