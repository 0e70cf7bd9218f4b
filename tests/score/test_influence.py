"""Influences of utterances, against finite differences of the metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.score.bootstrap import drawn
from serab_core.score.influence import influences
from serab_core.score.metrics import CLASS_METRICS, ccc, from_margins
from serab_core.score.scored import Scored

STEP = 1e-5  # added weight of one utterance


def sample(seed: int, count: int) -> Scored:
    rng = np.random.default_rng(seed)
    truth = rng.choice(list("abcd"), count)
    predicted = np.where(rng.random(count) < 0.5, truth, rng.choice(list("abcde"), count))
    return Scored(tuple(map(str, range(count))), truth, predicted, rng.choice(list("xyz"), count))


def weighted(test: Scored, metric: str, weights: np.ndarray) -> float:
    classes, places = np.unique(np.concatenate([test.truth, test.predicted]), return_inverse=True)
    true, predicted = np.split(places, 2)
    sums = [
        np.bincount(c, w, len(classes))
        for c, w in ((true, weights * test.right), (true, weights), (predicted, weights))
    ]
    return float(from_margins(metric, np.stack(sums)))


@pytest.mark.parametrize("metric", CLASS_METRICS)
@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(3, 60))
def test_influences_are_derivatives(metric, seed, count):
    test = sample(seed, count)
    even = np.ones(count)
    expected = [
        (weighted(test, metric, even + STEP * row) - weighted(test, metric, even)) / STEP for row in np.eye(count)
    ]
    assert influences(test, metric) == pytest.approx(expected, abs=1e-4)
    assert influences(test, metric).sum() == pytest.approx(0, abs=1e-9)


def test_influences_on_concordance_are_derivatives():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=50)
    predicted = 0.5 * truth + rng.normal(size=50) + 0.3
    found = influences(Scored(tuple(map(str, range(50))), truth, predicted, np.array(["x"] * 50)), "ccc")

    def of(weights):
        w = weights / weights.sum()
        t, p = truth - w @ truth, predicted - w @ predicted
        return 2 * (w @ (t * p)) / (w @ t**2 + w @ p**2 + (w @ truth - w @ predicted) ** 2)

    assert of(np.ones(50)) == pytest.approx(ccc(truth, predicted))
    expected = [(of(np.ones(50) + STEP * row) - of(np.ones(50))) / STEP for row in np.eye(50)]
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_their_squares_sum_to_the_variance_over_utterances(metric):
    test = sample(3, 400)
    spread = drawn(test, 4000, over="utterances").values(metric).std()
    assert np.sqrt(np.sum(influences(test, metric) ** 2)) == pytest.approx(spread, rel=0.08)


def test_a_perfect_classifier_has_no_influences():
    test = Scored(("a", "b"), np.array(["x", "x"]), np.array(["x", "x"]), np.array(["1", "2"]))
    for metric in CLASS_METRICS:
        assert not influences(test, metric).any()
        assert np.isfinite(drawn(test, 50).values(metric)).all()
