"""What lies in folders and archives: names, links, kinds that are not read, and archives that cannot be opened."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from serab_core import plugins
from serab_core.audio.decode import decode
from serab_core.data import archives
from serab_core.data.archives import clean_name
from serab_core.data.prepare import prepare
from serab_core.data.prepared import load
from serab_core.data.protocols import PROTOCOLS
from serab_core.data.source import find_file, open_sources
from serab_core.errors import DataError
from serab_core.types import Index

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


@pytest.fixture
def spec(toys):
    return plugins.dataset("tones")


def names(*sources):
    with open_sources(sources) as files:
        return [str(file.name) for file in files]


def problems(*sources):
    with open_sources(sources) as files:
        return {problem.file: (problem.kind, problem.reason) for problem in files.problems}


def contents(*sources):
    with open_sources(sources) as files:
        return {str(file.name): file.read() for file in files}


def zip_of(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, method  # the constructor would turn separators
            archive.writestr(info, content)
    return path


def tar_of(path, members, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                info.type, info.linkname = content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


# Names


def test_names_that_are_not_utf8_prepare_and_load(spec, tones_folder, home, quiet):
    target = os.fsencode(tones_folder) + b"/Col\xe8re"
    os.rename(os.fsencode(tones_folder) + b"/wav", target)
    shutil.copy(target + b"/a_low_0.wav", target + b"/stray\xff.wav")
    for copy in (False, True):
        prepared = prepare(spec, [tones_folder], home, quiet, copy=copy)
        assert prepared.index["skipped"] == [["Col\udce8re/stray\udcff.wav", "its name is not of this corpus"]]
        assert len(decode(Path(load(home, "tones").task(PROTOCOLS["serab"]).utterances[0].path), "x").samples)


def test_decomposed_names_are_composed(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Colère/é_1.wav") for form in ("NFC", "NFD"))
    for folder in (tmp_path / "disk",):
        (folder / decomposed).parent.mkdir(parents=True)
        (folder / decomposed).write_bytes(b"x")
    zip_of(tmp_path / "a.zip", {decomposed: b"x"})
    tar_of(tmp_path / "a.tar", {decomposed: b"x"})
    for source in (tmp_path / "disk", tmp_path / "a.zip", tmp_path / "a.tar"):
        assert contents(source) == {composed: b"x"}


def test_a_file_is_found_in_the_other_form(tmp_path):
    composed, decomposed = (unicodedata.normalize(form, "Colère/é_1.wav") for form in ("NFC", "NFD"))
    assert find_file(tmp_path, composed) is None
    (tmp_path / decomposed).parent.mkdir()
    (tmp_path / decomposed).write_bytes(b"x")
    for wanted in (composed, decomposed, f"./{composed}", f"{composed.split('/')[0]}/../{composed}"):
        assert find_file(tmp_path, wanted).read_bytes() == b"x"
    assert find_file(tmp_path, str(tmp_path / composed)).read_bytes() == b"x"
    assert find_file(tmp_path, "Colère/é_2.wav") is None
    assert find_file(tmp_path, "x" * 300) is None
    folder = tmp_path / unicodedata.normalize("NFD", "Colère")
    (folder / "e\u0302\u0323.wav").write_bytes(b"1")
    (folder / "e\u0323\u0302.wav").write_bytes(b"2")
    assert find_file(folder, "e\u0302\u0323.wav").read_bytes() == b"1"
    with pytest.raises(DataError, match="holds 2 files named"):
        find_file(folder, "\u1ec7.wav")


def test_a_name_in_latin_1_is_found(tmp_path):
    folder = os.fsencode(tmp_path) + b"/Col\xe8re"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    with open(folder + b"/\xe9_1.wav", "wb") as file:
        file.write(b"x")
    for form in ("NFC", "NFD"):
        assert find_file(tmp_path, unicodedata.normalize(form, "Colère/é_1.wav")).read_bytes() == b"x"
    assert find_file(tmp_path, "Colère/é_2.wav") is None


def test_backslashes_separate_folders_everywhere(spec, tones_folder, tmp_path, home, quiet):
    audio = {f"RAVDESS\\Actor_1\\{p.name}": p.read_bytes() for p in sorted((tones_folder / "wav").iterdir())}
    disk = tmp_path / "disk"
    disk.mkdir()
    for name, content in audio.items():
        (disk / name).write_bytes(content)
    for source in (zip_of(tmp_path / "b.zip", audio), tar_of(tmp_path / "b.tar", audio), disk):
        assert "RAVDESS/Actor_1/a_low_0.wav" in names(source)
        assert prepare(spec, [source], home, quiet).summary()["utterances"] == 54
    assert names(zip_of(tmp_path / "d.zip", {"Actor_01\\": b"", "a/b\\c.wav": b"x"})) == ["a/b/c.wav"]


def test_names_in_zips_are_readable_without_the_utf8_flag(tmp_path):
    path = tmp_path / "m.zip"
    name = "Colère/x.wav".encode()
    zip_of(path, {"C" * len(name): b"x"})
    path.write_bytes(path.read_bytes().replace(b"C" * len(name), name))
    assert contents(path) == {"Colère/x.wav": b"x"}
    zip_of(path, {"CC/x.wav": b"x"})
    path.write_bytes(path.read_bytes().replace(b"CC", b"\x8ae"))  # cp437, as DOS wrote it
    assert contents(path) == {"èe/x.wav": b"x"}


@given(st.text(st.characters(exclude_categories=())))
def test_no_name_leaves_its_folder(name):
    cleaned = clean_name(name)
    assert not cleaned.is_absolute()
    assert ".." not in cleaned.parts
    assert cleaned == clean_name(str(cleaned)) or ":" in name


# Archives


@pytest.mark.skipif(not shutil.which("7z"), reason="7z is not installed")
@pytest.mark.parametrize("method", ["Deflate64", "PPMd"])
def test_methods_that_python_lacks_are_named(spec, tones_folder, tmp_path, home, quiet, method):
    rng = np.random.RandomState(0)
    (tones_folder / "notes.txt").write_bytes(bytes(rng.randint(0, 4, 4000, np.uint8)))
    path = tmp_path / "d.zip"
    call = ["7z", "a", f"-mm={method}", str(path)]
    subprocess.run([*call, "notes.txt"], cwd=tones_folder, check=True, capture_output=True)
    subprocess.run(["7z", "a", "-mm=Copy", str(path), "wav"], cwd=tones_folder, check=True, capture_output=True)
    assert prepare(spec, [path], home, quiet).summary()["utterances"] == 54  # what is not wanted is not read
    path.unlink()
    subprocess.run([*call, "wav"], cwd=tones_folder, check=True, capture_output=True)
    with pytest.raises(DataError, match=f"compressed by {method}, which Python cannot read") as caught:
        prepare(spec, [path], home, quiet)
    assert caught.value.next_step == "unpack it, and name the folder"


def test_digital_silence_is_no_bomb(spec, tones_folder, tmp_path, home, quiet):
    members = {p.name: p.read_bytes() for p in sorted((tones_folder / "wav").iterdir())}
    silence = io.BytesIO()
    soundfile.write(silence, np.zeros(960_000, np.int16), 16000, format="WAV")
    members["a_low_0.wav"] = members["s.wav"] = silence.getvalue()
    assert prepare(spec, [zip_of(tmp_path / "s.zip", members)], home, quiet).summary()["utterances"] == 54
    assert prepare(spec, [tar_of(tmp_path / "s.tgz", members, "w:gz")], home, quiet).summary()["utterances"] == 54


def test_limits_count_what_is_read(tmp_path, monkeypatch):
    path = zip_of(tmp_path / "b.zip", {"large.wav": b"\0" * 3_000_000, "small.wav": b"x"})
    noise = os.urandom(2_500_000)
    inner = zip_of(tmp_path / "i.zip", {"small.wav": b"x", "noise": noise, "large.wav": b"\0" * 3_000_000})
    outer = zip_of(tmp_path / "outer.zip", {"b.zip": inner.read_bytes()})
    tar = tar_of(tmp_path / "b.tgz", {"large.wav": b"\0" * 3_000_000, "small.wav": b"x"}, "w:gz")
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 2_000_000)
    for source in (path, outer, tar):
        with open_sources([source]) as files:
            by_name = {str(file.name): file for file in files}
            assert by_name["small.wav"].read() == b"x"
            with pytest.raises(DataError, match="'large.wav', which unpacks to more than 2000000 bytes"):
                by_name["large.wav"].read()
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 4_000_000)
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 5_000_000)
    with open_sources([path]) as files:
        files[0].read()
        with pytest.raises(DataError, match="unpacks to more than 5000000 bytes"):
            files[0].read()


LIES = {
    "._c.zip": b"\0\5\26\7",
    "__MACOSX/c.zip": b"x",
    ".DS_Store": b"x",
    "desktop.ini": b"x",
    "c.zip": b"PK\3\4 and no end",
    "d.zip": b"",
    "e.zip": LFS,
    "f.tar.gz": b"/annex/objects/SHA256E-s9--0.tar.gz\n",
    "g.zip": b"<!DOCTYPE html><html>sign in</html>",
    "h.rar": b"Rar!\x1a\x07\x01\x00",
    "i.zip": b"7z\xbc\xaf\x27\x1c",
    "j.zip.crdownload": b"PK\3\4",
    "k.tar": b"hello",
    "l.tgz": b"\x1f\x8b\x08 not a tar",
}
REASONS = {
    "c.zip": ("archive", "is cut short: the end of the zip is missing"),
    "d.zip": ("archive", "is empty: it has no bytes"),
    "e.zip": ("archive", "is a git-lfs pointer, not the file itself: run `git lfs pull`"),
    "f.tar.gz": ("archive", "is a git-annex pointer, not the file itself: run `git annex get .`"),
    "g.zip": ("archive", "is a web page, not an archive"),
    "h.rar": ("archive", "is an archive of a kind that serab does not open"),
    "i.zip": ("archive", "is a 7z archive, which serab does not open"),
    "j.zip.crdownload": ("download", "is a download that has not finished"),
    "k.tar": ("archive", "is neither a folder nor a zip or tar"),
    "l.tgz": ("archive", ""),
}


def test_litter_and_half_downloads_beside_a_good_corpus(spec, tones_folder, home, quiet):
    for name, content in LIES.items():
        (tones_folder / name).parent.mkdir(exist_ok=True)
        (tones_folder / name).write_bytes(content)
    found = problems(tones_folder)
    assert found.keys() == REASONS.keys()
    for name, (kind, reason) in REASONS.items():
        assert found[name][0] == kind
        assert found[name][1].startswith(reason)
    prepared = prepare(spec, [tones_folder], home, quiet)
    assert {file for file, _ in prepared.index["skipped"]} == REASONS.keys()
    (tones_folder / "wav" / "a_low_0.wav").unlink()
    with pytest.raises(DataError, match=r"missing: a_low_0; 9 archives cannot be opened: .*c\.zip is cut short"):
        prepare(spec, [tones_folder], home, quiet)
    for name in REASONS.keys() - {"c.zip"}:
        (tones_folder / name).unlink()
    with pytest.raises(DataError, match=r"missing: a_low_0; c\.zip is cut short: .*a download that did not finish"):
        prepare(spec, [tones_folder], home, quiet)


@pytest.mark.parametrize("name", sorted(REASONS.keys() - {"j.zip.crdownload"}))
def test_what_the_user_names_is_refused_by_its_true_reason(tmp_path, name):
    (tmp_path / name).write_bytes(LIES[name])
    with pytest.raises(DataError) as caught:
        names(tmp_path / name)
    reason = "is a RAR archive, which serab does not open" if name == "h.rar" else REASONS[name][1]
    assert caught.value.what.startswith(reason.partition(": run")[0])
    assert caught.value.next_step


def test_one_audio_file_half_downloads_and_broken_links_are_told(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 8000)
    (tmp_path / "b.zip.part").write_bytes(b"PK\3\4")
    (tmp_path / "c.zip").symlink_to(".git/annex/objects/xx/yy/c.zip")
    (tmp_path / "d.zip").symlink_to("nowhere.zip")
    for name, reason in (
        ("a.wav", "is a single audio file, not a corpus"),
        ("b.zip.part", "is a download that has not finished"),
        ("c.zip", "is a git-annex link whose content is not here"),
        ("d.zip", r"is a link to nowhere\.zip, which does not exist"),
    ):
        with pytest.raises(DataError, match=reason):
            names(tmp_path / name)


def test_a_zip_at_the_end_of_a_tar_does_not_hide_the_tar(tmp_path):
    inner = zip_of(tmp_path / "i.zip", {"b.wav": b"b"}).read_bytes()
    assert contents(tar_of(tmp_path / "o.tar", {"a.wav": b"a", "i.zip": inner})).keys() == {"a.wav", "i.zip", "b.wav"}


def test_odd_zips_and_tars_are_read(tmp_path):
    plain = zip_of(tmp_path / "p.zip", {"a.wav": b"a"})
    (tmp_path / "junk.zip").write_bytes(b"#!/bin/sh\n" + plain.read_bytes())
    with zipfile.ZipFile(tmp_path / "64.zip", "w") as archive, archive.open("a.wav", "w", force_zip64=True) as member:
        member.write(b"a")
    for name in ("junk.zip", "64.zip"):
        assert contents(tmp_path / name) == {"a.wav": b"a"}
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(plain, "a") as archive:
        archive.writestr("a.wav", b"a")
    assert contents(plain) == {"a.wav": b"a"}
    links = {
        "x/a.wav": b"a",
        "x/hard.wav": (tarfile.LNKTYPE, "x/a.wav"),
        "y/soft.wav": (tarfile.SYMTYPE, "../x/a.wav"),
        "y/again.wav": (tarfile.SYMTYPE, "soft.wav"),
        "folder": (tarfile.SYMTYPE, "x"),
        "loop.wav": (tarfile.SYMTYPE, "loop.wav"),
        "out.wav": (tarfile.SYMTYPE, "/etc/passwd"),
    }
    source = tar_of(tmp_path / "l.tar", links)
    assert contents(source) == dict.fromkeys(("x/a.wav", "x/hard.wav", "y/soft.wav", "y/again.wav"), b"a")
    assert problems(source).keys() == {f"{source}: loop.wav", f"{source}: out.wav"}
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr("x/a.wav", b"a")
        link = zipfile.ZipInfo("y/soft.wav")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        archive.writestr(link, "../x/a.wav")
    assert contents(tmp_path / "l.zip") == {"x/a.wav": b"a", "y/soft.wav": b"a"}


def test_two_different_files_of_one_name_in_a_zip_are_refused_when_read(tmp_path):
    double = tmp_path / "d.zip"
    zip_of(double, {"a.wav": b"first", "b.wav": b"b"})
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(double, "a") as archive:
        archive.writestr("a.wav", b"other")
    with open_sources([double]) as files:
        by_name = {str(file.name): file for file in files}
        assert by_name["b.wav"].read() == b"b"
        with pytest.raises(DataError, match=r"holds two different files named 'a\.wav'"):
            by_name["a.wav"].read()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_tars_that_are_joined_are_read_whole(tmp_path, mode):
    first = tar_of(tmp_path / "1", {"a.wav": b"a" * 700, "b.wav": b"old"}, mode).read_bytes()
    second = tar_of(tmp_path / "2", {"b.wav": b"b", "c.wav": b"c"}, mode).read_bytes()
    (tmp_path / "joined").write_bytes(first + second)
    assert contents(tmp_path / "joined") == {"a.wav": b"a" * 700, "b.wav": b"b", "c.wav": b"c"}
    (tmp_path / "t.tar").write_bytes(tar_of(tmp_path / "3", {"a.wav": b"a"}).read_bytes() + os.urandom(2000))
    assert contents(tmp_path / "t.tar") == {"a.wav": b"a"}


@pytest.mark.parametrize("name", ["s.zip.001", "s.z01", "s.7z.002"])
def test_one_part_of_an_archive_is_told(tmp_path, name):
    (tmp_path / name).write_bytes(zip_of(tmp_path / "a.zip", {"a.wav": b"a"}).read_bytes()[:30])
    with pytest.raises(DataError, match="is one of several parts of an archive") as caught:
        names(tmp_path / name)
    assert "unpack all parts together" in caught.value.next_step


@pytest.mark.parametrize("folder", [".Trash-1000", ".dvc", "#recycle", "lost+found", ".snapshots"])
def test_bins_and_hidden_copies_are_no_data(tmp_path, folder):
    for place in ("wav", f"{folder}/wav"):
        (tmp_path / "corpus" / place).mkdir(parents=True)
        (tmp_path / "corpus" / place / "a.wav").write_bytes(place.encode())
    assert contents(tmp_path / "corpus") == {"wav/a.wav": b"wav"}
    assert names(tmp_path / "corpus" / folder) == ["wav/a.wav"]  # the user named it


@pytest.mark.skipif(not shutil.which("zip"), reason="zip is not installed")
def test_a_zip_in_several_parts_is_told(tmp_path):
    (tmp_path / "a.wav").write_bytes(os.urandom(200_000))
    subprocess.run(["zip", "-q", "-s", "64k", "s.zip", "a.wav"], cwd=tmp_path, check=True)
    with pytest.raises(DataError, match="is the last of 4 parts of one zip"):
        names(tmp_path / "s.zip")


@pytest.mark.skipif(not shutil.which("tar"), reason="tar is not installed")
def test_sparse_members_are_read(tmp_path):
    with (tmp_path / "s.wav").open("wb") as file:
        file.seek(1 << 20)
        file.write(b"end")
    subprocess.run(["tar", "-cSf", "s.tar", "s.wav"], cwd=tmp_path, check=True)
    assert contents(tmp_path / "s.tar") == {"s.wav": b"\0" * (1 << 20) + b"end"}


def test_a_tar_that_was_cut_is_noted(tmp_path):
    whole = tar_of(tmp_path / "w.tar", {f"{number}.wav": b"x" * 600 for number in range(9)}).read_bytes()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "cut.tar").write_bytes(whole[: 3 * 1536 + 700])
    assert problems(folder)["cut.tar"][0] == "archive"
    (folder / "cut.tar").write_bytes(whole[: 3 * 1536] + b"damage" * 200)
    assert [kind for kind, _ in problems(folder).values()] == ["archive"]


def test_archives_too_deep_are_noted(tmp_path):
    deep = zip_of(tmp_path / "1.zip", {"a.wav": b"a"})
    middle = zip_of(tmp_path / "2.zip", {"1.zip": deep.read_bytes()})
    outer = zip_of(tmp_path / "3.zip", {"2.zip": middle.read_bytes(), "._x.zip": b"x", "bad.zip": b"x"})
    assert contents(middle).keys() == {"1.zip", "a.wav"}
    found = problems(outer)
    assert found[f"{outer}: 2.zip: 1.zip"][1].startswith("is in an archive that is in an archive")
    assert found[f"{outer}: bad.zip"][1] == "is neither a folder nor a zip or tar"
    assert len(found) == 2


def test_locked_members_matter_when_read(tmp_path):
    content = bytearray(zip_of(tmp_path / "z.zip", {"a.wav": b"a", "b.wav": b"b"}).read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1
    (tmp_path / "z.zip").write_bytes(content)
    with open_sources([tmp_path / "z.zip"]) as files:
        assert files[0].read() == b"a"
        with pytest.raises(DataError, match="'b.wav', which is locked with a password"):
            files[1].read()


# Links, and kinds that are not read


def test_folders_behind_links_are_read_once(spec, tones_folder, tmp_path, home, quiet):
    links = tmp_path / "links"
    links.mkdir()
    for speaker in "abcdef":
        folder = tmp_path / "store" / speaker
        folder.mkdir(parents=True)
        for path in (tones_folder / "wav").glob(f"{speaker}_*"):
            path.rename(folder / path.name)
        (links / f"Actor_{speaker}").symlink_to(folder)
    (links / "Actor_a" / "loop").symlink_to(links)
    (links / "again").symlink_to(links / "Actor_a")
    (links / "single_0.wav").symlink_to(tmp_path / "store" / "a" / "a_low_0.wav")
    prepared = prepare(spec, [links], home, quiet)
    assert prepared.summary()["utterances"] == 54
    assert [file for file, _ in prepared.index["skipped"]] == ["single_0.wav"]
    assert names(links, links / "Actor_b", links) == names(links)


def test_broken_links_are_named(spec, tmp_path, home, quiet):
    source = tmp_path / "annexed"
    source.mkdir()
    for number in range(3):
        (source / f"a_low_{number}.wav").symlink_to(f".git/annex/objects/aa/bb/KEY{number}/KEY{number}.wav")
    with pytest.raises(
        DataError, match="3 files are git-annex links whose content is not here, such as a_low_0"
    ) as caught:
        prepare(spec, [source], home, quiet)
    assert "git annex get" in caught.value.next_step
    assert "holds no audio" not in caught.value.what
    (source / "x.wav").symlink_to(source / "x.wav")
    (source / "y").symlink_to("../nowhere")
    assert {kind for kind, _ in problems(source).values()} == {"annex", "link"}


def test_kinds_that_are_not_read_are_named(spec, tmp_path, home, quiet):
    source = tmp_path / "phone"
    source.mkdir()
    for name in ("a_low_0.m4a", "a_low_1.M4A", "a_low_2.amr"):
        (source / name).write_bytes(b"x")
    with pytest.raises(
        DataError, match=r"3 files are of kinds that serab does not read, such as a_low_0\.m4a"
    ) as caught:
        prepare(spec, [source], home, quiet)
    assert "convert them to wav or flac, for example: ffmpeg -i a_low_0.m4a a_low_0.wav" in caught.value.next_step
    with pytest.raises(DataError, match="3 files are of kinds"):
        prepare(spec, [zip_of(tmp_path / "z.zip", {p.name: b"x" for p in source.iterdir()})], home, quiet)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_folders_that_cannot_be_read_are_named(spec, tones_folder, home, quiet):
    (tones_folder / "wav").chmod(0)
    try:
        with pytest.raises(DataError, match=r"wav is a folder that cannot be read \(Permission denied\)"):
            prepare(spec, [tones_folder], home, quiet)
    finally:
        (tones_folder / "wav").chmod(0o755)


def test_a_folder_that_cannot_be_listed_is_noted(tones_folder, monkeypatch):
    plain = os.scandir

    def scandir(path):
        if str(path).endswith("wav"):
            raise PermissionError(13, "Permission denied", path)
        return plain(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert problems(tones_folder) == {"wav": ("folder", "is a folder that cannot be read (Permission denied)")}


def test_audio_that_the_index_does_not_take_is_counted(spec, tones_folder, home, quiet):
    unlabelled = replace(spec, index=lambda files: Index(()))  # as IEM4's turns without the evaluation files
    with pytest.raises(DataError, match=r"54 audio files are left out because .* labels .*, such as wav/a_high_0\.wav"):
        prepare(unlabelled, [tones_folder], home, quiet)


def test_other_names_are_shown(spec, tmp_path, home, quiet):
    for name in ("track 1.wav", "track 2.wav"):
        soundfile.write(tmp_path / name, np.zeros(100), 8000)
    with pytest.raises(DataError, match=r"\(2 audio files have other names, such as track 1\.wav\)"):
        prepare(spec, [tmp_path], home, quiet)
    with pytest.raises(DataError, match=r"\(it holds no audio files\)"):
        prepare(spec, [zip_of(tmp_path / "e.zip", {"readme.txt": b"x"})], home, quiet)


def test_the_order_of_files_is_the_same_everywhere(tmp_path, monkeypatch):
    for name in ("b/2.wav", "b/10.wav", "a.wav", "B/1.wav"):
        Path(tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert names(tmp_path) == ["B/1.wav", "a.wav", "b/10.wav", "b/2.wav"]
