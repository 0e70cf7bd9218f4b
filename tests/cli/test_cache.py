"""`serab cache`: what is there, what is damaged, what may go, and embeddings as files."""

from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest

from serab_core.store.atomic import write_bytes
from serab_core.store.inspect import DAY_S, extractor_of

EVAL = ("eval", "toy", "toy/corpus", "--tasks", "tones", "--classifiers", "centroid,knn", "--jobs", "1")


@pytest.fixture
def filled(prepared_tones, serab, home):
    code, _, err = serab(*EVAL)
    assert code == 0, err
    return home


def asked(serab, *words):
    code, out, err = serab("cache", *words, "--json")
    assert out, err
    return code, json.loads(out)


def test_what_is_there(filled, serab):
    code, document = asked(serab, "ls")
    assert code == 0
    rows = {(own["room"], own["name"]): own for own in document["holdings"]}
    assert ("embeddings", "toy") in rows
    assert ("embeddings", "toy/corpus") in rows
    assert rows["datasets", "tones"]["files"] >= 1
    assert rows["studies", ""]["bytes"] > 0
    assert document["bytes"] == sum(own["bytes"] for own in rows.values())
    out = serab("cache", "ls")[1]
    assert "toy/corpus" in out
    assert "MB in" in out


def test_a_whole_home_is_whole(filled, serab):
    code, document = asked(serab, "verify")
    assert (code, document["damaged"]) == (0, [])
    assert document["files"] > 10


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_damage_of_every_kind_is_found_set_aside_and_mended(filled, serab, home):
    before = {p: p.read_bytes() for room in (home.embeddings, home.results) for p in room.rglob("*") if p.is_file()}
    (folder,) = (own for own in home.embeddings.iterdir() if extractor_of(own) == "toy")
    shard, other = sorted(folder.glob("*.h5"))
    journal = next(home.studies.glob("*.h5"))
    told = {path: json.loads(path.read_text())["identity"]["embeddings"] for path in home.studies.glob("*.json")}
    outcome = next(path for path, fingerprint in told.items() if fingerprint.startswith(folder.name))
    (result,) = home.results.glob("toy/*/*.json")
    flip(shard)
    other.write_bytes(other.read_bytes()[:100])
    flip(journal)
    outcome.write_text("{")
    result.write_bytes(b"")
    damaged = {str(path) for path in (shard, other, journal, outcome, result)}
    code, document = asked(serab, "verify", "--keep")
    assert code == 6
    assert {own["path"] for own in document["damaged"]} == damaged
    assert shard.exists()
    code, document = asked(serab, "verify")
    assert code == 6
    assert all(own["aside"] for own in document["damaged"])
    assert not shard.exists()
    assert len(list(home.root.rglob("*.bad-*"))) == 7  # shards with their manifests
    assert asked(serab, "verify")[0] == 0
    assert serab(*EVAL)[0] == 0
    assert {p: p.read_bytes() for p in before} == before


def test_a_corpus_and_weights_are_told_only(filled, serab, home):
    index = home.datasets / "tones" / "index.json"
    index.write_text("{}")
    write_bytes(home.weights / "w.bin.json", b'{"schema": "serab.weights/1", "sha256": "0"}')
    write_bytes(home.weights / "w.bin", b"x")
    code, document = asked(serab, "verify")
    assert code == 6
    assert {(own["path"], own["aside"]) for own in document["damaged"]} == {
        (str(index), False), (str(home.weights / "w.bin"), False),
    }  # fmt: skip
    assert index.exists()


def test_what_may_go(filled, serab, home):
    assert "Nothing to delete" in serab("cache", "gc")[1]
    flip(next(home.embeddings.glob("*/*.h5")))
    asked(serab, "verify")
    stray = home.embeddings / ("0" * 32)
    write_bytes(stray / "a.json", b"{}")
    fresh = home.embeddings / ("1" * 32)
    write_bytes(fresh / "a.json", b"{}")
    old = time.time() - 40 * DAY_S
    os.utime(stray / "a.json", (old, old))
    for folder in home.embeddings.iterdir():  # old, and still those of results
        if folder not in (fresh, stray):
            for path in folder.iterdir():
                os.utime(path, (old, old))
    (home.studies / f".x.json.part-{os.uname().nodename}~999999-00000000").write_text("half")
    code, document = asked(serab, "gc")
    assert code == 0
    paths = {own["path"] for own in document["waste"]}
    assert str(stray) in paths
    assert str(fresh) not in paths
    assert len(paths) == 3
    assert stray.exists()  # nothing is removed unasked
    assert asked(serab, "gc", "--yes")[1]["removed"]
    assert not stray.exists()
    assert fresh.exists()
    assert not list(home.root.rglob("*.bad-*"))
    assert asked(serab, "gc", "--days", "0")[1]["waste"][0]["path"] == str(fresh)


@pytest.mark.standard
def test_embeddings_as_a_file(filled, serab, tmp_path):
    file = tmp_path / "out" / "toy.npz"
    code, document = asked(serab, "export", "toy/corpus", "--task", "tones", "--to", str(file))
    assert (code, document["utterances"], document["dim"]) == (0, 54, 8)
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["embeddings"].shape == (54, 8)
        assert arrays["embeddings"].dtype == np.float32
        assert sorted(set(arrays["splits"])) == ["test", "train", "validation"]
        assert len(arrays["ids"]) == len(arrays["labels"]) == len(arrays["speakers"]) == 54
        assert str(arrays["extractor"]) == "toy/corpus"
    code, _, err = serab("cache", "export", "toy/wide", "--task", "tones", "--to", str(file))
    assert code == 5
    assert "serab eval toy/wide --tasks tones" in " ".join(err.split())
