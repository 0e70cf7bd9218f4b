"""Corpora of one's own: manifests and audformat databases, and audio that is kept as FLAC."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from serab_core import plugins
from serab_core.data.audformat_ import read_audformat
from serab_core.data.manifest import own_dataset, own_name, read_manifest
from serab_core.data.prepare import prepare
from serab_core.data.protocols import PROTOCOLS
from serab_core.errors import DataError, UsageError


@pytest.fixture
def manifest(tones_folder) -> Path:
    from serab_toys import tones

    lines = ["path,label,speaker,comment"]
    lines += [f"wav/{i}.wav,{i.split('_')[1]},{i[0]},x" for i in sorted(tones.ids())]
    path = tones_folder / "manifest.csv"
    path.write_text("\ufeff" + "\n".join(lines) + "\n")
    return path


def edited(manifest: Path, old: str, new: str) -> Path:
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new))
    return manifest


def test_a_manifest_is_cut_by_the_papers_rule_and_evaluated(serab, manifest, home):
    code, out, _ = serab("data", "add", "my-own", str(manifest), "--language", "de")
    assert code == 0
    assert "my-own is prepared: 54 utterances, 3 labels, 6 speakers" in out
    assert "train 27, validation 9, test 18" in out
    code, out, _ = serab("eval", "toy", "-c", "centroid", "-j", "1", "--json")
    assert code == 0
    (result,) = json.loads(out)["results"]
    assert (result["task"], result["language"]) == ("my-own", "de")
    assert json.loads(out)["aggregates"][0]["tasks"] == []
    assert serab("data", "verify", "my-own")[0] == 0
    assert "my-own" in serab("data", "list")[1]


def test_a_manifest_with_splits(serab, manifest):
    lines = manifest.read_text().splitlines()
    words = {"a": "train", "b": "Train", "c": "train", "d": "dev", "e": "validation", "f": "TEST"}
    with_splits = [lines[0] + ",split"] + [f"{line},{words[line.split(',')[2]]}" for line in lines[1:]]
    manifest.write_text("\n".join(with_splits))
    summary = json.loads(serab("data", "add", "mine", str(manifest), "--json")[1])
    assert summary["splits"] == {"train": 27, "validation": 18, "test": 9}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("path,label", "file,label", "has no column path"),
        ("wav/a_low_0.wav,low", "wav/a_low_0.wav,", "line 5: has no label"),
        ("wav/a_low_0.wav", "wav/gone.wav", "gone.wav, which is not there"),
        ("wav/a_low_0.wav", "wav/a_low_1.wav", "line 6: names wav/a_low_1.wav a second time"),
    ],
)
def test_faults_of_a_manifest_name_the_line(serab, manifest, old, new, says):
    code, _, err = serab("data", "add", "mine", str(edited(manifest, old, new)))
    assert code == 5
    assert says in " ".join(err.split())
    assert "Next: " in err


def test_faults_of_splits(manifest):
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([lines[0] + ",split", lines[1] + ",train", *lines[2:]]))
    with pytest.raises(DataError, match="gives no split to wav/a_high_1.wav and 52 more"):
        read_manifest(manifest)
    manifest.write_text("\n".join([lines[0] + ",split", lines[1] + ",holdout"]))
    with pytest.raises(DataError, match="line 2: has split 'holdout'"):
        read_manifest(manifest)
    manifest.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        read_manifest(manifest)
    with pytest.raises(DataError, match="cannot be read"):
        read_manifest(manifest.with_name("none.csv"))


def test_names_of_ones_own(serab, manifest):
    for name in ("Mine", "", "a b", "../x", "-x"):
        with pytest.raises(UsageError, match="is no name for a dataset"):
            own_name(name, ())
    for name in ("tones", "emodb"):
        code, _, err = serab("data", "add", name, str(manifest))
        assert (code, "belongs" in err or "plugin's dataset" in err) == (2, True)
    assert serab("data", "add", "mine")[0] == 2
    assert serab("data", "add", "mine", str(manifest), "--audformat", str(manifest.parent))[0] == 2


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8)), max_size=6))
def test_any_manifest_is_read_or_refused(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("m") / "manifest.csv"
    path.write_text("path,label,speaker\n" + "\n".join(",".join(row) for row in rows), encoding="utf-8", newline="")
    try:
        assert read_manifest(path) == ()
    except DataError as error:
        assert str(path.parent) in str(error)


def test_an_audformat_database(serab, tones_folder, tmp_path):
    audformat = pytest.importorskip("audformat", reason="audformat is installed with openSMILE only")
    from serab_toys import tones

    ids = sorted(tones.ids())
    index = audformat.filewise_index([f"wav/{i}.wav" for i in ids])
    database = audformat.Database("tones")
    database.schemes["mood"] = audformat.Scheme(labels=["low", "mid", "high"])
    database.schemes["speaker"] = audformat.Scheme("str")
    database["files"] = audformat.Table(index)
    database["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    database["files"]["speaker"].set([i[0] for i in ids])
    database["moods"] = audformat.Table(index)
    database["moods"]["rated"] = audformat.Column(scheme_id="mood")
    database["moods"]["rated"].set([i.split("_")[1] for i in ids])
    database.save(str(tones_folder), storage_format="csv")
    code, out, err = serab("data", "add", "af", "--audformat", str(tones_folder), "--label", "mood")
    assert code == 0, err
    assert "af is prepared: 54 utterances, 3 labels, 6 speakers" in out
    with pytest.raises(DataError, match="no table of files with a column or scheme 'emotion'"):
        read_audformat(tones_folder)
    with pytest.raises(DataError, match=r"has no db.yaml"):
        read_audformat(tmp_path)
    (tones_folder / "db.yaml").write_text("nonsense: [")
    with pytest.raises(DataError, match="no audformat database that can be read"):
        read_audformat(tones_folder)


def test_audformat_that_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "audformat", None)
    with pytest.raises(UsageError, match="pip install audformat"):
        read_audformat(tmp_path)


def test_audio_kept_as_flac(toys, tones_folder, home, quiet):
    from serab_toys import tones

    spec = plugins.dataset("tones")
    kept = prepare(spec, [tones_folder], home, quiet, copy=True)
    first = kept.task(PROTOCOLS["serab"]).utterances[0]
    info = soundfile.info(first.path)
    assert (info.format, info.samplerate, info.channels, info.subtype) == ("FLAC", 16000, 1, "PCM_24")
    assert Path(first.path).is_relative_to(home.datasets)
    tones.write(tones_folder, rate=16000)
    in_place = prepare(spec, [tones_folder], home, quiet).task(PROTOCOLS["serab"]).digest
    assert prepare(spec, [tones_folder], home, quiet, copy=True).task(PROTOCOLS["serab"]).digest == in_place


def test_a_dataset_of_ones_own_declares_itself(manifest):
    spec = own_dataset("mine", read_manifest(manifest), "de")
    assert spec.labels == ("high", "low", "mid")
    assert spec.expected_counts == dict.fromkeys(spec.labels, 18)
    assert not spec.variants[0].own_splits
    assert np.all([entry.file.path.is_absolute() for entry in spec.index([]).entries])
