"""Calibration error, log loss and top-2 accuracy of predicted probabilities."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import serab_core as serab
from serab_core.errors import UsageError
from serab_core.score.metrics import probability_scores
from serab_core.score.outcome import probability_table, scores_of
from serab_core.store.results import read_result, result_path, write_result
from serab_core.types import Predictions

LABELS = ("a", "b", "c")


def predicted_by(table) -> list[str]:
    return [LABELS[place] for place in np.argmax(table, axis=1)]


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(0, 10_000), st.sampled_from([0.0, 0.1]))
def test_log_loss_and_top_two_are_scikit_learns(count, seed, even):
    """Also for probabilities of 0, and for several equal ones."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    truth, table = rng.choice(LABELS, count), (1 - even) * rng.dirichlet(np.full(3, 0.3), count).round(1) + even / 3
    table /= table.sum(axis=1, keepdims=True)
    scores = probability_scores(truth, predicted_by(table), LABELS, table)
    if even:
        assert scores["log_loss"] == pytest.approx(metrics.log_loss(truth, table, labels=LABELS), rel=1e-6)
    descending = np.argsort(-table, axis=1, kind="stable")
    ranks = np.argmax(np.array(LABELS)[descending] == truth[:, None], axis=1)
    assert scores["top2"] == pytest.approx(np.mean(ranks < 2))
    if not any(len(set(row)) < 3 for row in table.tolist()):
        assert scores["top2"] == pytest.approx(metrics.top_k_accuracy_score(truth, table, k=2, labels=LABELS))
    two = table[:, :2] / np.maximum(table[:, :2].sum(axis=1, keepdims=True), 1e-9)
    assert "top2" not in probability_scores(truth, predicted_by(two), LABELS[:2], two)


def test_top_two_of_equal_probabilities_is_no_hit_by_default():
    """Saturated, uniform, and a class without a column."""
    guesses = np.eye(3)[np.arange(300) % 3]
    truth = np.array(LABELS)[np.random.default_rng(0).integers(0, 3, 300)]
    assert probability_scores(truth, predicted_by(guesses), LABELS, guesses)["top2"] == pytest.approx(2 / 3, abs=0.1)
    even = np.full((3, 3), 1 / 3)
    assert probability_scores(LABELS, ["a"] * 3, LABELS, even)["top2"] == pytest.approx(2 / 3)
    assert probability_scores(["d"], ["a"], LABELS, [[1.0, 0.0, 0.0]])["top2"] == 0.0


def test_calibration_by_hand():
    """Two bins: 0.65 is right once in two, which is 0.15 too sure; 0.85 is always right, 0.15 too modest."""
    truth = ["a", "b", "a", "a"]
    table = [[0.65, 0.35], [0.65, 0.35], [0.85, 0.15], [0.85, 0.15]]
    assert probability_scores(truth, ["a"] * 4, ("a", "b"), table)["ece"] == pytest.approx(0.15)
    sure = probability_scores(["a", "b"], ["a", "b"], ("a", "b"), [[1.0, 0.0], [0.0, 1.0]])
    assert sure == {"ece": 0.0, "log_loss": 0.0}


def test_calibration_is_of_the_predicted_class():
    """A prediction that is always right has a probability of 0.2."""
    table = [[0.2, 0.8]] * 5
    assert probability_scores(["a"] * 5, ["a"] * 5, ("a", "b"), table)["ece"] == pytest.approx(0.8)


def test_a_calibrated_model_has_a_small_error():
    rng = np.random.default_rng(0)
    table = rng.dirichlet(np.ones(3), 40_000)
    truth = np.array(LABELS)[(table.cumsum(axis=1) > rng.random((len(table), 1))).argmax(axis=1)]
    assert probability_scores(truth, predicted_by(table), LABELS, table)["ece"] < 0.01


def test_a_true_class_without_a_column_costs_the_most_and_nothing_is_infinite():
    scores = probability_scores(["d"], ["a"], LABELS, [[1.0, 0.0, 0.0]])
    assert scores["log_loss"] == pytest.approx(-np.log(np.finfo(np.float32).eps))
    with pytest.raises(ValueError, match="shape"):
        probability_scores(["a"], ["a"], LABELS, [[1.0, 0.0]])
    with pytest.raises(ValueError, match="shape"):
        probability_scores([], [], LABELS, np.zeros((0, 3)))


def with_probabilities(result, table):
    from dataclasses import replace

    (outcome,) = result.outcomes
    test = outcome.test
    data = np.asarray(table, "<f4").tobytes()
    test = Predictions(test.ids, test.truth, test.predicted, tuple("abcd"), data)
    outcome = replace(outcome, test=test, scores=scores_of(test))
    return replace(result, outcomes=(outcome,), scores=outcome.scores)


def test_probabilities_are_stored_and_read(make_result, home):
    result = make_result("x", "emodb", 0.8, speakers=5, each=8)
    table = np.random.default_rng(0).dirichlet(np.ones(4), 40).astype(np.float32)
    result = with_probabilities(result, table)
    path = result_path(home.ensure(), "x", "emodb", "serab", result.key)
    write_result(path, result)
    again = read_result(path)
    assert again == result
    assert np.array_equal(probability_table(again.outcome().test), table)
    frame = serab.load_results()["x", "emodb"].probabilities()
    assert list(frame.columns) == list("abcd")
    assert np.allclose(frame.to_numpy(), table)
    assert serab.load_results()["x", "emodb"].scores["ece"] == result.scores["ece"]


OTHER_FIRST_VALUE = "AAAAAAAA"  # 0.0 in base64, with half of the next value


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda test: test.update(probabilities="AAAA"), "is incomplete"),
        (lambda test: test.update(labels=["a"]), "is incomplete"),
        (lambda test: test.update(labels=["a", "b", "c", "c"]), "have two columns of one class"),
        (lambda test: test.update(probabilities=OTHER_FIRST_VALUE + test["probabilities"][8:]), "do not sum to 1"),
        (lambda test: test.pop("probabilities"), "lda has a score 'ece' that its predictions do not give"),
    ],
)
def test_damaged_probabilities_are_left_out(make_result, home, serab, change, said):
    result = with_probabilities(make_result("x", "emodb", 0.8, speakers=5, each=8), np.full((40, 4), 0.25))
    path = result_path(home.ensure(), "x", "emodb", "serab", result.key)
    write_result(path, result)
    document = json.loads(path.read_text())
    change(document["outcomes"][0]["test"])
    path.write_text(json.dumps(document))
    code, _, err = serab("leaderboard")
    assert code == 2, err
    assert said in " ".join(err.split())


def test_an_evaluation_without_probabilities_says_so(prepared_tones, home):
    result = serab.evaluate("toy", tasks=["tones"], classifiers=["knn"], progress=False)["toy"]
    with pytest.raises(UsageError, match="gave no probabilities"):
        result.probabilities()


@pytest.mark.standard
@pytest.mark.parametrize("classifier", ["lda", "lr", "rf", "qda"])
def test_classifiers_that_give_probabilities_are_evaluated_with_them(prepared_tones, home, classifier):
    result = serab.evaluate("toy", tasks=["tones"], classifiers=[classifier], progress=False)["toy"]
    frame = result.probabilities()
    assert np.allclose(frame.sum(axis=1), 1, atol=1e-5)
    predicted = result.predictions().set_index("utterance")["predicted"]
    assert (frame.idxmax(axis=1) == predicted).mean() > 0.95
    assert {"ece", "log_loss"} <= result.scores.keys()
