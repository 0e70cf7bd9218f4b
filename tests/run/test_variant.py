"""Other split variants: `serab eval X --variant NAME` scores a task of its own, never mixed with the corpus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import serab as python
from serab_core.data.protocols import PROTOCOLS, SUITE
from serab_core.errors import UsageError
from serab_core.score.aggregate import enters, unweighted_mean
from serab_core.store.results import read_result
from serab_core.store.results import result_path as path_of

CLASSIFIERS = ("--classifiers", "centroid,knn")


def evaluated(serab, *words: str) -> dict:
    code, out, err = serab("eval", "toy", "--json", *CLASSIFIERS, *words)
    assert code == 0, err
    return json.loads(out)


def test_a_variant_is_a_task_of_its_own(prepared_tones, serab):
    whole = evaluated(serab, "--tasks", "tones")["results"][0]
    other = evaluated(serab, "--tasks", "tones", "--variant", "as_released")["results"][0]
    assert (whole["task"], whole["variant"]) == ("tones", "default")
    assert (other["task"], other["variant"]) == ("tones/as_released", "as_released")
    assert other["key"] != whole["key"]
    assert "cut by takes, not speakers" in other["cautions"]
    assert other["splits"] == "the released code's splits"
    stored = read_result(Path(other["file"]))
    assert stored.provenance["dataset"]["variant"] == "as_released"
    assert not enters(stored)
    again = evaluated(serab, "--tasks", "tones/as_released")["results"][0]
    assert (again["key"], again["reused"]) == (other["key"], True)


@pytest.mark.parametrize(("variant", "task"), [("36", "tones/as_released"), ("54", "tones"), ("default", "tones")])
def test_a_variant_may_be_named_by_its_number_of_utterances(prepared_tones, serab, variant, task):
    assert evaluated(serab, "--tasks", "tones", "--variant", variant)["results"][0]["task"] == task


def test_the_variant_of_the_protocol_is_the_corpus(prepared_tones):
    released = PROTOCOLS["serab-released"]
    own = prepared_tones.task(released)
    assert prepared_tones.task(released, variant="as_released") == own
    assert own.name == "tones"
    other = prepared_tones.task(released, variant="default")
    assert (other.name, other.digest) == ("tones/default", prepared_tones.task(PROTOCOLS["serab"]).digest)
    assert prepared_tones.data_digests(released, "default") == (other.digest, other.audio_digest)
    assert prepared_tones.data_digests(released, "pitch")[0] == prepared_tones.task(released, "pitch").digest


def test_leaderboards_and_comparisons_keep_it_apart(prepared_tones, serab, tmp_path):
    for name in ("toy", "toy/wide"):
        for words in (("--tasks", "tones"), ("--tasks", "tones", "--variant", "as_released")):
            assert serab("eval", name, *CLASSIFIERS, *words)[0] == 0
    document = json.loads(serab("leaderboard", "--json")[1])
    assert document["tasks"] == ["tones", "tones/as_released"]
    assert document["other_data"] == []
    assert all(row["scores"].keys() == {"tones", "tones/as_released"} for row in document["rows"])
    assert any("In no mean: tones/as_released (another split variant)." in n for n in document["notices"])
    assert not any("no result is on the corpus that is prepared here" in n for n in document["notices"])
    comparison = json.loads(serab("compare", "toy", "toy/wide", "--json")[1])
    assert comparison["tasks"].keys() == {"tones", "tones/as_released"}
    rows = json.loads(serab("optimism", "--json")[1])["rows"]
    assert {row["task"]: row["enters"] for row in rows} == {"tones": True, "tones/as_released": False}
    assert serab("report", "--output", str(tmp_path / "report.html"))[0] == 0
    assert "tones/as_released" in (tmp_path / "report.html").read_text()
    assert "tones/as_released" in serab("leaderboard", "--details")[1]


def test_a_mean_over_the_suite_leaves_it_out(make_result):
    result = make_result("x", "cafe/without_neutral", 0.5)
    other = make_result("x", "cafe", 0.9)
    results = [other, replace(result, variant="without_neutral")]
    assert [enters(own) for own in results] == [True, False]
    assert unweighted_mean("x", results, SUITE).tasks == ("cafe",)


def test_only_the_variant_is_ranked_alone(prepared_tones, serab):
    for name in ("toy", "toy/wide"):
        assert serab("eval", name, *CLASSIFIERS, "--tasks", "tones/as_released")[0] == 0
    document = json.loads(serab("leaderboard", "--json")[1])
    assert (document["tasks"], document["ranked_over"]) == (["tones/as_released"], ["tones/as_released"])
    assert all(row["accuracy"] == {} for row in document["rows"])


def test_it_is_reproduced_exported_and_imported(prepared_tones, serab, tmp_path):
    result = evaluated(serab, "--tasks", "tones", "--variant", "as_released")["results"][0]
    code, _, err = serab("eval", "--reproduce", result["file"])
    assert code == 0, err
    assert serab("cache", "export", "toy", "--task", "tones/as_released", "--to", str(tmp_path / "a.npz"))[0] == 0
    assert serab("export", "toy", "--task", "tones/as_released", *CLASSIFIERS, "--output", str(tmp_path / "c"))[0] == 0
    assert serab("results", "export", str(tmp_path / "r.json"))[0] == 0
    document = json.loads(serab("results", "import", str(tmp_path / "r.json"), "--json")[1])
    assert document["other_data"] == []


def test_unknown_variants_are_refused(prepared_tones, home, serab):
    def refused(*words: str) -> str:
        code, _, err = serab("eval", "toy", *words)
        assert code == UsageError.exit_code
        return " ".join(err.split())

    text = refused("--tasks", "tones", "--variant", "as_relased")
    assert "there is no split variant 'as_relased' of tones" in text
    assert "tones has default (54 utterances), as_released (36 utterances)" in text
    assert "Did you mean 'as_released'?" in text
    assert serab("data", "prepare", "hums")[0] == 0
    path = home.datasets / "hums" / "index.json"
    index = json.loads(path.read_text())
    only = {"variants": index["variants"][:1], "released_variant": "default"}
    rows = [row | {"cut": {"default": row["cut"]["default"]}} for row in index["utterances"]]
    path.write_text(json.dumps(index | only | {"utterances": rows}))
    text = refused("--tasks", "tones,hums", "--variant", "as_released")
    assert "there is no split variant 'as_released' of hums. " in text
    assert "name only tones with --tasks, or another variant: hums has default (" in text
    for task in ("tones/pitch", "tones/as_released"):
        assert f"{task} cannot be combined with a split variant" in refused("--tasks", task, "--variant", "default")
    assert "--reproduce takes everything" in refused("--reproduce", "x.json", "--variant", "default")
    assert serab("eval", "toy", "--tasks", "tones/no_such")[0] != 0


def test_from_python(prepared_tones, home):
    run = python.evaluate("toy", "tones", variant="36", classifiers="centroid", progress=False)
    (result,) = run
    assert (result.task, result.variant) == ("tones/as_released", "as_released")
    assert path_of(home, "toy", result.task, "serab", result.stored.key).is_file()
    with pytest.raises(UsageError, match="there is no split variant 'x' of tones"):
        python.evaluate("toy", "tones", variant="x", progress=False)


def test_data_show_shows_every_variant(prepared_tones, serab):
    out = serab("data", "show", "tones")[1]
    assert "Tones, splits default: 54 utterances" in out
    assert "Tones, splits as_released: 36 utterances" in out
