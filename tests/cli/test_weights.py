"""`serab weights`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def file(toys, tmp_path):
    path = tmp_path / "heavy.pth"
    path.write_bytes(b"gain 2.0")
    return path


def test_list_before_and_after(serab, file):
    code, out, _ = serab("weights", "list", "--json")
    assert code == 0
    rows = {row["extractor"]: row for row in json.loads(out)["weights"]}
    assert {"heavy", "heavy/strict", "heavy/two"} <= set(rows)
    assert not rows["heavy"]["installed"]
    code, out, err = serab("weights", "import", "heavy", str(file))
    assert code == 0, err
    assert "Licence of heavy.txt: CC0" in err
    assert "recorded now" in out
    out = serab("weights", "list")[1]
    assert "yes" in out
    assert "https://127.0.0.1:9/heavy.pth" in out


def test_terms_have_to_be_agreed_to(serab, file):
    code, _, err = serab("weights", "import", "heavy/strict", str(file))
    assert code == 10
    assert "No distribution." in err
    assert "--accept-licence" in err
    code, out, _ = serab("weights", "import", "heavy/strict", str(file), "--accept-licence", "--json")
    assert code == 0
    assert json.loads(out)["installed"]
    assert serab("weights", "import", "heavy/strict", str(file))[0] == 0


def test_several_files_go_by_their_names(serab, file, tmp_path):
    other = tmp_path / "x.bin"
    other.write_bytes(b"gain 1")
    code, _, err = serab("weights", "import", "heavy/two", str(other))
    assert code == 2
    assert "heavy.pth, strict.pth" in err
    assert serab("weights", "import", "heavy/two", str(file))[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["import", "toy", "x"], 2, "needs no weights"),
        (["fetch", "toy"], 2, "needs no weights"),
        (["import", "heavy", "nowhere.pth"], 10, "file not found"),
        (["fetch", "heavy"], 10, "no connection"),
    ],
)
def test_wrong_words(serab, toys, words, code, text):
    found, _, err = serab("weights", *words)
    assert (found, text in " ".join(err.split())) == (code, True)


def test_what_is_there_is_not_fetched_again(serab, file):
    serab("weights", "import", "heavy", str(file))
    code, out, err = serab("weights", "fetch", "heavy")
    assert (code, err) == (0, "")
    assert "heavy.txt" in out


def test_a_download_without_a_published_checksum_needs_the_users_word(serab, toys, home, monkeypatch):
    from hashlib import sha256

    content = b"gain 2.0"
    digest = sha256(content).hexdigest()
    asked = []

    def fetched(home, extractor, weight, progress):
        asked.append(weight.sha256)
        path = home.weights / "downloads" / "heavy.pth"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    monkeypatch.setattr("serab_core.store.fetch.fetch", fetched)
    code, _, err = serab("weights", "fetch", "heavy")
    assert code == 10
    assert f"--sha256 {digest}" in " ".join(err.split())
    assert "--unverified" in err
    assert not (home.weights / "heavy.txt").exists()
    for wrong in ("abc", "0" * 63 + "g"):
        assert serab("weights", "fetch", "heavy", "--sha256", wrong)[0] == 2
    code, _, err = serab("weights", "fetch", "heavy", "--sha256", "0" * 64)
    assert code == 10
    assert digest in err
    assert not (home.weights / "heavy.txt").exists()
    assert serab("weights", "fetch", "heavy", "--sha256", digest.upper())[0] == 0
    assert asked == [None, "0" * 64, digest]
    (home.weights / "heavy.txt").unlink()
    (home.weights / "heavy.txt.json").unlink()
    assert serab("weights", "fetch", "heavy", "--unverified")[0] == 0
    assert (home.weights / "heavy.txt").read_bytes() == b"2.0"
