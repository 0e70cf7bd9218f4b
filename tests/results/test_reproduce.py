"""`serab eval --reproduce`: a result is made again from its own words, and what differs is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.run.test_evaluate import stored


@pytest.fixture
def made(prepared_tones, serab):
    def make(*words: str) -> Path:
        code, out, err = serab("eval", "toy/corpus", "--tasks", "tones", "--jobs", "1", "--json", *words)
        assert code == 0, err
        return Path(json.loads(out)["results"][0]["file"])

    return make


def repeated(serab, path, *words):
    code, out, err = serab("eval", "--reproduce", str(path), "--json", *words)
    assert out, err
    return code, json.loads(out)


@pytest.mark.parametrize("how", [("--classifiers", "knn,centroid"), ("-c", "knn", "--protocol", "strict"),
                                 ("-c", "knn", "--tuner", "tpe", "--trials", "6")])  # fmt: skip
def test_it_comes_out_the_same(made, serab, home, how):
    path = made(*how)
    before = stored(home)
    code, document = repeated(serab, path, "--jobs", "2")
    assert code == 0
    assert document["same"] is True
    assert document["equal_predictions"] == document["utterances"] == 18
    assert document["differences"] == []
    assert stored(home) == before  # it was made elsewhere, and that is gone
    assert not list(home.root.glob(".scratch*"))


def test_what_differs_is_told(made, serab):
    path = made("-c", "knn")
    told = json.loads(path.read_text())
    told["provenance"]["libraries"]["numpy"] = "1.0"
    told["provenance"]["plugins"]["serab-gone"] = "9.9"
    told["provenance"]["fingerprint"]["version"] = "0.0"
    path.write_text(json.dumps(told))
    code, document = repeated(serab, path, "--jobs", "1")
    assert code == 0  # other versions, the same predictions
    parts = {own["part"]: own for own in document["differences"]}
    assert parts["libraries.numpy"]["then"] == "1.0"
    assert parts["plugins.serab-gone"]["now"] == ""
    assert "fingerprint.version" in parts
    out = serab("eval", "--reproduce", str(path), "--jobs", "1")[1]
    assert "libraries.numpy" in out
    assert "18 of 18 predictions are the same" in " ".join(out.split())


def test_what_comes_out_otherwise_has_its_own_exit_code(made, serab):
    path = made("-c", "knn")
    told = json.loads(path.read_text())
    told["outcomes"][0]["test"]["predicted"][:2] = ["other", "other"]
    path.write_text(json.dumps(told))
    code, _, err = serab("eval", "--reproduce", str(path), "--jobs", "1")
    assert code == 15
    assert "16 of 18 predictions" in " ".join(err.split())


def test_words_that_do_not_fit(made, serab, tmp_path):
    path = made("-c", "knn")
    assert serab("eval", "toy", "--reproduce", str(path))[0] == 2
    assert serab("eval", "--reproduce", str(tmp_path / "none.json"))[0] == 6
    told = json.loads(path.read_text()) | {"provenance": {}}
    path.write_text(json.dumps(told))
    assert serab("eval", "--reproduce", str(path))[0] == 2
    assert serab("eval")[0] == 2
