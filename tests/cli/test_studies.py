"""`serab studies` and `serab eval --tuner`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def evaluated(toys, tones_folder, serab, monkeypatch, tmp_path):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    assert serab("data", "prepare", "tones", str(tones_folder))[0] == 0
    assert serab("eval", "toy", "-c", "centroid,knn", "-j", "1")[0] == 0
    return serab


def test_nothing_yet(toys, serab, monkeypatch, tmp_path):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    code, out, err = serab("studies", "ls")
    assert (code, out) == (0, "")
    assert "Nothing was tuned yet" in err
    assert serab("studies", "show", "abc")[0] == 3


def test_ls_and_show(evaluated):
    code, out, _ = evaluated("studies", "ls")
    assert code == 0
    assert "centroid, grid" in " ".join(out.split())
    studies = json.loads(evaluated("studies", "ls", "--json")[1])["studies"]
    assert [s["classifier"] for s in studies] == ["centroid", "knn"]
    assert all(s["finished"] and s["trials"] == s["points"] for s in studies)
    knn = studies[1]
    code, out, _ = evaluated("studies", "show", knn["study"][:8])
    assert code == 0
    assert "chosen" in out
    shown = json.loads(evaluated("studies", "show", knn["study"], "--json")[1])
    assert len(shown["all_points"]) == knn["points"]
    code, _, err = evaluated("studies", "show", "")
    assert code == 3
    assert "the names of 2 studies begin" in err


def test_unfinished_studies_are_counted(evaluated, tmp_path):
    studies = json.loads(evaluated("studies", "ls", "--json")[1])["studies"]
    (tmp_path / "home" / "studies" / f"{studies[1]['study']}.json").unlink()
    again = json.loads(evaluated("studies", "ls", "--json")[1])["studies"]
    assert not again[1]["finished"]
    assert again[1]["trials"] == studies[1]["points"]
    assert "Not finished" in evaluated("studies", "show", studies[1]["study"])[1]
    for journal in (tmp_path / "home" / "studies").glob("*.h5"):
        journal.write_bytes(journal.read_bytes()[:-9])
    code, out, _ = evaluated("studies", "ls", "--json")
    assert code == 0  # one that is damaged hides no other
    assert json.loads(out)["studies"][1]["trials"] == 0
    about = tmp_path / "home" / "studies" / "about" / f"{studies[0]['study']}.json"
    about.write_text(json.dumps({"schema": "serab.study/1", "study": "x"}))
    assert evaluated("studies", "ls")[0] == 6


def test_the_wide_search_is_marked_and_kept_apart(evaluated):
    code, out, _ = evaluated("eval", "toy", "-c", "knn", "-j", "1", "--tuner", "tpe", "--trials", "4", "--json")
    assert code == 0
    (result,) = json.loads(out)["results"]
    assert any("tuned by TPE in 4 trials" in caution for caution in result["cautions"])
    studies = json.loads(evaluated("studies", "ls", "--json")[1])["studies"]
    assert {s["tuner"] for s in studies} == {"grid", "tpe"}
    assert evaluated("eval", "toy", "--trials", "4")[0] == 2
    assert evaluated("eval", "toy", "--tuner", "magic")[0] == 2
