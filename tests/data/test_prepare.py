"""Preparing: what comes out of a download, and what becomes of one that is not the corpus."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from serab_core import plugins
from serab_core.data import archives
from serab_core.data.prepare import prepare
from serab_core.data.prepared import load, prepared_names
from serab_core.data.protocols import PROTOCOLS, SPLIT_PROTOCOLS
from serab_core.data.splits import crossing_speakers
from serab_core.errors import AudioError, DataError, NotPreparedError, PluginError, StoreError
from serab_core.types import SplitVariant


def zipped(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(folder).as_posix())
    return path


@pytest.fixture
def spec(toys):
    return plugins.dataset("tones")


def digests(prepared):
    return {protocol.name: prepared.task(protocol).digest for protocol in SPLIT_PROTOCOLS}


def test_a_folder_is_used_in_place(prepared_tones, tones_folder):
    summary = prepared_tones.summary()
    assert summary["utterances"] == 54
    assert summary["labels"] == {"high": 18, "low": 18, "mid": 18}
    assert summary["splits"] == {"train": 27, "validation": 9, "test": 18}
    assert summary["speakers"] == 6
    task = prepared_tones.task(PROTOCOLS["serab"])
    assert task.labels == ("low", "mid", "high")
    assert task.utterances[0].path == str(tones_folder / "wav" / "a_high_0.wav")
    assert task.utterances[0].targets == {"pitch": 1200.0}
    assert not (prepared_tones.folder / "audio").exists()


def test_zip_flac_nesting_litter_and_copies_end_in_the_same_digest(spec, prepared_tones, tmp_path, home, quiet):
    from serab_toys import tones

    clean = digests(prepared_tones)
    messy = tmp_path / "messy"
    tones.write(messy, subfolder="Deep/er/Wav", suffix=".WAV")
    tones.write(messy, subfolder="Deep/er/Wav/again")
    (messy / "__MACOSX").mkdir()
    (messy / "__MACOSX" / "a_low_0.wav").write_bytes(b"litter")
    (messy / "Deep" / "._a_low_1.wav").write_bytes(b"litter")
    (messy / "readme.txt").write_text("hello")
    tones.write(messy, names=["f_high_9"], subfolder="Deep")
    soundfile.write(messy / "track 1.wav", np.zeros(100), 8000)
    from_zip = prepare(spec, [zipped(messy, tmp_path / "messy.zip")], home, quiet)
    assert digests(from_zip) == clean
    reasons = dict(from_zip.index["skipped"])
    assert reasons["track 1.wav"] == "its name is not of this corpus"
    assert reasons["Deep/f_high_9.wav"] == "known to be damaged"
    assert "a copy of Deep/er/Wav/a_low_0.WAV" in reasons["Deep/er/Wav/again/a_low_0.wav"]
    assert (from_zip.folder / "audio" / "a_low_0.wav").is_file()
    flac = tmp_path / "flac"
    tones.write(flac, suffix=".flac")
    assert digests(prepare(spec, [flac], home, quiet)) == clean


def test_protocols_take_their_variants(prepared_tones):
    serab = prepared_tones.task(PROTOCOLS["serab"])
    released = prepared_tones.task(PROTOCOLS["serab-released"])
    assert serab.digest == prepared_tones.task(PROTOCOLS["strict"]).digest != released.digest
    assert (released.variant, released.labels, len(released.utterances)) == ("as_released", ("low", "high"), 36)
    assert released.note == "cut by takes, not speakers"
    assert {u.group for u in released.utterances} == {"0", "1", "2"}
    speakers = {u.id: u.speaker for u in serab.utterances}
    assert crossing_speakers(speakers, {u.id: u.split for u in serab.utterances}) == {}
    assert len(crossing_speakers(speakers, {u.id: u.split for u in released.utterances})) == 6


def test_a_partial_corpus_is_refused_by_name_or_marked(spec, tones_folder, home, quiet):
    for name in ("a_low_0", "c_mid_2"):
        (tones_folder / "wav" / f"{name}.wav").unlink()
    with pytest.raises(DataError, match=r"52 of 54 utterances are there, 2 are missing: a_low_0, c_mid_2") as caught:
        prepare(spec, [tones_folder], home, quiet)
    assert "allow_partial=True" in caught.value.next_step
    assert prepared_names(home) == ()
    partial = prepare(spec, [tones_folder], home, quiet, allow_partial=True)
    assert partial.summary()["missing"] == ["a_low_0", "c_mid_2"]
    assert partial.task(PROTOCOLS["serab"]).partial


def test_missing_counts_without_a_list(spec, tones_folder, home, quiet):
    loose = replace(spec, expected_ids=None)
    for path in (tones_folder / "wav").glob("f_*"):
        path.unlink()
    with pytest.raises(DataError, match="low: 15 of 18, mid: 15 of 18, high: 15 of 18, speakers: 5 of 6"):
        prepare(loose, [tones_folder], home, quiet)


def test_strangers_beside_the_corpus_are_left_out(spec, tones_folder, home, quiet):
    from serab_toys import tones

    tones.write(tones_folder, names=["a_low_7"])
    prepared = prepare(spec, [tones_folder], home, quiet)
    assert prepared.index["skipped"] == [["wav/a_low_7.wav", "not one of Tones's 54 utterances"]]


@pytest.mark.parametrize("kind", ["nothing", "no zip", "no audio", "other audio", "cut zip", "absent"])
def test_what_is_not_the_corpus_is_told(spec, tmp_path, home, quiet, kind, tones_folder):
    source = tmp_path / "source"
    source.mkdir()
    if kind == "other audio":
        soundfile.write(source / "track.wav", np.zeros(100), 8000)
    elif kind == "no audio":
        (source / "x.txt").write_text("x")
    elif kind == "no zip":
        source = tmp_path / "x.zip"
        source.write_bytes(b"hello")
    elif kind == "cut zip":
        whole = zipped(tones_folder, tmp_path / "whole.zip").read_bytes()
        source = tmp_path / "cut.zip"
        source.write_bytes(whole[: len(whole) // 2])
    elif kind == "absent":
        source = tmp_path / "absent.zip"
    with pytest.raises(DataError) as caught:
        prepare(spec, [source], home, quiet)
    assert str(source) in str(caught.value)
    assert caught.value.next_step
    assert prepared_names(home) == ()


def test_a_damaged_member_a_password_and_a_bomb_are_told(spec, tones_folder, tmp_path, home, quiet, monkeypatch):
    good = zipped(tones_folder, tmp_path / "good.zip").read_bytes()
    damaged = bytearray(good)
    damaged[100] ^= 0xFF
    (tmp_path / "damaged.zip").write_bytes(bytes(damaged))
    with pytest.raises(DataError, match=r"a_high_0.wav', which is damaged"):
        prepare(spec, [tmp_path / "damaged.zip"], home, quiet)
    locked = bytearray(good)
    central = good.index(b"PK\x01\x02")
    locked[central + 8] |= 1
    (tmp_path / "locked.zip").write_bytes(bytes(locked))
    with pytest.raises(DataError, match="password"):
        prepare(spec, [tmp_path / "locked.zip"], home, quiet)
    from serab_toys import tones

    (tmp_path / "bomb").mkdir()
    with zipfile.ZipFile(tmp_path / "bomb" / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(tones.ids()):
            archive.writestr(f"{name}.wav", b"\0" * 5_000_000)
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 1 << 22)
    with pytest.raises(DataError, match="unpacks to more than 4194304 bytes, as no corpus of speech does"):
        prepare(spec, [tmp_path / "bomb"], home, quiet)
    assert prepared_names(home) == ()


def test_no_name_out_of_an_archive_becomes_a_path(spec, tones_folder, tmp_path, home, quiet):
    prepare(spec, [zipped(tones_folder, tmp_path / "evil.zip", prefix="../../../")], home, quiet)
    outside = [p for p in tmp_path.rglob("a_low_0.wav") if home.root not in p.parents and tones_folder not in p.parents]
    assert outside == []


def test_bad_audio_is_named_and_nothing_is_left_half_prepared(spec, tones_folder, home, quiet):
    (tones_folder / "wav" / "b_low_1.wav").write_bytes(b"")
    with pytest.raises(AudioError, match=r"download/wav/b_low_1.wav: is empty: it has no bytes"):
        prepare(spec, [tones_folder], home, quiet)
    for take in range(3):
        for label in ("mid", "high"):
            (tones_folder / "wav" / f"c_{label}_{take}.wav").write_bytes(b"x")
    with pytest.raises(AudioError, match=r"7 files cannot be used: .*b_low_1.wav.*; \.\.\."):
        prepare(spec, [tones_folder], home, quiet)
    assert list(home.datasets.iterdir()) == []


def test_a_good_corpus_outlives_a_failed_second_try(spec, prepared_tones, tmp_path, home, quiet):
    with pytest.raises(DataError):
        prepare(spec, [tmp_path / "nothing"], home, quiet)
    assert load(home, "tones").summary()["utterances"] == 54


def test_odd_specs(spec, tones_folder, home, quiet, tmp_path):
    with pytest.raises(DataError, match="needs a source"):
        prepare(spec, [], home, quiet)
    with pytest.raises(DataError, match="has label 'high'"):
        prepare(replace(spec, labels=("low", "mid")), [tones_folder], home, quiet)
    one = tmp_path / "one"
    from serab_toys import tones

    tones.write(one, names=[f"{s}_low_0" for s in "abcdef"])
    with pytest.raises(DataError, match="only the class 'low'"):
        prepare(spec, [one], home, quiet, allow_partial=True)
    with pytest.raises(DataError, match=r"belongs to speaker 'f'"):
        prepare(replace(spec, variants=(SplitVariant(groups=tuple("abcde")),)), [tones_folder], home, quiet)
    few = tmp_path / "few"
    tones.write(few, names=[n for n in tones.ids() if n[0] == "a"])
    with pytest.raises(DataError, match="leaves no utterance for train"):
        prepare(replace(spec, variants=(SplitVariant(),)), [few], home, quiet, allow_partial=True)
    with pytest.raises(DataError, match="has no split in the corpus"):
        prepare(replace(spec, variants=(SplitVariant(own_splits=True),)), [tones_folder], home, quiet)


def test_a_corpus_with_splits_of_its_own(spec, tones_folder, home, quiet):
    def index(files):
        found = spec.index(files)
        halves = {"0": "train", "1": "validation", "2": "test"}
        return replace(found, entries=tuple(replace(e, split=halves[e.id[-1]]) for e in found.entries))

    own = replace(spec, index=index, variants=(SplitVariant(own_splits=True),), released_variant="default")
    assert prepare(own, [tones_folder], home, quiet).summary()["splits"] == {"train": 18, "validation": 18, "test": 18}
    with pytest.raises(KeyError):
        own.variant("as_released")


def test_a_generated_corpus(toys, home, quiet):
    prepared = prepare(plugins.dataset("hums"), [], home, quiet)
    assert prepared.task(PROTOCOLS["serab"]).synthetic
    assert [p.name for p in home.datasets.iterdir()] == ["hums"]


def test_loading(prepared_tones, home):
    with pytest.raises(NotPreparedError, match="prepare it with .serab.prepare..hums., .PATH.."):
        load(home, "hums")
    (prepared_tones.folder / "index.json").write_text('{"schema": "serab.dataset/1"}')
    with pytest.raises(StoreError, match="incomplete"):
        load(home, "tones")
    shutil.rmtree(home.root)
    assert prepared_names(home) == ()


def test_a_dataset_plugin_that_breaks_is_named(spec, tones_folder, home, quiet):
    def broken(argument):
        raise ZeroDivisionError("oh\nno")

    with pytest.raises(PluginError, match="dataset tones: index raised ZeroDivisionError: oh no"):
        prepare(replace(spec, index=broken), [tones_folder], home, quiet)
    with pytest.raises(PluginError, match="generate raised"):
        prepare(replace(spec, generate=broken), [], home, quiet)


def test_a_generator_on_a_full_disk_is_the_homes_fault(spec, home, quiet):
    def full(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="no space left"):
        prepare(replace(spec, generate=full), [], home, quiet)
    assert list(home.datasets.iterdir()) == []
