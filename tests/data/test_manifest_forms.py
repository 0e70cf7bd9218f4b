"""Manifests as spreadsheets, R, pandas and other people's scripts write them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
import soundfile

from serab_core.data.manifest import read_manifest
from serab_core.data.user_corpus import Columns
from serab_core.errors import DataError

ROWS = [
    (f"my wav/{s}_{label}_{t}.wav", label, f"s{s}") for s in range(3) for label in ("calm", "anger") for t in range(2)
]
HEADER = "path,label,speaker\n"


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    (tmp_path / "my wav").mkdir()
    for path, _, _ in ROWS:
        soundfile.write(tmp_path / path, np.full(100, 0.1), 16000)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def read(folder: Path, text: str, **options):
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    return read_manifest(path, **options)


def body(form: str, paths=lambda path: path) -> str:
    """The rows, each as `form` writes it: {n} is its number, {p}, {l} and {s} its path, label and speaker."""
    return "".join(
        form.format(n=number, p=paths(path), l=label, s=speaker) + "\n"
        for number, (path, label, speaker) in enumerate(ROWS, start=1)
    )


def labels(corpus) -> list[tuple[str, str, str]]:
    return sorted((Path(str(e.file.path)).name, e.label, e.speaker) for e in corpus.entries)


WHOLE = sorted((Path(path).name, label, speaker) for path, label, speaker in ROWS)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('"path","label","speaker"\n' + body('"{n}","{p}","{l}","{s}"'), "is its number"),  # R's write.table
        (HEADER + body("{p},{l},{s},"), "each row ends in a comma"),
        ('"path", "label", "speaker"\n' + body('"{p}", "{l}", "{s}"'), ""),
    ],
)
def test_rows_with_a_cell_that_the_header_lacks(folder, text, note):
    corpus = read(folder, text)
    assert labels(corpus) == WHOLE
    assert note in "".join(corpus.notes)


@pytest.mark.parametrize(
    "text",
    [
        "path,text,label,speaker\n" + body("{p},oh no, not again,{l},{s}"),
        "id,path,text,label,speaker\n" + body("{n},{p},oh no, not again,{l},{s}"),
        HEADER + body("{p},{l},{s}") + "my wav/x.wav,calm,s1,\n",
    ],
)
def test_shifted_rows_are_refused_although_all_are(folder, text):
    with pytest.raises(DataError):
        read(folder, text)


def test_a_shift_before_the_columns_that_are_read_changes_none_of_them(folder):
    corpus = read(folder, "id,text,path,label,speaker\n" + body("{n},oh no, not again,{p},{l},{s}"))
    assert labels(corpus) == WHOLE


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("above", ["# made by me\n", "Table 1\n\n", "My corpus,,\n"])
def test_lines_above_the_header_are_named(folder, above, delimiter):
    text = (HEADER + body("{p},{l},{s}")).replace(",", delimiter)
    line = above.count("\n") + 1
    with pytest.raises(DataError, match=f"names its columns in line {line}, below other lines"):
        read(folder, above + text)


def test_other_lines_that_are_no_rows_are_named(folder):
    rows = body("{p},{l},{s}")
    with pytest.raises(DataError, match="line 14: repeats the names of the columns"):
        read(folder, HEADER + rows + HEADER + rows)
    with pytest.raises(DataError, match="line 2: has 1 cell.* looks like a comment"):
        read(folder, HEADER + "# session 1\n" + rows)


def test_addresses_and_codes_of_files_are_read(folder):
    for paths in (
        lambda path: (folder / path).as_uri(),
        quote,
        lambda path: f"~/{path}",
        lambda path: f"file://localhost{quote(str(folder / path))}",
    ):
        corpus = read(folder, HEADER + body("{p},{l},{s}", paths))
        assert labels(corpus) == WHOLE


def test_a_name_with_a_percent_sign_is_taken_as_it_stands(folder):
    soundfile.write(folder / "a%20b.wav", np.full(100, 0.1), 16000)
    soundfile.write(folder / "a b.wav", np.full(100, 0.2), 16000)
    rows = "a%20b.wav,calm,s0\na b.wav,anger,s1\n"
    corpus = read(folder, HEADER + rows)
    assert {e.id: Path(str(e.file.path)).name for e in corpus.entries} == {
        "a%20b.wav": "a%20b.wav",
        "a b.wav": "a b.wav",
    }


@pytest.mark.parametrize(
    ("prefix", "message"),
    [
        ("/kaggle/input/corpus/", r"which does not exist \(but my wav/0_calm_0.wav does, in .*\)"),
        ("C:\\Users\\me\\", r"which does not exist \(but my wav/0_calm_0.wav does"),
        ("https://example.org/x/", "names the address https://example.org/x/.*: download it"),
    ],
)
def test_the_file_that_a_path_of_another_machine_means_is_named(folder, prefix, message):
    with pytest.raises(DataError, match=message):
        read(folder, HEADER + body("{p},{l},{s}", lambda path: prefix + path))


def test_a_file_in_a_folder_below_is_named(folder):
    with pytest.raises(DataError, match=r"not exist \(but my wav/0_calm_0.wav does\)"):
        read(folder, HEADER + body("{p},{l},{s}", lambda path: Path(path).name))


def test_columns_of_segments_by_their_length(folder):
    corpus = read(folder, "path,label,speaker,offset,duration\n" + body("{p},{l},{s},0.1,0.2"))
    assert "the columns offset and duration are not used" in "".join(corpus.notes)
    with pytest.raises(DataError, match="has the columns start and duration, but no column end"):
        read(folder, "path,label,speaker,start,duration\n" + body("{p},{l},{s},0.1,0.2"), segments=True)
    assert read(folder, "path,label,speaker,duration\n" + body("{p},{l},{s},0.2")).notes == ()


@pytest.mark.parametrize(
    "word", ["not available", "Unknown speaker", "(unknown)", "<UNK>", "anonymous", "not_specified", "Unbekannt"]
)
def test_words_for_a_speaker_whom_nobody_knows(folder, word):
    text = HEADER + body("{p},{l},{s}").replace(",s0", f",{word}")
    with pytest.raises(DataError, match="which stands for a missing value"):
        read(folder, text)


def test_speakers_that_a_spreadsheet_rounded(folder):
    with pytest.raises(DataError, match="a long number that a spreadsheet has rounded"):
        read(folder, HEADER + body("{p},{l},{s}").replace(",s0", ",1.23E+15"))


def test_a_label_whose_accents_were_decoded_wrongly_is_another_spelling(folder):
    text = HEADER + body("{p},{l},{s}").replace("anger,s0", "colère,s0").replace("anger,s1", "colÃ¨re,s1")
    with pytest.raises(DataError, match="writes the same label in 2 ways"):
        read(folder, text)


@pytest.mark.parametrize(
    ("label", "note"),
    [
        ("calm;anger", "labels that join other labels are separate classes: 'calm;anger'"),
        ("xxx", "the label 'xxx' is a separate class"),
        ("an-ger", "the labels 'an-ger' and 'anger' differ only by a hyphen or an underscore"),
        ("very-calm", ""),
    ],
)
def test_labels_that_may_not_be_meant_are_noted(folder, label, note):
    notes = read(folder, HEADER + body("{p},{l},{s}").replace("anger,s0", f"{label},s0")).notes
    assert note in "".join(notes)
    assert bool(notes) == bool(note)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("anger,s0", "\u0430nger,s0"),  # a Cyrillic letter
        ("calm,s1\n", "calm,'s1\n"),  # what a spreadsheet writes before a number that is text
        ("calm,s1\n", 'calm,"=""s1"""\n'),
        ("anger,s0", "'anger',s0"),
    ],
)
def test_values_that_look_the_same_are_refused(folder, old, new):
    with pytest.raises(DataError, match=r"writes the same (label|speaker) in 2 ways"):
        read(folder, HEADER + body("{p},{l},{s}").replace(old, new, 1))


