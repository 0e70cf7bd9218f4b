"""What stored results say: leaderboard, comparison, bias, optimism, fairness."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from serab_core.score.outcome import scores_of
from serab_core.types import Predictions


@pytest.fixture
def filled(make_result, store_result):
    for place, (name, right) in enumerate({"good": 0.9, "near": 0.88, "bad": 0.4}.items()):
        for task in ("emodb", "savee", "ravdess"):
            sexes = {f"s{i}": "fm"[i % 2] for i in range(8)}
            store_result(make_result(name, task, right, seed=place, sexes=sexes))
    store_result(make_result("opensmile", "emodb", 0.7, seed=9))
    store_result(make_result("good", "demo", 0.9, synthetic=True))


def test_a_leaderboard(filled, serab, tmp_path, monkeypatch):
    code, out, _ = serab("leaderboard", "--csv", str(tmp_path / "b.csv"), "--latex", str(tmp_path / "b.tex"))
    assert code == 0
    assert "3 of 9" in out
    assert "In no mean: demo (synthetic)." in out
    assert "Without a group" in out
    assert "70.2" in out  # the paper's, in a column of its own
    document = json.loads(serab("leaderboard", "--json")[1])
    rows = {row["extractor"]: row for row in document["rows"]}
    assert [rows[name]["group"] for name in ("good", "near", "bad", "opensmile")] == [1, 1, 2, None]
    assert document["ranked_over"] == ["emodb", "ravdess", "savee"]
    um = rows["good"]["accuracy"]["UM"]
    assert um["interval"]["low"] < um["value"] < um["interval"]["high"]
    assert len(document["comparisons"]) == 3
    assert rows["good"]["dim"] == 370
    assert document["chance"]["emodb"] == {"classes": 4, "uar": 0.25, "test_majority": "a", "test_share": 0.25}
    table = list(csv.reader((tmp_path / "b.csv").read_text().splitlines()))
    assert table[0][:3] == ["group", "extractor", "UM"]
    assert len(table) == 5
    latex = (tmp_path / "b.tex").read_text()
    assert latex.count(r"\\") == 5
    assert r"\textbf{" in latex
    only = json.loads(serab("leaderboard", "bad", "near", "--tasks", "emodb,savee", "--uar", "--json")[1])
    assert [row["extractor"] for row in only["rows"]] == ["near", "bad"]
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, serab("leaderboard")[1].splitlines())) <= 80


def test_faults_are_in_csv_and_latex(make_result, store_result, serab, tmp_path):
    caution = "6 of 6 speakers are in more than one split: scores are too high"
    store_result(replace(make_result("good", "mine", 0.9), cautions=(caution,), faulty=True))
    store_result(make_result("good", "emodb", 0.9))
    serab("leaderboard", "--csv", str(tmp_path / "b.csv"), "--latex", str(tmp_path / "b.tex"))
    (row,) = csv.DictReader((tmp_path / "b.csv").read_text().splitlines())
    assert row["faulty tasks"] == "mine"
    assert caution in row["cautions"]
    assert float(row["mine"]) > 80
    latex = (tmp_path / "b.tex").read_text()
    assert latex.count(r"$^{\dagger}$}") == 1
    assert f"% Caution (mine): {caution}." in latex


def test_words_in_latex_are_escaped():
    from serab_core.report.board_text import as_latex

    made = as_latex([["group", "extractor", "UM"], ["1", "a_b&c%{}~^\\", "81.0"]])
    assert r"a\_b\&c\%\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}" in made
    assert r"\textbf{81.0}" in made


def test_a_comparison(filled, serab):
    code, out, _ = serab("compare", "good", "bad")
    flat = " ".join(out.split())
    assert "Finds: the smallest true difference that the test finds with about 80 % probability." in flat
    assert "The test finds a true difference of" in flat
    assert code == 0
    assert "good is better." in " ".join(out.split())
    assert "t over speakers" in out
    document = json.loads(serab("compare", "near", "good", "--json")[1])
    assert set(document["tasks"]) == {"emodb", "savee", "ravdess"}
    assert document["overall"]["p"] > 0.05
    assert "The difference is not significant." in " ".join(serab("compare", "near", "good")[1].split())
    by_recall = json.loads(serab("compare", "good", "bad", "--metric", "uar", "--json")[1])
    assert by_recall["metric"] == "uar"
    assert by_recall["tasks"].keys() == {"emodb", "savee", "ravdess"}
    assert "kappa" in serab("compare", "good", "bad", "--metric", "kappa")[1]
    assert serab("compare", "good", "bad", "--metric", "rmse")[0] == 2
    code, _, err = serab("compare", "good", "bad", "--tasks", "cafe")
    assert code == 2
    assert "no result of task 'cafe'" in err


def test_different_utterances_are_not_compared(filled, serab, make_result, store_result):
    other = make_result("other", "emodb", 0.8)
    test = other.outcomes[0].test
    moved = replace(other.outcomes[0], test=Predictions(tuple(f"x{i}" for i in test.ids), test.truth, test.predicted))
    store_result(replace(other, outcomes=(moved,), speakers={f"x{k}": v for k, v in other.speakers.items()}))
    code, _, err = serab("compare", "good", "other")
    assert code == 2
    assert "not tested on the same utterances" in " ".join(err.split())
    assert serab("leaderboard")[0] == 0  # where it is named, and nobody is ranked against it


def test_bias_optimism_and_fairness(filled, serab):
    code, out, _ = serab("bias")
    assert code == 0
    assert "Over 3 of 9 tasks: emodb, ravdess, savee." in out
    sizes = json.loads(serab("bias", "--json")[1])["sizes"]
    assert [size["subsets"] for size in sizes] == [3, 3, 1]
    assert serab("bias", "good")[0] == 2
    code, out, _ = serab("optimism")
    assert code == 0
    assert "0.0 points more on average" in out
    assert "demo*" in out
    assert len(json.loads(serab("optimism", "--json")[1])["rows"]) == 11
    code, out, _ = serab("fairness", "good", "--tasks", "emodb")
    assert code == 0
    assert "women (4)" in out
    assert "points between speaker" in out
    assert len(json.loads(serab("fairness", "good", "--json")[1])["tasks"]["emodb"]["speakers"]) == 8


def test_synthetic_corpora_do_not_enter_the_mean_of_optimism(make_result, store_result, serab):
    def flattered(task: str, gain: int, *, synthetic: bool):
        made = make_result("x", task, 0.5, synthetic=synthetic)
        (own,) = made.outcomes
        wrong = [place for place, (a, b) in enumerate(zip(own.test.truth, own.test.predicted, strict=True)) if a != b]
        told = list(own.test.predicted)
        for place in wrong[:gain]:
            told[place] = own.test.truth[place]
        test = replace(own.test, predicted=tuple(told))
        other = replace(own, classifier="svc", title="SVC", validation=0.1, test=test, scores=scores_of(test))
        return replace(made, outcomes=(own, other))

    store_result(flattered("emodb", 6, synthetic=False))
    store_result(flattered("demo", 12, synthetic=True))
    document = json.loads(serab("optimism", "--json")[1])
    gains = {row["task"]: (row["gain"], row["enters"]) for row in document["rows"]}
    assert gains["emodb"] == (pytest.approx(6 / 96), True)
    assert gains["demo"] == (pytest.approx(12 / 96), False)
    assert document["mean_gain"] == pytest.approx(6 / 96)
    assert "6.2 points more on average" in serab("optimism")[1]
    document = json.loads(serab("optimism", "-t", "demo", "--json")[1])
    assert document["mean_gain"] is None


def test_names_may_be_short_and_are_suggested(toys, make_result, store_result, serab):
    """`toy-bad` is what the registry calls `toy-bad/boom` for short."""
    store_result(make_result("toy/wide", "emodb", 0.9))
    store_result(make_result("toy-bad/boom", "emodb", 0.5))
    document = json.loads(serab("compare", "toy/wide", "toy-bad", "--json")[1])
    assert (document["first"], document["second"]) == ("toy/wide", "toy-bad/boom")
    code, _, err = serab("compare", "toy/wide", "toy-bad/bom")
    suggestion = "Did you mean 'toy-bad/boom'? Next: compute it with `serab eval toy-bad/bom`."
    assert (code, suggestion in " ".join(err.split())) == (2, True)
    code, _, err = serab("compare", "toy/wide", "toy/wide")
    assert (code, "compared with itself" in err) == (2, True)
    code, _, err = serab("leaderboard", "--protocol", "strict")
    assert "serab eval mfcc-stats chance --protocol strict" in " ".join(err.split())


def test_the_last_whole_search_is_taken(make_result, store_result, serab):
    whole = make_result("x", "emodb", 0.9)
    store_result(whole)
    how = {**whole.provenance["protocol"], "classifiers_by": "user"}
    part = replace(make_result("x", "emodb", 0.2), key="later", provenance={**whole.provenance, "protocol": how})
    store_result(part)
    (row,) = json.loads(serab("leaderboard", "--json")[1])["rows"]
    assert row["scores"]["emodb"]["accuracy"] == whole.scores["accuracy"]
    store_result(replace(part, extractor="y"))
    assert "y on emodb was not searched as the protocol defines: lda." in " ".join(serab("leaderboard")[1].split())


def test_nothing_there_and_damaged_files(serab, make_result, store_result):
    code, _, err = serab("leaderboard")
    assert code == 2
    assert "no result under protocol serab" in " ".join(err.split())
    store_result(make_result("x", "emodb", 0.9))
    for task in ("savee", "cafe", "aesdd"):
        store_result(make_result("x", task, 0.9)).write_text("{")
    code, out, _ = serab("leaderboard")
    assert code == 0
    assert "Left out for similar reasons: 1 more files." in out
    assert serab("leaderboard", "--protocol", "nonsense")[0] == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", ",", ","), "',' names nothing"),
        (("compare", "good,opensmile", "good"), "'good,opensmile' is several names"),
        (("compare", "", "good"), "'' is no name"),
        (("fairness", ","), "',' names nothing"),
        (("fairness", "good,opensmile"), "is several names"),
        (("leaderboard", ","), "',' names nothing"),
        (("leaderboard", "--tasks", " , "), "' , ' names nothing"),
        (("bias", ",,"), "',,' names nothing"),
        (("eval", "toy", "--tasks", ","), "',' names nothing"),
    ],
)
def test_commas_alone_name_nothing(filled, toys, serab, words, said):
    code, out, err = serab(*words)
    assert (code, out) == (2, "")
    assert said in err


def test_recalls_of_classes(filled, serab, tmp_path):
    file = tmp_path / "classes.csv"
    code, out, err = serab("leaderboard", "good", "--tasks", "emodb", "--classes", "--csv", str(file))
    assert code == 0, err
    assert "recall of each class" in out
    (row,) = csv.DictReader(file.read_text().splitlines())
    scores = json.loads(serab("leaderboard", "good", "--tasks", "emodb", "--json")[1])["rows"][0]["scores"]["emodb"]
    assert set(scores["classes"]) == set("abcd")
    for label, own in scores["classes"].items():
        assert row[f"emodb {label}"] == f"{100 * own['recall']:.1f}"
        assert own["interval"]["low"] <= own["recall"] <= own["interval"]["high"]
    assert np.mean([own["recall"] for own in scores["classes"].values()]) == pytest.approx(scores["uar"])


def test_files_name_their_metric(filled, serab, tmp_path):
    table, page = tmp_path / "a.csv", tmp_path / "a.tex"
    assert serab("leaderboard", "--metric", "kappa", "--csv", str(table), "--latex", str(page))[0] == 0
    assert {row["metric"] for row in csv.DictReader(table.read_text().splitlines())} == {"kappa"}
    assert "% Metric: Cohen's kappa." in page.read_text()


def test_kappa_has_no_geometric_mean(filled, serab):
    document = json.loads(serab("leaderboard", "--metric", "kappa", "--json")[1])
    assert {*document["rows"][0]["kappa"]} == {"UM", "WM"}
    assert {*document["rows"][0]["accuracy"]} == {"UM", "WM", "GM"}


@pytest.mark.parametrize("width", [80, 140])
def test_a_comparison_is_not_torn(filled, serab, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    out = serab("compare", "good", "bad")[1]
    assert max(map(len, out.splitlines())) <= width
    assert "t over speakers" in out
    assert "Speakers" in out


@pytest.mark.parametrize("metric", ["macro_f1", "weighted_f1", "kappa"])
def test_order_and_groups_follow_the_metric(filled, serab, tmp_path, metric):
    document = json.loads(serab("leaderboard", "--metric", metric, "--json")[1])
    assert document["metric"] == metric
    values = [row[metric]["UM"]["value"] for row in document["rows"] if row["group"] is not None]
    assert values == sorted(values, reverse=True)
    for row in document["rows"]:
        for scores in row["scores"].values():
            assert scores[f"{metric}_interval"]["low"] <= scores[metric] <= scores[f"{metric}_interval"]["high"]
    assert serab("leaderboard", "--metric", metric, "--latex", str(tmp_path / "a.tex"))[0] == 0
    pairs = {(pair["first"], pair["second"]): pair for pair in document["comparisons"]}
    assert pairs["good", "bad"]["p"] < 0.05
    compared = json.loads(serab("compare", "good", "bad", "--metric", metric, "--json")[1])
    assert compared["overall"]["difference"] == pytest.approx(pairs["good", "bad"]["difference"])
