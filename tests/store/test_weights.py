"""Weight files: what is taken in, what is refused, and what is told when one is missing."""

from __future__ import annotations

import hashlib
import re

import pytest

from serab_core.errors import StoreError, WeightsError
from serab_core.store.weights import (
    agree,
    describe,
    file_sha256,
    import_weights,
    published_sha256,
    require_weights,
    weight_record,
    weights_path,
)
from serab_core.types import WeightFile

CONTENT = b"numbers" * 100
SHA = hashlib.sha256(CONTENT).hexdigest()
PINNED = WeightFile("m.bin", "https://example.org/a/m.pth", SHA, len(CONTENT), "MIT")
OPEN = WeightFile("o.bin", "https://example.org/a/o.pth", licence="MIT")


@pytest.fixture
def file(tmp_path, home):
    home.ensure()
    path = tmp_path / "m.pth"
    path.write_bytes(CONTENT)
    return path


def test_a_missing_file_is_described(home):
    with pytest.raises(WeightsError) as caught:
        require_weights(home, "my-model", [PINNED])
    text = str(caught.value)
    for part in ("my-model", "m.pth", f"{len(CONTENT):,} bytes", SHA, "MIT", PINNED.url, str(home.weights)):
        assert part in text
    assert "serab weights fetch my-model" in text
    assert "serab weights import my-model FILE" in text
    assert caught.value.exit_code == 10
    assert "recorded at first use" in describe(OPEN)


def test_taking_in_and_finding_again(home, file):
    found = import_weights(home, PINNED, file, "here")
    assert found == weight_record(home, PINNED)
    assert (found.source_sha256, found.source_size, found.source) == (SHA, len(CONTENT), "here")
    assert weights_path(PINNED).read_bytes() == CONTENT
    require_weights(home, "my-model", [PINNED])
    assert published_sha256(PINNED) == SHA


def test_another_file_is_refused_and_nothing_is_kept(home, file):
    file.write_bytes(b"a page of GitHub")
    with pytest.raises(WeightsError, match="is not m.pth") as caught:
        import_weights(home, PINNED, file, str(file))
    assert SHA in str(caught.value)
    assert weight_record(home, PINNED) is None
    assert [p.name for p in home.weights.iterdir()] == []


def test_an_unpinned_file_is_recorded_and_then_held_to(home, file):
    with pytest.raises(WeightsError):
        published_sha256(OPEN)
    import_weights(home, OPEN, file, "first")
    assert published_sha256(OPEN) == SHA
    file.write_bytes(b"other")
    with pytest.raises(WeightsError, match="that of first, imported 20") as caught:
        import_weights(home, OPEN, file, "second")
    assert "--replace" in str(caught.value)
    assert published_sha256(OPEN) == SHA
    import_weights(home, OPEN, file, "second", replace=True)
    assert published_sha256(OPEN) == hashlib.sha256(b"other").hexdigest()


def test_conversion_happens_once_and_its_faults_are_told(home, file):
    def convert(source, target):
        if source.read_bytes() != CONTENT:
            raise ValueError("it holds no weights")
        target.write_bytes(b"converted")

    weight = WeightFile("c.bin", "https://example.org/c.pth", convert=convert)
    found = import_weights(home, weight, file, "here")
    assert weights_path(weight).read_bytes() == b"converted"
    assert found.sha256 == hashlib.sha256(b"converted").hexdigest() != found.source_sha256
    file.write_bytes(b"junk")
    with pytest.raises(WeightsError, match="cannot be used as c.bin: it holds no weights"):
        import_weights(home, weight, file, "here", replace=True)
    assert weights_path(weight).read_bytes() == b"converted"


def test_what_changed_on_the_disk_is_noticed(home, file):
    import_weights(home, PINNED, file, "here")
    weights_path(PINNED).write_bytes(b"flipped")
    with pytest.raises(WeightsError, match="has changed since it was imported"):
        weights_path(PINNED)
    (home.weights / "m.bin.json").write_text('{"schema": "serab.weights/1"}')
    with pytest.raises(StoreError, match="is incomplete"):
        weight_record(home, PINNED)
    with pytest.raises(WeightsError, match="is missing"):
        weights_path(OPEN)
    with pytest.raises(StoreError, match="cannot be read"):
        file_sha256(home.weights / "none")


