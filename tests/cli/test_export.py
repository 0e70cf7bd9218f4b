"""`serab export`: what it writes predicts what the evaluation stored."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from serab_core.errors import StoreError, UsageError
from serab_core.tune.exported import load_export


@pytest.fixture
def evaluated(toys, tones_folder, serab, monkeypatch, tmp_path):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert serab("data", "prepare", "tones", str(tones_folder))[0] == 0
    for protocol in ("serab", "strict"):
        assert serab("eval", "toy", "-c", "centroid,knn", "-p", protocol, "-j", "1")[0] == 0
    return serab


def export(serab, *words):
    return serab("export", "toy", "--task", "tones", *words)


@pytest.mark.filterwarnings("ignore:.*speakers have fewer than 10")
@pytest.mark.parametrize("protocol", ["serab", "strict"])
def test_written_and_read_back(evaluated, tmp_path, protocol):
    code, out, err = evaluated("export", "toy", "--task", "tones", "-p", protocol, "-c", "centroid,knn")
    assert code == 0, out
    assert ("Caution: the classifier normalises" in err) == (protocol == "serab")
    folder = tmp_path / "toy-tones-chosen"
    back = load_export(folder)
    assert back.metadata.labels == ("low", "mid", "high")
    assert back.metadata.normalisation == ("speaker" if protocol == "serab" else "train")
    description = json.loads((folder / "classifier.json").read_text())
    assert description["provenance"]["protocol"]["name"] == protocol
    embeddings = np.random.RandomState(0).standard_normal((6, back.metadata.dim)).astype(np.float32)
    assert set(back.predict(embeddings)) <= set(back.metadata.labels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        back.predict(np.tile(embeddings, (4, 1)), ["a"] * 3 + ["b"] * 10 + ["c"] * 11)
    assert [str(warning.message).partition(";")[0] for warning in caught] == (
        ["1 of 3 speakers have fewer than 10 utterances (a: 3)"] if protocol == "serab" else []
    )
    if protocol == "serab":
        who = ["a", "b"] * 3
        alone = back.predict(embeddings[::2])
        assert back.predict(embeddings, who)[::2] == alone
        with pytest.raises(UsageError, match="2 speakers are given for 6"):
            back.predict(embeddings, ["a", "b"])
    with pytest.raises(UsageError, match="not .n, "):
        back.predict(embeddings[:, 1:])


def test_json_another_classifier_and_what_cannot_be(evaluated, tmp_path):
    words = ("-c", "centroid,knn", "-o", str(tmp_path / "here"))
    code, out, _ = export(evaluated, *words, "--classifier", "centroid", "--json")
    assert code == 0
    assert json.loads(out)["about"]["classifier"] == "centroid"
    assert "about 20 utterances of each speaker" in json.loads(out)["notices"][0]
    code, _, err = export(evaluated, *words, "--classifier", "knn")
    assert code == 2
    assert "knn cannot be exported" in err
    code, _, err = export(evaluated, *words, "--classifier", "never")
    assert code == 2
    assert "never was not fitted" in err


def test_what_was_not_evaluated(evaluated):
    code, _, err = export(evaluated, "-p", "serab-released", "-c", "centroid,knn")
    assert code == 5
    assert "serab eval toy --tasks tones --protocol serab-released" in " ".join(err.split())


def test_damaged_exports(evaluated, tmp_path):
    assert export(evaluated, "-c", "centroid,knn", "-o", str(tmp_path / "c"))[0] == 0
    (tmp_path / "c" / "classifier.safetensors").write_bytes(b"junk")
    with pytest.raises(StoreError, match=r"classifier\.safetensors: cannot be read"):
        load_export(tmp_path / "c")
    description = json.loads((tmp_path / "c" / "classifier.json").read_text())
    del description["about"]["dim"]
    (tmp_path / "c" / "classifier.json").write_text(json.dumps(description))
    with pytest.raises(StoreError, match="is incomplete"):
        load_export(tmp_path / "c")