def test_words_in_other_scripts_are_classes(folder):
    text = body("{p},{l},{s}").replace(",calm", ",\u0441\u043e\u0440").replace(",anger", ",\u03c7\u03b1\u03c1\u03ac")
    assert read(folder, HEADER + text).notes == ()


def test_labels_that_are_means_over_raters(folder):
    text = body("{p},{l},{s}").replace(",calm", ",2.5").replace(",anger", ",3.0")
    with pytest.raises(DataError, match="these are numbers on a scale, not classes"):
        read(folder, HEADER + text)


def test_one_column_has_one_role(folder):
    with pytest.raises(DataError, match="would have the column label as both label and speaker"):
        read(folder, HEADER + body("{p},{l},{s}"), columns=Columns(speaker="label"))


def test_speakers_who_may_be_one_person_are_noted(folder):
    notes = read(folder, HEADER + body("{p},{l},{s}").replace(",s1", ",s_0")).notes
    assert "count as different people: 's0' and 's_0'" in "".join(notes)
    assert read(folder, HEADER + body("{p},{l},{s}").replace(",s0", ",1-1").replace(",s1", ",11")).notes == ()


def run_in_c_locale(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "SERAB_HOME": str(folder / "home"), "LC_ALL": "C", "PYTHONUTF8": "0", **variables}
    command = [sys.executable, "-c", "from serab_core.cli.main import main; main()", *words]
    return subprocess.run(command, env=environment, capture_output=True, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names on disk are Unicode")
def test_names_and_documents_where_the_locale_is_not_utf_8(folder):
    rows = ""
    for speaker in range(6):
        for label in ("ruhig", "Ärger"):
            soundfile.write(folder / f"é{speaker}{label}.wav", np.full(100, 0.01 * speaker + 0.1), 16000)
            rows += f"é{speaker}{label}.wav,{label},ß{speaker}\n"
    (folder / "m.csv").write_text(HEADER + rows, encoding="utf-8")
    for variables in ({}, {"PYTHONIOENCODING": "latin-1"}):
        ended = run_in_c_locale(folder, "data", "add", "mine", str(folder / "m.csv"), "--json", **variables)
        assert ended.returncode == 0, ended.stderr
        assert json.loads(ended.stdout)["labels"] == {"ruhig": 6, "Ärger": 6}
    ended = run_in_c_locale(folder, "data", "verify", "mine", "--json", PYTHONUTF8="1")
    assert "12 files decode to the samples" in ended.stdout.decode()
