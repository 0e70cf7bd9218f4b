"""Corpora of users: manifests and their values, adding and removing, and audio that is kept as FLAC."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from serab_core import plugins
from serab_core.data.manifest import read_manifest
from serab_core.data.prepare import prepare
from serab_core.data.prepared import load
from serab_core.data.protocols import PROTOCOLS
from serab_core.data.segments import read_segment, read_time
from serab_core.data.user_corpus import Columns, check_dataset_name, user_dataset
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
        (
            "path,label",
            "file,label",
            "has no column path; its columns are: file, label, speaker, comment. Next: name the column: --path file",
        ),
        ("wav/a_low_0.wav,low", "wav/a_low_0.wav,", "line 5: has no label"),
        ("wav/a_low_0.wav", "wav/gone.wav", "gone.wav, which does not exist"),
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
    manifest.write_text("\n".join([lines[0] + ",split", lines[1] + ",train", *(f"{line}," for line in lines[2:])]))
    with pytest.raises(DataError, match="gives no split to wav/a_high_1.wav and 52 more"):
        read_manifest(manifest)
    manifest.write_text("\n".join([lines[0] + ",split", lines[1] + ",holdout"]))
    with pytest.raises(DataError, match="line 2: has split 'holdout'"):
        read_manifest(manifest)


def test_names_of_datasets(serab, manifest):
    for name in ("Mine", "", "a b", "../x", "-x"):
        with pytest.raises(UsageError, match="is not a valid dataset name"):
            check_dataset_name(name, ())
    for name in ("tones", "emodb"):
        code, _, err = serab("data", "add", name, str(manifest))
        assert (code, "belongs" in err or "plugin's dataset" in err) == (2, True)
    assert serab("data", "add", "mine")[0] == 2
    assert serab("data", "add", "mine", str(manifest), "--audformat", str(manifest.parent))[0] == 2


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8)), max_size=6))
def test_any_manifest_is_read_or_refused(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("m") / "manifest.csv"
    path.write_text("path,label,speaker\n" + "\n".join(",".join(row) for row in rows), encoding="utf-8", newline="")
    with pytest.raises(DataError) as caught:  # no file is there
        read_manifest(path)
    assert str(path.parent) in str(caught.value)
    assert caught.value.next_step


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


def test_the_dataset_of_a_user_declares_itself(manifest):
    spec = user_dataset("mine", read_manifest(manifest), "de")
    assert spec.labels == ("high", "low", "mid")
    assert spec.expected_counts == dict.fromkeys(spec.labels, 18)
    assert not spec.variants[0].own_splits
    assert np.all([entry.file.path.is_absolute() for entry in spec.index([]).entries])


@pytest.fixture
def small(tmp_path):
    """`small(text)` writes a manifest beside the files a.wav to f.wav."""
    for name in "abcdef":
        (tmp_path / f"{name}.wav").write_bytes(b"x")

    def write(text: str, name: str = "m.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return write


def rows(*cells: str, header: str = "path,label,speaker") -> str:
    return "\n".join([header, *cells, ""])


def refusal(path, **options) -> str:
    with pytest.raises(DataError) as caught:
        read_manifest(path, **options)
    assert caught.value.next_step
    return str(caught.value)


def test_a_file_name_with_a_line_end(small, tmp_path):
    (tmp_path / "a\nb.wav").write_bytes(b"x")
    corpus = read_manifest(small(rows('"a\nb.wav",x,s1', "b.wav,y,s2")))
    assert [entry.id for entry in corpus.entries] == ["a\nb.wav", "b.wav"]


def test_an_empty_manifest(small):
    assert "has no rows below its header" in refusal(small("path,label,speaker\n"))


def test_empty_cells_are_counted(small):
    text = refusal(small(rows("a.wav,x,s1", "b.wav,,s1", "c.wav,x, ", "d.wav,,s2")))
    assert "m.csv, line 3: has no label (2 rows have no label: line 3, line 5)" in text


def test_columns_by_name(small):
    path = small(
        rows("a.wav,x,s1,train,0", "b.wav,y,s2,dev,1", "c.wav,x,s3,test,2", header="file,Emotion,spk,part,label")
    )
    corpus = read_manifest(path, Columns("file", "emotion", "spk", "part"))
    assert [(e.id, e.label, e.speaker, e.split) for e in corpus.entries] == [
        ("a.wav", "x", "s1", "train"),
        ("b.wav", "y", "s2", "validation"),
        ("c.wav", "x", "s3", "test"),
    ]
    assert "--path file --speaker spk" in refusal(path)
    assert "has no column fold; its columns are: file, Emotion, spk, part, label" in refusal(
        path, columns=Columns("file", "emotion", "spk", "fold")
    )


def test_a_column_of_splits_under_another_name_is_noted(small):
    path = small(rows("a.wav,x,s1,train", "b.wav,y,s2,dev", header="path,label,speaker,partition"))
    corpus = read_manifest(path)
    assert "column partition is not used; to use its splits, name it as the column of splits" in corpus.notes[0]
    assert all(entry.split is None for entry in corpus.entries)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("calm", "Calm"),
        ("calm", "calm "),
        ("very calm", "very  calm"),
        ("very calm", "very\u00a0calm"),
        ("calm", "c\u200balm"),
        ("calm", "ｃａｌｍ"),
        ("colère", "cole\u0300re"),
        ("straße", "STRASSE"),
        ("1", "1.0"),
        ("01", "1"),
        ("0.5", "0.50"),
    ],
)
def test_two_spellings_of_a_label(small, first, second):
    path = small(rows(f"a.wav,{first},s1", f"b.wav,{first},s2", f"c.wav,{second},s3"))
    text = refusal(path)
    assert "writes the same label in 2 ways" in text
    assert "(2 rows, first: line 2) and " in text
    assert "(1 rows, first: line 4)" in text


def test_spellings_can_be_told_apart_in_the_message(small):
    assert r"'calm' (1 rows, first: line 2) and 'c\u200balm'" in refusal(
        small(rows("a.wav,calm,s", "b.wav,c\u200balm,t"))
    )


@pytest.mark.parametrize(
    ("first", "second"), [("s1", "S1"), ("s1", "s1 "), ("1", "1.0"), ("007", "7"), ("é", "e\u0301")]
)
def test_two_spellings_of_a_speaker(small, first, second):
    assert "writes the same speaker in 2 ways" in refusal(small(rows(f"a.wav,x,{first}", f"b.wav,y,{second}")))


@pytest.mark.parametrize(
    ("first", "second"), [("1.1", "1.10"), ("1 11", "11 1"), ("s1", "s01"), ("e", "é"), ("1", "-1x")]
)
def test_speakers_that_differ(small, first, second):
    assert len(read_manifest(small(rows(f"a.wav,x,{first}", f"b.wav,y,{second}"))).entries) == 2


def test_labels_that_differ(small):
    path = small(
        rows("a.wav,-1,s", "b.wav,1,s", "c.wav,0,t", "d.wav,unknown,t", "e.wav,very calm,t", "f.wav,very_calm,u")
    )
    corpus = read_manifest(path)
    assert len({entry.label for entry in corpus.entries}) == 6
    assert corpus.notes == (
        "the label 'unknown' is a separate class, although it may not be an emotion",
        "the labels 'very calm' and 'very_calm' differ only by a hyphen or an underscore, and are 2 separate classes",
    )


@pytest.mark.parametrize(
    "word",
    ["nan", "NaN", "None", "null", "NA", "N/A", "<NA>", "#N/A", "-", "unknown", "?", "\u200b", "-1", "#NV", "NaT"],
)
def test_missing_speakers(small, word):
    text = refusal(small(rows("a.wav,x,s1", f"b.wav,x,{word}", f"c.wav,y,{word}")))
    assert "in 2 rows (line 3, line 4), which stands for a missing value" in text
    assert "has speaker" in text


@pytest.mark.parametrize("word", ["nan", "None", "NA", "#N/A", "-"])
def test_missing_labels(small, word):
    text = refusal(small(rows("a.wav,x,s1", f"b.wav,{word},s2")))
    assert f"has label {word!r} in 1 row (line 3)" in text
    assert "write the class out" in text


def test_quotes_after_a_blank(small):
    assert 'has label "x" with its quotes' in refusal(small(rows('a.wav, "x",s1', 'b.wav, "y",s2')))
    assert read_manifest(small(rows("a.wav, x, s1", "b.wav, y, s2"))).entries[0].label == "x"


@pytest.mark.parametrize("form", ["{:.3f}", "{}00", "take {}"])
def test_labels_that_are_no_classes(tmp_path, small, form):
    for number in range(30):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
    path = small(rows(*(f"{n}.wav,{form.format(n)},s{n % 3}" for n in range(30))))
    assert "has 30 different labels in 30 rows" in refusal(path)
    assert read_manifest(small(rows(*(f"{n}.wav,{n % 5}.0,s{n % 3}" for n in range(30))))).entries[0].label == "0.0"


@pytest.mark.parametrize("second", ["wav/../a.wav", "./a.wav", "link.wav", "sub/../link.wav", "a.wav"])
def test_a_file_named_twice(small, tmp_path, second):
    (tmp_path / "wav").mkdir()
    (tmp_path / "sub").mkdir()
    (tmp_path / "link.wav").symlink_to("a.wav")
    text = refusal(small(rows("a.wav,x,s1", "b.wav,x,s1", f"{second},y,s2")))
    assert "line 4: names " in text
    assert "(first: line 2)" in text
    if ".wav" in second and second not in ("a.wav", "./a.wav"):
        assert f"the same file as a.wav (first: line 2): both are {tmp_path / 'a.wav'}" in text


def test_the_other_unicode_form_of_a_path(small, tmp_path):
    (tmp_path / "Cole\u0300re").mkdir()
    (tmp_path / "Cole\u0300re" / "é.wav").write_bytes(b"x")
    (entry, _) = read_manifest(small(rows("Col\u00e8re/e\u0301.wav,x,s1", "a.wav,y,s2"))).entries
    assert entry.file.path == tmp_path / "Cole\u0300re" / "é.wav"
    text = refusal(small(rows("Col\u00e8re/e\u0301.wav,x,s1", "Cole\u0300re/é.wav,y,s2")))
    assert "the same file as" in text


def test_paths_that_are_no_files(small, tmp_path):
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "broken.wav").symlink_to("nowhere.wav")
    (tmp_path / "Upper.WAV").write_bytes(b"x")
    cases = {
        "folder.wav": "folder.wav, which is a folder",
        "broken.wav": "which is a broken link (to nowhere.wav)",
        "upper.wav": "which does not exist (but 'Upper.WAV' does)",
        "a": "which does not exist (but 'a.wav' does)",
        "none/a.wav": f"which does not exist (nor does its folder {tmp_path / 'none'})",
        "x" * 300: "which cannot be read (file name too long)",
    }
    for cell, says in cases.items():
        assert says in refusal(small(rows("a.wav,x,s1", f"{cell},y,s2"))), cell
    text = refusal(small(rows("a.wav,x,s1", "p.wav,y,s2", "q.wav,y,s2")))
    assert "line 3: names" in text
    assert "2 rows name files that cannot be used (line 3, line 4)" in text


def test_backslashes_and_absolute_paths(small, tmp_path):
    (tmp_path / "wav").mkdir()
    (tmp_path / "wav" / "g.wav").write_bytes(b"x")
    corpus = read_manifest(small(rows("wav\\g.wav,x,s1", f"{tmp_path}/a.wav,y,s2")))
    assert sorted(entry.id for entry in corpus.entries) == sorted(["wav/g.wav", f"{tmp_path}/a.wav"])


def test_segments_are_cut_or_refused(small):
    path = small(
        rows("a.wav,x,s1,0,1.5", "a.wav,y,s2,0 days 00:00:01.5,00:00:02.250", "a.wav,x,s1,3,", "b.wav,x,s3,,",
             header="path,label,speaker,Start,end")
    )  # fmt: skip
    text = refusal(path)
    assert "line 2: gives a segment of a file (start 0, end 1.5). Next: add --segments" in text
    assert "--whole-files" in text
    assert [(e.id, e.segment) for e in read_manifest(path, segments=True).entries] == [
        ("a.wav#0.000000-1.500000", (0.0, 1.5)),
        ("a.wav#1.500000-2.250000", (1.5, 2.25)),
        ("a.wav#3.000000-", (3.0, None)),
        ("b.wav", None),
    ]
    assert "line 3: names a.wav a second time" in refusal(path, segments=False)


def test_faults_of_segments(small):
    header = "path,label,speaker,start,end"
    cases = {
        ("a.wav,x,s1,1,1",): "line 2: has a segment that ends at 1 s, not after its start at 1 s",
        ("a.wav,x,s1,-1,1",): "line 2: has start '-1', which is not a time",
        ("a.wav,x,s1,soon,1",): "line 2: has start 'soon', which is not a time",
        ('a.wav,x,s1,"1,5",2',): "write the decimal point as a point: 1.5",
        ("a.wav,x,s1,1,2", "a.wav,y,s1,1.0,00:00:02"): "line 3: names a.wav#1.000000-2.000000 a second time",
    }
    for cells, says in cases.items():
        assert says in refusal(small(rows(*cells, header=header)), segments=True)
    whole = small(rows("a.wav,x,s1,0,", "b.wav,y,s2,,NaT", header=header))
    assert [entry.segment for entry in read_manifest(whole).entries] == [None, None]
    assert "has no columns start and end" in refusal(small(rows("a.wav,x,s1")), segments=True)


def test_segments_that_overlap_are_noted(small):
    path = small(
        rows("a.wav,x,s1,train,0,2", "a.wav,y,s2,test,1,3", "a.wav,y,s2,dev,3,4", "b.wav,x,s3,test,0,1",
             header="path,label,speaker,split,start,end")
    )  # fmt: skip
    assert read_manifest(path, segments=True).notes == (
        "1 segments overlap another segment (first: a.wav#1.000000-3.000000 and a.wav#0.000000-2.000000); "
        "1 of them with a segment in another split",
    )


@given(st.floats(0, 1e6, allow_nan=False))
def test_times_come_back(seconds):
    assert read_time(repr(seconds), "start", "x") == pytest.approx(seconds, abs=1e-6)
    days, rest = divmod(round(seconds, 6), 86400)
    minutes, second = divmod(rest, 60)
    clock = f"{int(days)} days {int(minutes // 60):02}:{int(minutes % 60):02}:{min(second, 59.999999):09.6f}"
    assert read_time(clock, "start", "x") == pytest.approx(seconds, abs=2e-6)


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_segment_is_read_or_refused(start, end):
    try:
        segment = read_segment(start, end, "here")
    except DataError as error:
        assert error.next_step
    else:
        assert segment is None or segment[1] is None or 0 <= segment[0] < segment[1]


def test_split_words(small):
    words = ["Training", "devel", "EVALUATION", "val", " test ", "trn"]
    cells = [f"{name}.wav,x,s{name},{word}" for name, word in zip("abcdef", words, strict=True)]
    corpus = read_manifest(small(rows(*cells, header="path,label,speaker,split")))
    assert [entry.split for entry in corpus.entries] == ["train", "validation", "test", "validation", "test", "train"]
    for word in ("fold1", "test2", "other", "0"):
        text = refusal(small(rows(f"a.wav,x,s1,{word}", header="path,label,speaker,split")))
        assert f"has split {word!r}" in text
        assert "dev" in text


def test_validation_is_cut_from_train_by_speakers(serab, manifest, home):
    lines = manifest.read_text().splitlines()
    split = dict.fromkeys("abcd", "train") | {"e": "test", "f": "test"}
    with_splits = [lines[0] + ",split"] + [f"{line},{split[line.split(',')[2]]}" for line in lines[1:]]
    manifest.write_text("\n".join(with_splits))
    code, out, err = serab("data", "add", "mine", str(manifest))
    assert code == 0, err
    assert "note: the corpus has no validation split: serab uses 9 of 36 train utterances for it" in out
    task = load(home, "mine").task(PROTOCOLS["serab"])
    assert "no validation split" in task.note
    speakers = {split: {u.speaker for u in task.utterances if u.split == split} for split in ("train", "validation")}
    assert len(speakers["train"]) == 3
    assert len(speakers["validation"]) == 1
    assert not speakers["train"] & speakers["validation"]
    summary = json.loads(serab("data", "add", "mine", str(manifest), "--split", "none", "--json")[1])
    assert summary["splits"] == {"train": 27, "validation": 9, "test": 18}
    assert summary["notes"] == []


@pytest.mark.parametrize(
    ("splits", "says"),
    [
        (("train", "train", "dev"), "has no utterance in test; its splits are: train 2, validation 1"),
        (("test", "test", "test"), "has no utterance in train; its splits are: test 3"),
        (("dev", "dev", "dev"), "has no utterance in train and test; its splits are: validation 3"),
        (("train", "test", "test"), "train has only the speaker s0"),
    ],
)
def test_splits_that_are_missing(small, splits, says):
    cells = [f"{name}.wav,x,s{at},{split}" for at, (name, split) in enumerate(zip("abc", splits, strict=True))]
    text = refusal(small(rows(*cells, header="path,label,speaker,split")))
    assert says in text
    assert "--split none" in text


def test_several_manifests_make_one_corpus(serab, manifest, tmp_path, home):
    lines = manifest.read_text().splitlines()
    parts = []
    for number, speakers in enumerate(("abcd", "e", "f")):
        part = manifest.with_name(("train.csv", "dev.csv", "test.csv")[number])
        part.write_text("\n".join([lines[0], *(line for line in lines[1:] if line.split(",")[2] in speakers)]))
        parts.append(str(part))
    code, out, _ = serab("data", "add", "meld", *parts)
    assert code == 0
    assert "54 utterances, 3 labels, 6 speakers" in out
    assert "the names of the manifests are not used as splits" in out
    text = serab("data", "add", "meld", *parts, parts[0])[2]
    assert "train.csv, line 2: names " in text
    assert "a second time (first: train.csv, line 2)" in text


def test_manifests_in_several_folders(small, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.wav").write_bytes(b"x")
    paths = [small(rows(f"a.wav,x,{folder}"), f"{folder}/m.csv") for folder in ("one", "two")]
    assert [entry.id for entry in read_manifest(paths).entries] == ["one/a.wav", "two/a.wav"]


def test_adding_says_what_it_replaces(serab, manifest):
    assert json.loads(serab("data", "add", "mine", str(manifest), "--json")[1])["replaces"] is None
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(line for line in lines if ",high," not in line))
    replaces = json.loads(serab("data", "add", "mine", str(manifest), "--json")[1])["replaces"]
    assert (replaces["utterances"], replaces["shared_utterances"]) == (54, 36)
    assert replaces["labels"] == {"high": 18, "low": 18, "mid": 18}
    manifest.write_text("\n".join(lines))
    out = serab("data", "add", "mine", str(manifest))[1]
    assert "it replaces 36 utterances of mine prepared 20" in out
    assert "(low 18, mid 18); 36 of them are in the new one" in out


def test_removing(serab, manifest, home, monkeypatch):
    audio = sorted(manifest.parent.rglob("*.wav"))
    assert serab("data", "add", "mine", str(manifest))[0] == 0
    code, _, err = serab("data", "remove", "mien", "--yes")
    assert (code, "Did you mean 'mine'?" in err) == (3, True)
    for name in ("../home/datasets/mine", "", ".", "mine/"):
        assert serab("data", "remove", name, "--yes")[0] == 3
    code, _, err = serab("data", "remove", "mine")  # nobody is there to answer
    assert (code, "serab data remove mine --yes" in err) == (2, True)
    code, out, _ = serab("data", "remove", "mine", "--yes")
    assert code == 0
    assert "mine is removed: 54 utterances, no audio in the home" in out
    assert "54 audio files that were used in place stay where they are" in out
    assert sorted(manifest.parent.rglob("*.wav")) == audio
    assert list(home.datasets.iterdir()) == []
    serab("data", "add", "mine", str(manifest), "--copy")
    removal = json.loads(serab("data", "remove", "mine", "--yes", "--json")[1])
    assert (removal["schema"], removal["utterances"], removal["in_place"]) == ("serab.dataset-removal/1", 54, 0)
    assert removal["copied"] == 54
    assert list(home.datasets.iterdir()) == []


def test_removing_a_damaged_corpus(serab, manifest, home):
    serab("data", "add", "mine", str(manifest))
    (home.datasets / "mine" / "index.json").write_text("{")
    assert "whose index could not be read" in serab("data", "add", "mine", str(manifest))[1]
    (home.datasets / "mine" / "index.json").write_text("{")
    code, out, _ = serab("data", "remove", "mine", "--yes")
    assert (code, "an index that cannot be read" in out) == (0, True)


def test_removing_a_link_leaves_what_is_behind_it(serab, manifest, home, tmp_path):
    serab("data", "add", "mine", str(manifest))
    (home.datasets / "mine").rename(tmp_path / "elsewhere")
    (home.datasets / "mine").symlink_to(tmp_path / "elsewhere")
    assert serab("data", "remove", "mine", "--yes")[0] == 0
    assert (tmp_path / "elsewhere" / "index.json").is_file()
    assert list(home.datasets.iterdir()) == []


def test_options_that_do_not_fit_together(serab, manifest):
    for words in (["--table", "x", str(manifest)], ["--audformat", str(manifest.parent), "--path", "x"]):
        assert serab("data", "add", "mine", *words)[0] == 2


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("a.wav,x,s1", "names no columns: its first line is a row (a.wav, x, s1)"),
        ("path label speaker", "They are not separated by commas"),
        (
            "Filename,Emotion,Speaker_ID",
            "Next: name the column: --path Filename --label Emotion --speaker Speaker_ID; or",
        ),
        (
            "one,two,three",
            "Next: name it with --path COLUMN; or the first line must name the columns path, label, speaker",
        ),
    ],
)
def test_headers_without_the_columns(small, header, says):
    assert says in refusal(small(rows("a.wav,x,s1" if "," in header else "a.wav x s1", header=header)))


def test_paths_that_are_relative_to_the_current_folder(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = refusal(small(rows("a.wav,x,s1"), "lists/m.csv"))
    assert f"names {tmp_path}/lists/a.wav, which does not exist (but {tmp_path}/a.wav does)" in text


def test_two_stray_quotes_do_not_join_rows(small):
    header = "path,text,label,speaker"
    path = small(rows('a.wav,"hi,x,s1', 'b.wav,there",y,s2', "c.wav,z,x,s3", header=header))
    assert "line 2: opens a quote that ends on a later line, so that a cell holds another row (that of b.wav)" in (
        refusal(path)
    )
    corpus = read_manifest(small(rows('a.wav,"hi\n\nthere, b.wav\n",x,s1', "b.wav,no,y,s2", header=header)))
    assert [entry.id for entry in corpus.entries] == ["a.wav", "b.wav"]
    assert corpus.notes == ("m.csv: line ends inside quotes in 1 rows (first: line 2)",)
