"""The choice and the average recall of `serab-released`, against the lines of the authors' script."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.data.protocols import PROTOCOLS
from serab_core.score.bootstrap import drawn
from serab_core.score.choose import choose
from serab_core.score.compare import compare, compare_overall
from serab_core.score.metrics import class_scores
from serab_core.score.optimism import optimism
from serab_core.score.outcome import complete_result
from serab_core.score.scored import Scored
from serab_core.score.validity import result_fault
from tests.results_fixtures import outcome

RELEASED = PROTOCOLS["serab-released"]
NAMES = ("lda", "lr", "qda", "rf", "svc")


def transcribed(truth, predictions):
    """Return the classifier, the accuracy and the recall that the lines of the script report."""
    pandas, metrics = pytest.importorskip("pandas"), pytest.importorskip("sklearn.metrics")
    results = {}
    for name, predicted in predictions.items():
        test_acc = metrics.accuracy_score(truth, predicted)
        test_uar = metrics.recall_score(truth, predicted, average="macro", zero_division=0)
        results[name] = {"test_acc": test_acc, "test_uar": test_uar}
    frame = pandas.DataFrame(results).apply(lambda x: round(x * 100, 1))
    best = frame[frame.loc["test_acc"].idxmax()]
    return best.name, float(best["test_acc"]), float(best["test_uar"])


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 4000), st.integers(1, 5), st.integers(0, 2), st.integers(0, 10**6))
def test_choice_and_recall_are_those_of_the_script(count, classifiers, spread, seed):
    rng = np.random.default_rng(seed)
    truth = rng.choice(list("abc"), count)
    predictions, right = {}, int(rng.integers(0, count + 1))
    for name in NAMES[:classifiers]:  # close accuracies, which may be equal after rounding
        predicted = np.full(count, "d") if rng.random() < 0.5 else np.roll(truth, 1)
        hits = rng.permutation(count)[: int(np.clip(right + rng.integers(-spread, spread + 1), 0, count))]
        predicted[hits] = truth[hits]
        predictions[name] = predicted
    ids = [str(place) for place in range(count)]
    outcomes = [outcome(name, truth.tolist(), predicted.tolist(), ids) for name, predicted in predictions.items()]
    chosen = choose(outcomes, RELEASED)
    shown = [float(np.round(100 * chosen.scores[metric], 1)) for metric in ("accuracy", "macro_recall")]
    assert (chosen.classifier, *shown) == pytest.approx(transcribed(truth, predictions))


def test_a_class_that_is_only_predicted_counts_as_zero():
    scores = class_scores(["a", "a", "b"], ["a", "c", "b"])
    assert (scores["uar"], scores["macro_recall"]) == (0.75, 0.5)


def close_outcomes(count: int = 1500):
    """Return outcomes by their number of correct predictions: 80.00, 80.07 and 80.13 %."""
    truth = ["ab"[place % 2] for place in range(count)]
    wrong = {"a": "b", "b": "a"}

    def told(right: int) -> list[str]:
        return [t if place < right else wrong[t] for place, t in enumerate(truth)]

    ids = [f"u{place:04d}" for place in range(count)]
    return {right: outcome("x", truth, told(right), ids) for right in (1200, 1201, 1202)}


def released_result(make_result, chosen: str):
    """Return a result whose accuracies, 80.07 % (LDA) and 80.13 % (LR), are both 80.1 % after rounding."""
    outcomes = close_outcomes()
    lda, lr = replace(outcomes[1201], classifier="lda"), replace(outcomes[1202], classifier="lr")
    made = make_result("x", "crema_d", 0.5)
    speakers = dict.fromkeys(lda.test.ids, "s0")
    scores = {"lda": lda, "lr": lr}[chosen].scores
    return replace(made, protocol="serab-released", outcomes=(lda, lr), chosen=chosen, scores=scores, speakers=speakers)


def test_a_stored_result_is_chosen_again(make_result):
    """Earlier versions chose by accuracy without rounding."""
    result = released_result(make_result, "lr")
    now = complete_result(result)
    assert (now.chosen, now.scores) == ("lda", now.outcome("lda").scores)
    assert result_fault(now) == ""
    assert complete_result(now) == now
    assert complete_result(replace(result, protocol="serab")).chosen == "lr"
    assert optimism(result).claimed == result.outcome("lr").scores["accuracy"]


def test_a_choice_by_another_rule_stays(make_result):
    result = released_result(make_result, "lr")
    third = replace(close_outcomes()[1200], classifier="svc")
    other = replace(result, outcomes=(*result.outcomes, third), chosen="svc", scores=third.scores)
    assert complete_result(other) == other


@pytest.mark.parametrize("missing", ["uar", "macro_recall"])
def test_metrics_that_earlier_versions_did_not_store_are_computed(make_result, missing):
    result = make_result("x", "emodb", 0.5)
    outcomes = tuple(
        replace(o, scores={name: value for name, value in o.scores.items() if name != missing}) for o in result.outcomes
    )
    assert complete_result(replace(result, outcomes=outcomes, scores=outcomes[0].scores)).scores == result.scores


def with_absent(seed: int, speakers: int, absent: float, each: int = 12) -> Scored:
    """Predictions of which some are of class d, which never is true."""
    rng = np.random.default_rng(seed)
    count = speakers * each
    truth = np.array(["abc"[place % 3] for place in range(count)])
    predicted = np.where(rng.random(count) < 0.6, truth, rng.choice(list("abc"), count))
    predicted = np.where(rng.random(count) < absent, "d", predicted)
    return Scored(tuple(map(str, range(count))), truth, predicted, np.repeat(np.arange(speakers), each).astype(str))


@pytest.mark.parametrize("speakers", [2, 3, 8])
def test_without_such_a_class_intervals_and_tests_are_those_of_uar(speakers):
    first, second = with_absent(0, speakers, 0.0), with_absent(1, speakers, 0.0)
    assert drawn(first).interval("macro_recall") == drawn(first).interval("uar")
    assert compare(first, second, "macro_recall") == compare(first, second, "uar")
    pairs = {"x": (first, second), "y": (second, first)}
    assert compare_overall(pairs, "macro_recall") == compare_overall(pairs, "uar")


@pytest.mark.parametrize("speakers", [3, 4])
def test_with_few_speakers_the_interval_is_that_of_uar_times_the_share_of_true_classes(speakers):
    test = with_absent(2, speakers, 0.1)
    recall, uar = drawn(test).interval("macro_recall"), drawn(test).interval("uar")
    assert (recall.low, recall.high) == pytest.approx((0.75 * uar.low, 0.75 * uar.high))


def test_every_exchange_of_speakers_is_scored_anew():
    """An exchange can move all predictions of the absent class to one of the two."""
    first, second = with_absent(3, 6, 0.02), with_absent(4, 6, 0.0)
    assert "d" in first.predicted
    differences = []
    for exchange in range(2**6):
        swapped = np.isin(first.speakers, [str(s) for s in range(6) if exchange >> s & 1])
        ones, others = (np.where(swapped, b.predicted, a.predicted) for a, b in ((first, second), (second, first)))
        scores = [class_scores(first.truth, predicted)["macro_recall"] for predicted in (ones, others)]
        differences.append(abs(scores[0] - scores[1]))
    found = compare(first, second, "macro_recall")
    assert found.p == pytest.approx(np.mean(np.array(differences) >= differences[0] - 1e-12))
    scores = [class_scores(t.truth, t.predicted)["macro_recall"] for t in (first, second)]
    assert found.difference == pytest.approx(scores[0] - scores[1])


def absent_result(make_result, name: str, **changes):
    """A result of which one prediction is of a class without test utterances."""
    made = make_result(name, "emodb", 0.8)
    test = made.outcome().test
    told = ["z", *test.predicted[1:]]
    changed = outcome("lda", test.truth, told, test.ids)
    return replace(made, outcomes=(changed,), scores=changed.scores, **changes)


def test_tables_documents_and_cards_show_the_recall_of_the_script(make_result, store_result, serab):
    results = [absent_result(make_result, name, protocol="serab-released") for name in ("x", "y")]
    for result in results:
        store_result(result)
    recall, uar = (100 * results[0].scores[metric] for metric in ("macro_recall", "uar"))
    assert recall == pytest.approx(0.8 * uar)
    code, out, _ = serab("leaderboard", "--protocol", "serab-released", "--json")
    document = json.loads(out)
    assert code == 0
    row = document["rows"][0]
    assert row["scores"]["emodb"]["macro_recall"] == results[0].scores["macro_recall"]
    reach = row["scores"]["emodb"]["macro_recall_interval"]
    assert reach["low"] < results[0].scores["macro_recall"] < reach["high"]
    assert row["macro_recall"]["UM"]["value"] == pytest.approx(results[0].scores["macro_recall"])
    assert row["uar"]["UM"]["value"] == pytest.approx(results[0].scores["uar"])
    said = f"UAR is higher: x on emodb {uar:.1f} %, y on emodb {uar:.1f} %."
    assert any(said in notice for notice in document["notices"])
    card = serab("results", "card", "x", "--protocol", "serab-released")[1]
    assert f"name: macro recall, value: {recall:.2f}" in card
    assert "| Macro recall % |" in card
    by_recall = serab("compare", "x", "y", "--protocol", "serab-released", "--metric", "macro_recall", "--json")[1]
    assert json.loads(by_recall)["tasks"]["emodb"]["first"] == results[0].scores["macro_recall"]


def test_other_protocols_show_uar(make_result, store_result, serab):
    store_result(absent_result(make_result, "x"))
    document = json.loads(serab("leaderboard", "--json")[1])
    assert "macro_recall" not in document["rows"][0]
    assert not any("Macro recall" in notice for notice in document["notices"])
    code, out, err = serab("leaderboard", "--metric", "macro_recall", "--json")
    assert (code, json.loads(out)["metric"]) == (0, "macro_recall"), err
