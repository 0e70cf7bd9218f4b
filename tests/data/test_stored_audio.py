"""`serab cache verify` reads the audio that the home stores."""

from __future__ import annotations

import json
import shutil

import pytest


@pytest.fixture
def copied(tones_folder, serab, home):
    """The toy corpus with its audio in the home, as FLAC."""
    code, _, err = serab("data", "prepare", "tones", str(tones_folder), "--copy")
    assert code == 0, err
    shutil.rmtree(tones_folder)
    return sorted((home.datasets / "tones" / "audio").glob("*.flac"))


def verify(serab) -> tuple[int, dict]:
    code, out, _ = serab("cache", "verify", "--json")
    return code, json.loads(out)


def test_stored_audio_is_read(copied, serab):
    code, document = verify(serab)
    assert (code, document["files"], document["damaged"], document["unreadable"]) == (0, len(copied) + 1, [], [])


def test_empty_other_and_missing_audio_is_damage_and_stays(copied, serab):
    empty, cut, other, missing = copied[:4]
    empty.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:100])
    other.write_bytes(copied[5].read_bytes())
    missing.unlink()
    code, document = verify(serab)
    assert code == 6
    damaged = {row["path"]: row for row in document["damaged"]}
    assert set(damaged) == {str(path) for path in copied[:4]}
    assert "has changed since it was prepared" in damaged[str(other)]["what"]
    assert "is missing" in damaged[str(missing)]["what"]
    assert not any(row["aside"] for row in damaged.values())
    assert empty.exists()
    code, out, _ = serab("cache", "verify")
    assert code == 6
    assert "4 damaged" in out


def test_audio_that_is_used_in_place_is_not_read(prepared_tones, tones_folder, serab):
    shutil.rmtree(tones_folder)
    assert verify(serab)[0] == 0


def test_audio_of_a_corpus_whose_index_is_damaged_is_left_to_the_index(copied, serab, home):
    (home.datasets / "tones" / "index.json").write_bytes(b"{}")
    code, document = verify(serab)
    assert code == 6
    assert [row["path"] for row in document["damaged"]] == [str(home.datasets / "tones" / "index.json")]
