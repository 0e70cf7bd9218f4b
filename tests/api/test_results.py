"""Results as objects, held against scikit-learn; tables as text, HTML and data frames."""

from __future__ import annotations

import re

import pytest

import serab
from serab_core.api.frames import as_html
from serab_core.errors import UsageError
from serab_core.store.results import result_path, write_result

SEARCH = {"tasks": ["tones"], "classifiers": ["knn", "centroid"], "progress": False}


@pytest.fixture
def run(prepared_tones, home):
    return serab.evaluate(["toy", "toy/wide"], **SEARCH)


def test_scores_agree_with_scikit_learn(run):
    metrics = pytest.importorskip("sklearn.metrics")
    result = run["toy"]
    frame = result.predictions()
    truth, predicted = list(frame["truth"]), list(frame["predicted"])
    assert result.accuracy == pytest.approx(metrics.accuracy_score(truth, predicted))
    assert result.uar == pytest.approx(metrics.balanced_accuracy_score(truth, predicted))
    assert result.macro_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="macro"))
    assert result.weighted_f1 == pytest.approx(metrics.f1_score(truth, predicted, average="weighted"))
    assert result.kappa == pytest.approx(metrics.cohen_kappa_score(truth, predicted))
    assert (result.confusion.counts == metrics.confusion_matrix(truth, predicted, labels=result.labels)).all()
    report = metrics.classification_report(truth, predicted, output_dict=True, zero_division=0)
    for label, own in result.per_class.items():
        expected = report[label]
        assert (own.recall, own.precision, own.f1) == pytest.approx(
            (expected["recall"], expected["precision"], expected["f1-score"])
        )
        assert own.utterances == expected["support"]
        assert own.interval.low <= own.recall <= own.interval.high
    table = result.confusion.to_dataframe()
    assert list(table.index) == list(table.columns) == list(result.labels)
    assert table.to_numpy().sum() == len(frame)


def test_intervals_hold_the_score(run):
    for metric in ("accuracy", "uar", "macro_recall", "macro_f1", "weighted_f1", "kappa"):
        interval = run["toy"].interval(metric)
        assert interval.low <= getattr(run["toy"], metric) <= interval.high
    with pytest.raises(UsageError, match="use one of accuracy, uar, macro_recall, macro_f1, weighted_f1, kappa"):
        run["toy"].interval("ccc")
    with pytest.raises(UsageError, match="has no score ccc"):
        _ = run["toy"].ccc


def test_a_continuous_target(prepared_tones, home):
    run = serab.evaluate("toy", tasks=["tones/pitch"], progress=False)
    result = run["toy"]
    assert result.target == "pitch"
    assert result.interval("ccc").low <= result.ccc <= 1
    assert set(result.scores) == {"ccc", "pearson", "rmse"}
    assert re.fullmatch(r"Result\(toy on tones/pitch: CCC \d\.\d{3}\)", repr(result))
    assert "CCC" in run._repr_html_()
    assert set(run.to_dataframe()["metric"]) == {"ccc", "pearson", "rmse"}
    with pytest.raises(UsageError, match="has no score accuracy"):
        _ = result.confusion
    assert serab.load_results()["toy", "tones/pitch"].ccc == result.ccc


def test_a_data_frame_has_a_row_for_each_metric(run):
    frame = run.to_dataframe()
    assert list(frame.columns[:6]) == ["extractor", "task", "language", "protocol", "metric", "value"]
    assert len(frame) == sum(len(result.scores) for result in run)
    row = frame[(frame.extractor == "toy") & (frame.metric == "uar")].iloc[0]
    assert row["value"] == run["toy"].uar
    assert row["low"] <= row["value"] <= row["high"]
    assert not frame[frame.metric == "macro_f1"]["low"].isna().any()
    assert row["utterances"] == len(run["toy"].predictions())
    assert row["cautions"] == "; ".join(run["toy"].cautions)
    assert list(run.filter(extractor="nobody").to_dataframe().columns) == list(frame.columns)


