"""How close the choice of a classifier is, and the probe beside it, as commands show them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

import serab
from tests.results_fixtures import outcome

TASKS = ("emodb", "savee")


@pytest.fixture
def close_results(make_result, store_result):
    """Results whose LDA has fewer correct test utterances than the chosen SVC, which is ahead by one utterance."""
    for task in TASKS:
        base = make_result("x", task, 0.9, seed=3)
        svc = replace(base.outcome(), classifier="svc", title="SVC", validation=0.75)
        ids, truth = svc.test.ids, svc.test.truth
        lda = outcome("lda", truth, [t if i % 3 else "a" for i, t in enumerate(truth)], ids, 0.75 - 1 / 96)
        store_result(replace(base, chosen="svc", scores=svc.scores, outcomes=(lda, svc)))
    return lda.scores


def test_the_leaderboard_has_a_column_of_the_probe(close_results, serab):
    code, out, err = serab("leaderboard", "--json")
    assert code == 0, err
    (row,) = json.loads(out)["rows"]
    assert row["probe"] == pytest.approx(close_results["accuracy"])
    assert row["scores"]["emodb"]["probe"] == pytest.approx(close_results["accuracy"])
    text = serab("leaderboard")[1]
    assert "Probe" in text
    assert f"{100 * close_results['accuracy']:.1f}" in text
    assert "Probe: accuracy of LDA alone, without a choice between classifiers." in " ".join(text.split())
    by_f1 = json.loads(serab("leaderboard", "--metric", "macro_f1", "--json")[1])["rows"][0]
    assert by_f1["probe"] == pytest.approx(close_results["macro_f1"])


def test_csv_has_the_probe(close_results, serab, tmp_path):
    assert serab("leaderboard", "--csv", str(tmp_path / "b.csv"))[0] == 0
    head, row = ((tmp_path / "b.csv").read_text()).splitlines()
    assert head.endswith(",probe")
    assert row.endswith(f",{100 * close_results['accuracy']:.1f}")


def test_a_mean_of_the_probe_needs_lda_on_every_task(close_results, make_result, store_result, serab):
    base = make_result("x", "crema_d", 0.9)
    other = replace(base.outcome(), classifier="svc", title="SVC")
    store_result(replace(base, chosen="svc", outcomes=(other,)))
    (row,) = json.loads(serab("leaderboard", "--json")[1])["rows"]
    assert row["probe"] is None
    assert row["scores"]["crema_d"]["probe"] is None
    assert "Probe" not in serab("leaderboard")[1]


def test_the_card_and_the_report_state_the_choice(close_results, serab, tmp_path):
    out = serab("results", "card", "x")[1]
    assert "- Choice on emodb: SVC by 1 utterance of 96 on validation, before LDA. On test (Acc. %, UAR %):" in out
    assert "| Probe % |" in out
    page = tmp_path / "report.html"
    assert serab("report", "-o", str(page))[0] == 0
    text = page.read_text()
    assert "SVC by 1 utterance of 96 on validation" in text
    assert ">Probe</button>" in text


def test_results_from_python_have_choice_and_probe(close_results, home):
    result = serab.load_results(home.root)["x", "emodb"]
    assert result.probe == close_results["accuracy"]
    assert (result.choice.classifier, result.choice.margin_utterances, result.choice.close) == ("svc", 1, True)
    assert result.fold_choices is None


@pytest.mark.standard
def test_eval_marks_a_close_choice(prepared_tones, serab):
    command = ("eval", "toy", "--tasks", "tones", "--classifiers", "centroid,knn,lda")
    code, out, err = serab(*command, "--json")
    assert code == 0, err
    (result,) = json.loads(out)["results"]
    choice = result["choice"]
    assert choice["classifier"] == result["chosen"]
    lda = next(o for o in result["classifiers"] if o["classifier"] == "lda")
    assert result["probe"] == lda["accuracy"]
    text = " ".join(serab(*command, "--details")[1].split())
    assert "Choice: " in text
    assert "Probe: accuracy of LDA alone" in text
    assert ("~ the choice of this classifier is a tie" in text) == choice["close"]