def test_terms_are_asked_for_once(home):
    home.ensure()
    asked = []
    strict = WeightFile("s.bin", "https://example.org/s", licence="theirs", terms="No distribution.")
    other = WeightFile("t.bin", "https://example.org/t", licence="theirs", terms="No distribution.")

    def answer(yes):
        return lambda weight: asked.append(weight.name) or yes

    agree(home, PINNED, answer(False))
    assert asked == []
    with pytest.raises(WeightsError, match=re.escape("were not accepted (theirs)")):
        agree(home, strict, answer(False))
    agree(home, strict, answer(True))
    agree(home, other, answer(False))
    assert asked == ["s.bin", "s.bin"]


@pytest.mark.parametrize(
    "record", ["", "[]", '{"schema": "serab.weights/1"}', '{"schema": "serab.weights/1", "sha256": 3}']
)
def test_a_damaged_record_is_told(home, file, record):
    from serab_core.errors import ContentError
    from serab_core.store.weights import check_weights, weight_files

    import_weights(home, PINNED, file, "here")
    (pair,) = weight_files(home)
    check_weights(*pair)
    (home.weights / "m.bin.json").write_text(record)
    with pytest.raises(ContentError, match=r"has a damaged record: m\.bin\.json") as found:
        check_weights(*pair)
    assert found.value.where == str(home.weights / "m.bin")


@pytest.mark.parametrize("moment", ["before the file", "before the record"])
def test_a_replacement_that_is_interrupted_leaves_weights_that_can_be_used(home, file, monkeypatch, moment):
    from serab_core.store import atomic, weights

    import_weights(home, OPEN, file, "here")
    earlier = published_sha256(OPEN)
    file.write_bytes(b"newer numbers")
    count = 0

    def interrupted(path, value):
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        write_json(path, value)

    def refused(old, new):
        if new == home.weights / "o.bin":
            raise KeyboardInterrupt
        rename(old, new)

    write_json, rename = weights.write_json, atomic._rename
    if moment == "before the file":
        monkeypatch.setattr(atomic, "_rename", refused)
    else:
        monkeypatch.setattr(weights, "write_json", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_weights(home, OPEN, file, "there", replace=True)
    monkeypatch.undo()
    monkeypatch.setenv("SERAB_HOME", str(home.root))
    content = weights_path(OPEN).read_bytes()  # it is what its record says
    assert content == (CONTENT if moment == "before the file" else b"newer numbers")
    assert published_sha256(OPEN) == hashlib.sha256(content).hexdigest()
    assert (published_sha256(OPEN) == earlier) == (moment == "before the file")
    import_weights(home, OPEN, file, "there", replace=True)
    assert "replacement" not in (home.weights / "o.bin.json").read_text()


def test_damaged_weights_and_records_are_told(home, file, quiet):
    from serab_core.store.inspect import verify_home

    def damaged():
        return {damage.path.name: damage.problem for damage in verify_home(home, quiet).damaged}

    import_weights(home, OPEN, file, "here")
    agree(home, WeightFile("t.bin", "https://example.org/t", terms="be kind"), lambda weight: True)
    (home.weights / "notes.json").write_text('{"schema": "mine/1"}')
    (home.weights / "hf").mkdir()
    (home.weights / "hf" / "config.json").write_text("[]")
    assert damaged() == {}
    record = home.weights / "o.bin.json"
    content = record.read_bytes()
    record.write_bytes(b"")
    assert "is not JSON" in damaged()["o.bin"]
    record.write_bytes(content)
    (home.weights / "o.bin").write_bytes(b"")
    assert "has changed" in damaged()["o.bin"]
    (home.weights / "o.bin").unlink()
    assert "is missing" in damaged()["o.bin"]
    assert (home.weights / "o.bin.json").exists()  # what cannot be made again is left where it is