def test_without_pandas(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        run.to_dataframe()
    assert "toy" in repr(run)


def test_reprs_are_short(run):
    assert re.fullmatch(r"Result\(toy on tones: accuracy \d+\.\d %, UAR \d+\.\d %\)", repr(run["toy"]))
    assert "Protocol serab" in repr(run)
    assert max(map(len, repr(run).splitlines())) <= 100
    results = serab.load_results()
    assert repr(results).splitlines()[0] == "2 results"
    assert len(repr(results)) < 300


def test_what_is_not_there_is_named(run):
    with pytest.raises(KeyError, match="no result of toyy. Did you mean .toy"):
        run["toyy"]
    with pytest.raises(KeyError, match="no result of toy on emodb"):
        run["toy", "emodb"]


def test_html_is_escaped(run, home, make_result):
    result = make_result("<script>alert(1)</script>", "emodb", 0.5)
    write_result(result_path(home.ensure(), result.extractor, "emodb", "serab", result.key), result)
    for shown in (serab.load_results(), serab.load_results().leaderboard(), serab.load_results()["toy"]):
        page = shown._repr_html_()
        assert "<script>" not in page
        assert "toy" in page
    assert "&lt;script&gt;" in serab.load_results()._repr_html_()
    assert "<b>" not in as_html(["<b>"], [["<b>"]], ["<b>"])


def test_leaderboard_and_comparison(run):
    board = run.leaderboard(metric="uar")
    assert sorted(board.extractors) == ["toy", "toy/wide"]
    assert "UAR %" in repr(board)
    frame = board.to_dataframe()
    assert {"toy", "toy/wide"} == set(frame["extractor"])
    assert set(frame["metric"]) == {"accuracy", "uar"}
    with pytest.raises(UsageError, match="unknown suite 'mine'"):
        run.leaderboard(suite="mine")
    with pytest.raises(UsageError, match="unknown metric 'rmse'"):
        run.leaderboard(metric="rmse")
    assert "Kappa" in repr(run.leaderboard(metric="kappa"))
    pair = serab.compare("toy", "toy/wide", tasks="tones")
    (task,) = pair.tasks
    assert task.difference == pytest.approx(run["toy"].accuracy - run["toy/wide"].accuracy)
    assert task.speakers == len(set(run["toy"].predictions()["speaker"]))
    assert (task.p is None) == (task.test == "")
    assert pair.overall is None
    assert "A toy, B toy/wide" in repr(pair)
    assert len(pair.to_dataframe()) == 1
    assert "toy/wide" in pair._repr_html_()


def test_a_leaderboard_is_of_the_protocol_of_its_results(run):
    strict = serab.evaluate("toy", protocol="strict", **SEARCH)
    assert strict.leaderboard().data.board.protocol == "strict"
    both = serab.load_results()
    with pytest.raises(UsageError, match="these results are of several protocols: serab, strict"):
        both.leaderboard()
    assert both.leaderboard(protocol="serab").data.board.protocol == "serab"
    assert both.filter(protocol="strict").leaderboard().extractors == ["toy"]


def test_html_says_that_intervals_are_of_a_model(run):
    assert run["toy"].interval("uar").method == "beta-binomial"
    assert "Few test speakers: tones" in run._repr_html_()
    assert "Few test speakers: tones" in run["toy"]._repr_html_()


def test_a_damaged_result_is_left_out_and_named(run, home):
    next(home.results.glob("toy/*/*.json")).write_text("{")
    results = serab.load_results()
    assert [own.extractor for own in results] == ["toy/wide"]
    assert "Left out" in results.notices[0]


def test_corpora_and_plugins(prepared_tones, home, tones_folder):
    found = serab.datasets()
    assert found["tones"].prepared
    assert found["tones"].speakers > 1
    assert serab.extractors()["toy"].dim > 0
    assert serab.classifiers()["knn"].grid_points >= 1
    for table in (found, serab.extractors(), serab.classifiers()):
        assert len(table) == len(table.to_dataframe()) == len(list(table))
        assert table[0].name in repr(table)
        assert table[0].name in table._repr_html_()
    with pytest.raises(KeyError):
        found["nothing"]
    corpus = serab.prepare("tones", tones_folder, progress=False)
    assert corpus.utterances == found["tones"].utterances
    assert sum(corpus.splits.values()) == corpus.utterances
