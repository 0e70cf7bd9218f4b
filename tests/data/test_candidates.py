"""Several files of one utterance: which is taken, what is said, and what is refused."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from serab_core import plugins
from serab_core.data.folders import folders_of
from serab_core.data.prepare import prepare
from serab_core.data.protocols import PROTOCOLS
from serab_core.errors import DataError
from serab_core.types import ExpectedAudio, SourceFile

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.fixture
def spec(toys):
    return plugins.dataset("tones")


@pytest.fixture
def write(toys, tmp_path):
    """Writes the toy corpus below a folder, a speaker a folder where `by_speaker`; `other` names other recordings."""
    from serab_toys import tones

    def call(root, subfolder=".", suffix=".wav", rate=8000, by_speaker=False, names=None, other=()):
        for name in sorted(names or tones.ids()):
            folder = tmp_path / root / subfolder / (f"Actor_{name[0]}" if by_speaker else ".")
            folder.mkdir(parents=True, exist_ok=True)
            samples = tones.tone(name, rate)
            soundfile.write(folder / f"{name}{suffix}", samples[::-1] if name in other else samples, rate)
        return tmp_path / root

    return call


def prepared_paths(prepared):
    return {row["id"]: row["file"] for row in prepared.index["utterances"]}


def test_wavs_beside_mp3s(spec, write, home, quiet):
    write("c", "AudioWAV")
    prepared = prepare(spec, [write("c", "AudioMP3", ".mp3")], home, quiet)
    assert all("/AudioWAV/" in path for path in prepared_paths(prepared).values())
    (choice,) = prepared.index["choices"]
    assert (choice["chosen"], choice["left"], choice["why"]) == ("AudioWAV", "AudioMP3", "it is lossless")
    assert choice["count"] == len(choice["utterances_differ"]) == 54
    assert "differ in all of them" in prepared.index["notes"][0]
    reason = "another recording of a_low_0: AudioWAV was chosen because it is lossless"
    assert ["AudioMP3/a_low_0.mp3", reason] in prepared.index["skipped"]


def test_a_declared_sibling_never_counts(spec, write, home, quiet, tmp_path):
    from serab_toys import tones

    known = replace(spec, siblings={"laryngo": "the laryngograph signal", "AudioMP3": "lossy copies"})
    write("c", "wav")
    source = write("c", "Laryngo", other=tones.ids())
    prepared = prepare(known, [source], home, quiet)
    assert all("/wav/" in path for path in prepared_paths(prepared).values())
    assert "54 files in laryngo left out: the laryngograph signal" in prepared.index["notes"]
    assert ["Laryngo/a_low_0.wav", "the laryngograph signal"] in prepared.index["skipped"]
    taken = prepare(known, [source], home, quiet, folder="Laryngo")
    assert all("/Laryngo/" in path for path in prepared_paths(taken).values())
    shutil.rmtree(source / "wav")
    for sources in ([source], [source / "Laryngo"]):
        with pytest.raises(DataError, match="only in the folder laryngo.*the laryngograph signal"):
            prepare(known, sources, home, quiet)
    prepare(known, [source / "Laryngo"], home, quiet, folder=".")
    archive = tmp_path / "laryngo.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted((source / "Laryngo").iterdir()):
            opened.write(path, path.name)
    with pytest.raises(DataError, match="the laryngograph signal"):
        prepare(known, [archive], home, quiet)


def test_undecided_recordings_are_refused_by_name(spec, write, home, quiet):
    """As the widespread copy of RAVDESS: every file twice, and a few of them differ."""
    differ = {"a_low_0", "b_mid_1", "f_high_2"}
    write("c", by_speaker=True)
    source = write("c", "audio_1-6", by_speaker=True, other=differ)
    with pytest.raises(DataError) as caught:
        prepare(spec, [source], home, quiet)
    assert "3 utterances (a_low_0, b_mid_1, f_high_2): " in caught.value.what
    assert f"{source} and {source}/audio_1-6 differ" in caught.value.what
    assert 'choose it: folder="." or folder="audio_1-6"' in caught.value.next_step
    for folder, inside in ((".", False), ("audio_1-6", True), ("audio_1-6/", True), (f"{source}/audio_1-6", True)):
        prepared = prepare(spec, [source], home, quiet, folder=folder)
        assert all(("/audio_1-6/" in path) is inside for path in prepared_paths(prepared).values())
        (choice,) = prepared.index["choices"]
        assert choice["utterances_differ"] == sorted(differ)
        assert choice["count"] == 54
        assert "a_low_0, b_mid_1, f_high_2" in prepared.index["notes"][0]
    with pytest.raises(DataError, match=r"has no folder 'nowhere'.* its folders are \., audio_1-6"):
        prepare(spec, [source], home, quiet, folder="nowhere")


def test_a_misplaced_file_does_not_break_the_folders(spec, write, home, quiet):
    write("c", by_speaker=True)
    source = write("c", "again", by_speaker=True, other={"b_low_0"})
    shutil.copy(source / "Actor_a" / "a_low_0.wav", source / "Actor_b")
    with pytest.raises(DataError, match=r"1 utterance \(b_low_0\)"):
        prepare(spec, [source], home, quiet)
    shutil.rmtree(source / "again")
    assert len(prepared_paths(prepare(spec, [source], home, quiet))) == 54
    soundfile.write(source / "Actor_b" / "a_low_0.wav", np.zeros(1000), 8000)
    with pytest.raises(DataError, match=r"1 utterance \(a_low_0\): .*Actor_b and .*Actor_a differ"):
        prepare(spec, [source], home, quiet)
    prepared = prepare(spec, [source], home, quiet, folder="Actor_a")
    assert len(prepared_paths(prepared)) == 54  # the other files of Actor_b are no copies
    assert "/Actor_a/" in prepared_paths(prepared)["a_low_0"]


@pytest.mark.parametrize("layout", ["outside", "inside"])
def test_the_declared_rate_decides(spec, write, home, quiet, tmp_path, layout):
    for rate in (8000, 16000):
        for speaker in "abcdef":
            from serab_toys import tones

            names = [name for name in tones.ids() if name[0] == speaker]
            folder = f"{rate}/Actor_{speaker}" if layout == "outside" else f"Actor_{speaker}/{rate}"
            write("c", folder, rate=rate, names=names)
    with pytest.raises(DataError, match="different recordings of 54 utterances"):
        prepare(spec, [tmp_path / "c"], home, quiet)
    for rate in (8000, 16000):
        declared = replace(spec, expected_audio=ExpectedAudio(1, (rate,), 0.1, 1))
        prepared = prepare(declared, [tmp_path / "c"], home, quiet)
        assert {row["rate"] for row in prepared.index["utterances"]} == {rate}
        assert f"its sampling rate is {rate} Hz" in prepared.index["choices"][0]["why"]


@pytest.mark.parametrize("content", [LFS, b"", b"RIFF1234WAVEfmt ", b"/annex/objects/SHA256E-s9--0.wav\n"])
def test_what_cannot_be_decoded_never_wins(spec, write, home, quiet, content):
    write("c", "a")
    source = write("c", "b")
    for name in ("a_low_0", "c_mid_1"):
        (source / "a" / f"{name}.wav").write_bytes(content)
    prepared = prepare(spec, [source], home, quiet)
    paths = prepared_paths(prepared)
    assert [name for name, path in paths.items() if "/b/" in path] == ["a_low_0", "c_mid_1"]
    assert any("(a_low_0, c_mid_1): taken from b" in note for note in prepared.index["notes"])
    for path in (source / "a").iterdir():
        path.write_bytes(content)
    assert all("/b/" in path for path in prepared_paths(prepare(spec, [source], home, quiet)).values())


def test_a_lossy_file_is_better_than_a_damaged_one(spec, write, home, quiet):
    write("c", "wav")
    source = write("c", "mp3", ".mp3")
    (source / "wav" / "a_low_0.wav").write_bytes(LFS)
    prepared = prepare(spec, [source], home, quiet)
    assert prepared_paths(prepared)["a_low_0"].endswith("mp3/a_low_0.mp3")
    assert any(note.startswith("1 utterance (a_low_0): taken from mp3") for note in prepared.index["notes"])


def test_equal_samples_are_copies_on_disk_first(spec, write, home, quiet, tmp_path):
    clean = prepare(spec, [write("clean")], home, quiet)
    digest = clean.task(PROTOCOLS["serab"]).audio_digest
    source = write("c", "corpus")
    with zipfile.ZipFile(source / "corpus.zip", "w") as archive, tarfile.open(source / "z.tar.gz", "w:gz") as tar:
        for path in sorted((source / "corpus").iterdir()):
            archive.write(path, path.name)
            tar.add(path, path.name)
    write("c", "flac", ".flac")
    for sources in ([source], [source / "corpus.zip", source / "corpus"], [source / "z.tar.gz", source / "corpus.zip"]):
        prepared = prepare(spec, sources, home, quiet)
        assert prepared.task(PROTOCOLS["serab"]).audio_digest == digest
        assert not any(choice["utterances_differ"] for choice in prepared.index["choices"])
        on_disk = any(source.is_dir() for source in sources)
        assert all(path.startswith("/") is on_disk for path in prepared_paths(prepared).values())


def test_lacking_utterances_come_from_a_true_copy_only(spec, write, home, quiet):
    write("c", "x")
    source = write("c", "y")
    for name in ("a_low_0", "b_low_0"):
        (source / "x" / f"{name}.wav").unlink()
    (source / "y" / "c_low_0.wav").unlink()
    prepared = prepare(spec, [source], home, quiet, folder="x")
    assert len(prepared_paths(prepared)) == 54
    assert "2 utterances that x lacks: taken from y, a copy of it" in prepared.index["notes"]
    write("c", "y", other={"d_low_0"})
    with pytest.raises(DataError, match=r"missing: a_low_0, b_low_0; .*2 utterances .* only in y, which is not a copy"):
        prepare(spec, [source], home, quiet, folder="x")
    shutil.rmtree(source / "y")
    with pytest.raises(DataError, match=r"only in y, which is not a copy of x"):
        prepare(spec, [write("c", "y", ".mp3")], home, quiet)


def test_two_files_in_one_folder(spec, write, home, quiet):
    write("c", "wav")
    source = write("c", "wav", ".flac")
    prepared = prepare(spec, [source], home, quiet)
    assert len(prepared_paths(prepared)) == 54
    soundfile.write(source / "wav" / "a_low_0.flac", np.zeros(800), 8000)
    with pytest.raises(DataError, match="another recording of a_low_0 than"):
        prepare(spec, [source], home, quiet)


def test_contradicting_labels_are_refused(spec, write, home, quiet):
    def parse(file):
        entry = original(file)
        return replace(entry, label="high") if entry and "again" in file.name.parts else entry

    from serab_toys import tones

    from serab_core import index_by_name

    original = tones.parse
    write("c")
    with pytest.raises(DataError, match="is label 'high' of a_low_0, and .* is label 'low'"):
        prepare(replace(spec, index=index_by_name(parse)), [write("c", "again")], home, quiet)


def test_nothing_is_read_twice_without_doubles(spec, write, home, quiet, monkeypatch):
    from serab_core.data import comparison

    monkeypatch.setattr(comparison, "_examine", lambda *_: pytest.fail("a file was compared"))
    assert len(prepared_paths(prepare(spec, [write("c", by_speaker=True)], home, quiet))) == 54


def test_each_file_of_a_doubled_corpus_is_read_once_more(spec, write, home, quiet, monkeypatch):
    from serab_core.data import source as module

    reads = []
    plain = module._read
    monkeypatch.setattr(module, "_read", lambda path: reads.append(path) or plain(path))
    write("c", "x")
    prepare(spec, [write("c", "y")], home, quiet)
    assert max(map(reads.count, set(reads))) == 1  # those that are kept are decoded from the disk after that
    assert len(reads) == 2 * 54


def test_the_command(serab, toys, write, tmp_path):
    source = write("c", "x")
    write("c", "y", other={"a_low_0"})
    code, _, err = serab("data", "prepare", "tones", str(source))
    assert code == DataError.exit_code
    assert "a_low_0" in err
    code, out, _ = serab("data", "prepare", "tones", str(source), "--folder", "y")
    assert code == 0
    assert re.search(r"y and x both hold 54 utterances, and differ in 1 utterance \(a_low_0\)", out)
    code, out, _ = serab("data", "prepare", "tones", str(source), "--folder", "x", "--json")
    assert '"utterances_differ": [\n' in out


parts = st.lists(st.sampled_from("abc"), max_size=3)


@given(st.lists(st.lists(parts, min_size=1, max_size=4), min_size=1, max_size=6))
def test_every_file_of_several_has_a_folder(groups):
    files = [
        [SourceFile(PurePosixPath(*folder, f"{number}.wav"), 1, bytes, containers=("/root",)) for folder in group]
        for number, group in enumerate(groups)
    ]
    folders = folders_of(files)
    for group in files:
        for file in group:
            assert (id(file) in folders) is (len(group) > 1)
            if len(group) > 1:
                assert set(folders[id(file)].names) <= set(file.name.parts)
