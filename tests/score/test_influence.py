"""Influences of utterances, against finite differences of the metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.score.bootstrap import drawn
from serab_core.score.compare import compare
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


def extreme(speakers: int, predict) -> Scored:
    truth = np.array(list("abcd") * 5 * speakers)
    return Scored(tuple(map(str, range(len(truth)))), truth, predict(truth), np.repeat(np.arange(speakers), 20))


def all_wrong(truth):
    return np.roll(truth, 1)


@pytest.mark.parametrize("speakers", [3, 5, 8])
@pytest.mark.parametrize("metric", CLASS_METRICS)
def test_perfect_against_all_wrong_is_as_significant_by_every_metric(metric, speakers):
    perfect, wrong = extreme(speakers, lambda truth: truth), extreme(speakers, all_wrong)
    by_accuracy, found = compare(perfect, wrong), compare(perfect, wrong, metric)
    assert found.difference == pytest.approx(1.0 if metric != "kappa" else 4 / 3)
    assert found.p == pytest.approx(by_accuracy.p, rel=0.05)


@pytest.mark.parametrize("metric", CLASS_METRICS)
@pytest.mark.parametrize("speakers", [3, 8])
def test_two_constant_predictions_do_not_differ(metric, speakers):
    """Their influences on kappa are rounding noise."""
    rng = np.random.default_rng(0)
    truth = rng.choice(list("abcd"), 20 * speakers)
    truth[truth == "b"] = "a"
    truth[: len(truth) // 2] = "a"
    equal = np.where(np.arange(len(truth)) % 2, "a", "b")
    ids, who = tuple(map(str, range(len(truth)))), np.repeat(np.arange(speakers), 20)
    constants = [Scored(ids, equal, np.full(len(equal), label), who) for label in "ab"]
    assert compare(*constants, metric).p == 1.0


def test_a_large_offset_does_not_change_concordance():
    rng = np.random.default_rng(2)
    truth, who = rng.normal(size=120), np.repeat(np.arange(6), 20)
    predicted = 0.5 * truth + rng.normal(size=120)
    ids = tuple(map(str, range(120)))
    near, far = (drawn(Scored(ids, truth + shift, predicted + shift, who), 200) for shift in (0.0, 1e6))
    assert far.score("ccc") == pytest.approx(near.score("ccc"), abs=1e-6)
    assert far.interval("ccc").low == pytest.approx(near.interval("ccc").low, abs=1e-5)


def test_a_perfect_classifier_has_no_influences():
    test = extreme(2, lambda truth: truth)
    for metric in CLASS_METRICS:
        assert not influences(test, metric).any()
        assert np.isfinite(drawn(test, 50).values(metric)).all()
