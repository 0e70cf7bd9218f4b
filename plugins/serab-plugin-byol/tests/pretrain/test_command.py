"""The commands of `serab pretrain`, except the training itself."""

from __future__ import annotations

import json

import pytest
from serab_plugin_byol import documents
from serab_plugin_byol.command import group
from typer.testing import CliRunner

from serab_core.documents import documents_in
from serab_core.errors import DataError, UsageError
from tests.documents import check_document, check_published

DOCUMENTS = documents_in(documents)


@pytest.fixture
def call(monkeypatch, tmp_path):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> str:
        result = CliRunner().invoke(group, [str(word) for word in arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_schemas_are_published():
    check_published(DOCUMENTS, DOCUMENTS)


def test_pack(call, packed, tmp_path):
    (packed.parent / "torn.wav").write_bytes(b"torn")
    try:
        out = call("pack", packed.parent, "-o", "pack", "--jobs", 1)
        assert "12 clips" in out
        about = json.loads(call("pack", packed.parent, "-o", "other", "--jobs", 1, "--json"))
        check_document(about, "serab.pack-summary/1", DOCUMENTS)
        assert about["clips"] == 12
        assert [name.rpartition("/")[2] for name, _ in about["skipped"]] == ["torn.wav"]
    finally:
        (packed.parent / "torn.wav").unlink()
    with pytest.raises(DataError, match="neither a folder nor a file"):
        call("pack", "missing", "-o", "third")


def test_speech(call, tmp_path):
    (tmp_path / "segments.csv").write_text('--PJHxphWEs, 30.0, 40.0, "/m/09x0r"\n--ZhevVpy1s, 5.0, 6.0, "/m/012xff"\n')
    (tmp_path / "audio").mkdir()
    with pytest.raises(DataError, match="holds no file of the 1 segments with speech"):
        call("speech", "segments.csv", "--audio", "audio")
    (tmp_path / "audio" / "Y--PJHxphWEs.wav").write_bytes(b"")
    out = call("speech", "segments.csv", "--audio", "audio", "-o", "lists/speech.txt")
    assert "1 files of 1 segments with speech" in out
    assert (tmp_path / "lists" / "speech.txt").read_text() == "../audio/Y--PJHxphWEs.wav\n"


def test_presets(call):
    shown = call("presets")
    for word in ("byol-s-released", "byol-a-2021", "mixup_memory", "adamw", "0.01", "400"):
        assert word in shown


def test_the_order_of_settings(call, packed, tmp_path):
    (tmp_path / "own.toml").write_text("size = 1024\nbatch = 8\nunit_s = 0.2\n")
    arguments = ("byol-s", "-d", packed, "-o", "run", "--config", "own.toml", "--set", "batch=6", "--set", "hidden=8")
    arguments += ("--set", "projection=4", "--size", 512, "--steps", 1, "--accelerator", "cpu")
    summary = json.loads(call(*arguments, "--json"))
    check_document(summary, "serab.pretrain/1", DOCUMENTS)
    assert summary["loss"] > 0
    resumed = json.loads(call(*arguments, "--json"))  # there is nothing left to do
    check_document(resumed, "serab.pretrain/1", DOCUMENTS)
    assert resumed == {**summary, "loss": None}
    assert "1 steps; next: serab eval run" in call(*arguments)
    config = (tmp_path / "run" / "config.toml").read_text()
    assert "size = 512\n" in config
    assert "batch = 6\n" in config
    assert "unit_s = 0.2\n" in config
    with pytest.raises(UsageError, match="Did you mean .hidden"):
        call("byol-s", "-d", packed, "--set", "hiden=8")


def test_audio_is_packed_once_on_the_way(call, packed, tmp_path):
    small = ("--size", 512, "--batch", 4, "--set", "hidden=8", "--set", "projection=4", "--set", "unit_s=0.1")
    for run in ("one", "two"):
        call("byol-s", "-d", packed.parent / "0.wav", "-d", packed, "-o", run, *small, "--steps", 1)
    data = json.loads((tmp_path / "one" / "data.json").read_text())
    check_document(data, "serab.pretrain-data/1", DOCUMENTS)
    assert data["clips"] == 13
    assert len(list((tmp_path / "home" / "packs").iterdir())) == 1
