"""Metrics against scikit-learn; choices and means against their definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from serab_core.data.protocols import PROTOCOLS, SUITE
from serab_core.errors import TuningError
from serab_core.score.aggregate import unweighted_mean
from serab_core.score.choose import choose
from serab_core.score.metrics import accuracy, uar
from serab_core.types import ClassifierOutcome, Point, TaskResult


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1, max_size=60))
def test_metrics_agree_with_scikit_learn(pairs):
    truth, predicted = zip(*pairs, strict=True)
    assert accuracy(truth, predicted) == pytest.approx(accuracy_score(truth, predicted))
    assert uar(truth, predicted) == pytest.approx(balanced_accuracy_score(truth, predicted))


def test_known_answers():
    assert accuracy(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == 0.75
    assert uar(["a", "a", "a", "b"], ["a", "a", "b", "b"]) == pytest.approx((2 / 3 + 1) / 2)
    assert uar(["a", "a"], ["z", "a"]) == 0.5
    assert accuracy(np.array([1, 2]), np.array([1, 1])) == 0.5


@pytest.mark.parametrize(("truth", "predicted"), [([], []), (["a"], ["a", "b"]), ([["a"]], [["a"]])])
def test_nothing_to_score(truth, predicted):
    for metric in (accuracy, uar):
        with pytest.raises(ValueError, match=r"shape|no utterances"):
            metric(truth, predicted)


def outcome(name, validation, test):
    return ClassifierOutcome(
        name, name, (Point({}, validation),), {}, validation, None, {"accuracy": test, "uar": test}
    )


def test_the_protocol_chooses():
    outcomes = [outcome("lda", 0.8, 0.9), outcome("lr", 0.9, 0.7), outcome("svc", 0.9, 0.8)]
    assert choose(outcomes, PROTOCOLS["serab"]).classifier == "lr"
    assert choose(outcomes, PROTOCOLS["serab-released"]).classifier == "lda"
    unfitted = ClassifierOutcome("qda", "QDA", (Point({}, None, "no way"),), None, None, None, {})
    assert choose([unfitted, *outcomes], PROTOCOLS["strict"]).classifier == "lr"
    with pytest.raises(TuningError, match="qda: no way"):
        choose([unfitted], PROTOCOLS["serab"])


def result(task, accuracy_, **changes):
    made = TaskResult(
        "x",
        task,
        "de",
        "serab",
        "default",
        {},
        "lda",
        {"accuracy": accuracy_, "uar": accuracy_ / 2, "macro_recall": accuracy_ / 4},
        (),
        False,
        False,
        (),
        task,
        {},
        {},
    )
    return replace(made, **changes)


def test_mean_says_over_what():
    results = [
        result("emodb", 0.8),
        result("cafe", 0.6),
        result("savee", 0.1, partial=True),
        result("demo", 1.0, synthetic=True),
        result("my-own", 1.0),
        result("aesdd", 1.0, extractor="y"),
    ]
    mean = unweighted_mean("x", results, SUITE)
    assert mean.tasks == ("cafe", "emodb")
    assert mean.accuracy == pytest.approx(0.7)
    assert mean.uar == pytest.approx(0.35)
    assert mean.macro_recall == pytest.approx(0.175)
    assert len(mean.missing) == 7
    none = unweighted_mean("z", results, SUITE)
    assert (none.accuracy, none.uar, none.macro_recall, none.tasks) == (None, None, None, ())
