"""Continuous targets, from the corpus to the table: iem4/vad is made of these."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from serab_core.score.bootstrap import drawn
from serab_core.score.metrics import ccc
from serab_core.score.scored import Scored
from serab_core.store.results import read_result

pytestmark = pytest.mark.standard


def evaluated(serab, *words: str) -> dict:
    code, out, err = serab("eval", "toy", "--json", *words)
    assert code == 0, err
    return json.loads(out)


def test_the_whole_way(prepared_tones, serab):
    document = evaluated(serab, "--tasks", "tones/tune,tones", "--classifiers", "ridge,svr,lda")
    result, classes = sorted(document["results"], key=lambda own: own["target"] is None)
    assert (result["task"], result["target"]) == ("tones/pitch", "pitch")
    assert result["scores"]["ccc"] > 0.5
    assert result["intervals"]["ccc"]["low"] < result["scores"]["ccc"] < result["intervals"]["ccc"]["high"]
    assert (classes["task"], classes["target"]) == ("tones", None)
    assert document["aggregates"][0]["tasks"] == []
    stored = read_result(Path(result["file"]))
    chosen = stored.outcome(stored.chosen)
    assert stored.scores["ccc"] == pytest.approx(ccc(chosen.test.truth, chosen.test.predicted))
    assert {outcome.classifier for outcome in stored.outcomes} == {"ridge", "svr"}
    assert set(stored.speakers) == set(chosen.test.ids)
    again = evaluated(serab, "--tasks", "tones/pitch")
    assert again["results"][0]["reused"]
    assert again["results"][0]["key"] == result["key"]


def test_it_is_shown(prepared_tones, serab):
    code, out, _ = serab("eval", "toy", "--tasks", "tones/tune")
    assert code == 0
    assert "CCC" in out
    assert "tones/pitch" in out
    assert "Continuous targets: the regressor is chosen by concordance" in " ".join(out.split())


def test_leaderboard_and_report_have_it(prepared_tones, serab, tmp_path):
    evaluated(serab, "--tasks", "tones,tones/tune", "--classifiers", "lda,ridge")
    document = json.loads(serab("leaderboard", "--json")[1])
    (own,) = document["continuous"]["rows"]
    assert own["scores"].keys() == {"tones/pitch"}
    assert "tones/pitch" in serab("leaderboard")[1]
    assert json.loads(serab("leaderboard", "--tasks", "tones", "--json")[1])["continuous"]["rows"] == [own]
    alone = json.loads(serab("leaderboard", "--metric", "ccc", "--json")[1])
    assert (alone["metric"], alone["rows"], alone["continuous"]["rows"]) == ("ccc", [own], [])
    code, _, err = serab("leaderboard", "--csv", str(tmp_path / "a.csv"))
    assert code == 0
    assert "Continuous targets are not in these files" in " ".join(err.split())
    code, _, err = serab("leaderboard", "--metric", "ccc", "--classes")
    assert code == 2
    assert "have no recall of each class" in " ".join(err.split())
    assert serab("report", "--output", str(tmp_path / "r.html"))[0] == 0
    assert "Continuous targets" in (tmp_path / "r.html").read_text()


def test_what_predicts_the_other_kind_is_refused(prepared_tones, serab):
    code, _, err = serab("eval", "toy", "--tasks", "tones/pitch", "--classifiers", "lda")
    assert code == 2
    assert "none of lda predicts a continuous target, which tones/pitch needs" in " ".join(err.split())
    code, _, err = serab("eval", "toy", "--tasks", "tones", "--classifiers", "ridge")
    assert code == 2
    assert "none of ridge predicts classes" in " ".join(err.split())
    assert serab("eval", "toy", "--tasks", "tones/none")[0] != 0


def test_protocols_normalise_as_they_do_and_choose_by_concordance(prepared_tones, serab):
    scores = {}
    for protocol in ("serab", "strict", "serab-released"):
        document = evaluated(serab, "--tasks", "tones/pitch", "--protocol", protocol)
        stored = json.loads(Path(document["results"][0]["file"]).read_text())
        assert stored["provenance"]["protocol"]["objective"] == "ccc"
        assert stored["provenance"]["protocol"]["selection"] == "validation"
        scores[protocol] = document["results"][0]["scores"]["rmse"]
    assert scores["serab"] != scores["strict"]


@pytest.mark.filterwarnings("ignore:.*speakers have fewer than 10")
def test_a_regressor_is_exported(prepared_tones, serab, tmp_path):
    evaluated(serab, "--tasks", "tones/pitch")
    code, _, err = serab("export", "toy", "--task", "tones/pitch", "--output", str(tmp_path / "out"))
    assert code == 0, err
    from serab_core.tune.exported import load_export

    values = load_export(tmp_path / "out").predict(np.zeros((3, 8), np.float32))
    assert all(isinstance(value, float) for value in values)


def test_intervals_of_concordance_cover_the_truth():
    """Speakers differ in how far they are off; over 400 test splits."""
    rng = np.random.default_rng(0)

    def sample(speakers: int, each: int) -> Scored:
        speaker = np.repeat(np.arange(speakers), each)
        truth = rng.standard_normal(speakers * each)
        noise = 0.5 * rng.standard_normal(len(truth)) + 0.3 * rng.standard_normal(speakers)[speaker]
        return Scored(tuple(map(str, range(len(truth)))), truth, 0.7 * truth + noise, speaker)

    whole = sample(4000, 20)
    truth = ccc(whole.truth, whole.predicted)
    for speakers, method in ((10, "bootstrap"), (3, "beta-binomial")):
        intervals = [drawn(sample(speakers, 30), 400, seed).interval("ccc") for seed in range(400)]
        assert {(interval.over, interval.method) for interval in intervals} == {("speakers", method)}
        covered = np.mean([interval.low <= truth <= interval.high for interval in intervals])
        assert 0.91 <= covered <= (0.985 if method == "bootstrap" else 1.0)


def test_two_regressions_are_compared_by_concordance(prepared_tones, serab, tmp_path):
    for name in ("toy", "toy/corpus"):
        code, _, err = serab("eval", name, "--tasks", "tones/pitch", "--classifiers", "ridge")
        assert code == 0, err
    document = json.loads(serab("compare", "toy", "toy/corpus", "--json")[1])
    row = document["tasks"]["tones/pitch"]
    assert row["metric"] == "ccc"
    assert row["difference"] == pytest.approx(row["first"] - row["second"])
    assert "CCC" in serab("compare", "toy", "toy/corpus")[1]
    fairness = json.loads(serab("fairness", "toy", "--json")[1])["tasks"]["tones/pitch"]
    assert fairness["metric"] == "ccc"
    assert len(fairness["speakers"]) == row["speakers"]
    assert "CCC" in serab("fairness", "toy")[1]
    card = serab("results", "card", "toy")[1]
    assert "| tones/pitch" in card
    assert "CCC" in card
    listed = json.loads(serab("results", "ls", "--json")[1])["results"]
    assert all(own["ccc"] is not None and own["accuracy"] is None for own in listed)


def test_continuous_results_travel(prepared_tones, serab, tmp_path, monkeypatch):
    evaluated(serab, "--tasks", "tones/pitch", "--classifiers", "ridge")
    file = tmp_path / "results.json"
    assert serab("results", "export", str(file))[0] == 0
    before = json.loads(serab("leaderboard", "--json")[1])["continuous"]["rows"]
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "other"))
    assert serab("results", "import", str(file))[0] == 0
    after = json.loads(serab("leaderboard", "--json")[1])["continuous"]["rows"]
    assert [row["scores"]["tones/pitch"]["ccc"] for row in after] == [
        row["scores"]["tones/pitch"]["ccc"] for row in before
    ]
    document = json.loads(file.read_text())
    document["results"][0]["scores"]["ccc"] = 0.999
    file.write_text(json.dumps(document))
    code, _, err = serab("results", "import", str(file))
    assert code == 5
    assert "its score is not that of its chosen classifier" in " ".join(err.split())


def test_tasks_may_follow_each_other(prepared_tones, serab):
    code, out, err = serab("eval", "toy", "--tasks", "tones", "tones/pitch", "--classifiers", "lda,ridge", "--json")
    assert code == 0, err
    assert json.loads(out)["tasks"] == ["tones", "tones/pitch"]
    assert serab("eval", "toy", "nobody", "--tasks", "tones")[0] == 3
