"""Databases in audformat: tables that belong together are joined, others are listed, and no pickle is opened."""

from __future__ import annotations

import json
import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from serab_core.data.audformat_ import read_audformat
from serab_core.data.audformat_tables import read_database
from serab_core.data.user_corpus import Columns
from serab_core.errors import DataError

SPEAKERS = [f"s{number}" for number in range(6)]
FILES = [
    f"wav/{speaker}_{label}_{take}.wav" for speaker in SPEAKERS for label in ("calm", "anger") for take in range(2)
]
PARTS = {"dev": SPEAKERS[3:4], "test": SPEAKERS[4:], "train": SPEAKERS[:3]}


def label_of(file: str) -> str:
    return file.split("_")[1]


def speaker_of(file: str) -> str:
    return Path(file).stem.split("_")[0]


def of(*speakers: str) -> list[str]:
    return [file for file in FILES if speaker_of(file) in speakers]


class Writer:
    """Writes a database as audformat does: a header in YAML and a CSV for each table."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.header = {
            "name": "x",
            "source": "",
            "usage": "unrestricted",
            "schemes": {"emotion": {"dtype": "str"}, "speaker": {"dtype": "str"}},
            "splits": {},
            "tables": {},
            "misc_tables": {},
        }
        (root / "wav").mkdir(parents=True)
        for file in FILES:
            (root / file).write_bytes(b"x")

    def table(self, name, columns, files=FILES, split=None, kind="filewise", **schemes):
        """Adds a table: a function of the file, or a list of cells, for each column."""
        own = {"type": kind, "columns": {c: {"scheme_id": schemes.get(c, c)} for c in columns}}
        if split:
            own["split_id"] = split
            self.header["splits"].setdefault(split, {"type": split if split in PARTS else "other"})
        self.header["tables"][name] = own
        index = ["file", "start", "end"] if kind == "segmented" else ["file"]
        cells = [",".join([*index, *columns])]
        for at, file in enumerate(files):
            values = [values(file) if callable(values) else values[at] for values in columns.values()]
            cells.append(",".join([file, *values]))
        (self.root / f"db.{name}.csv").write_text("\n".join(cells) + "\n")

    def misc(self, name, level, rows):
        columns = {column: {"scheme_id": column} for column in next(iter(rows.values()))}
        self.header["misc_tables"][name] = {"levels": {level: "str"}, "columns": columns}
        lines = [",".join([level, *columns]), *(",".join([key, *row.values()]) for key, row in rows.items())]
        (self.root / f"db.{name}.csv").write_text("\n".join(lines) + "\n")

    def splits(self, pattern, **schemes):
        for split, speakers in PARTS.items():
            self.table(pattern.format(split), {"emotion": label_of}, of(*speakers), split, **schemes)

    def read(self, label="", speaker="", split="", segments=None, tables=()):
        (self.root / "db.yaml").write_text(yaml.safe_dump(self.header, sort_keys=False))
        return read_audformat(self.root, Columns("", label, speaker, split), segments, tables)

    def refusal(self, **options) -> str:
        with pytest.raises(DataError) as caught:
            self.read(**options)
        assert caught.value.next_step
        return str(caught.value)


@pytest.fixture
def db(tmp_path):
    return Writer(tmp_path / "db")


def splits_of(corpus) -> dict[str, set[str]]:
    return {
        split: {entry.speaker for entry in corpus.entries if entry.split == split}
        for split in ("train", "validation", "test")
    }


def test_tables_that_differ_by_the_split_are_joined(db):
    db.splits("emotion.categories.{}.desired")
    db.table("files", {"speaker": speaker_of})
    corpus = db.read()
    assert [entry.id for entry in corpus.entries] == sorted(FILES)
    assert all(entry.label == label_of(entry.id) and entry.speaker == speaker_of(entry.id) for entry in corpus.entries)
    assert splits_of(corpus) == {"train": {"s0", "s1", "s2"}, "validation": {"s3"}, "test": {"s4", "s5"}}
    assert corpus.skipped == ()
    assert corpus.notes[0].endswith("speakers from files; 24 files are used, 0 are left out")
    assert {entry.split for entry in db.read(split="none").entries} == {None}


@pytest.mark.parametrize("pattern", ["{}", "emotion-{}", "{}.emotion", "emotion.{}.gold_standard"])
def test_names_of_tables(db, pattern):
    db.splits(pattern)
    db.table("files", {"speaker": speaker_of})
    assert len(db.read().entries) == len(FILES)


def test_the_type_of_a_split_counts_before_its_name(db):
    db.header["splits"] = {"a": {"type": "train"}, "b": {"type": "dev"}, "test": {"type": "test"}}
    for split, speakers in (("a", SPEAKERS[:3]), ("b", SPEAKERS[3:4]), ("test", SPEAKERS[4:])):
        db.table(f"emotion.{split}", {"emotion": label_of}, of(*speakers), split)
    db.table("files", {"speaker": speaker_of})
    assert splits_of(db.read())["train"] == {"s0", "s1", "s2"}
    db.header["splits"]["b"] = {"type": "other"}
    assert "table emotion.b in the split 'b' of type 'other', which is not train, dev or test" in db.refusal()
    assert len(db.read(split="none").entries) == len(FILES)


def test_a_split_of_another_type_goes_by_its_name(db):
    db.splits("emotion.{}")
    db.header["splits"] = {split: {} for split in PARTS}
    db.table("files", {"speaker": speaker_of})
    assert splits_of(db.read())["validation"] == {"s3"}


def test_splits_by_the_names_of_tables_without_split_id(db):
    db.splits("emotion.{}")
    for table in db.header["tables"].values():
        del table["split_id"]
    db.table("files", {"speaker": speaker_of})
    assert splits_of(db.read())["validation"] == {"s3"}


def test_tables_of_other_kinds_are_listed(db):
    db.splits("emotion.categories.{}.desired")
    db.table("emotion.categories.train.gold_standard", {"emotion": label_of}, of("s0"), "train")
    db.table("files", {"speaker": speaker_of})
    text = db.refusal()
    assert "in tables of 2 kinds" in text
    assert "emotion.categories.train.desired (12 files)" in text
    assert "emotion.categories.train.gold_standard (4 files)" in text
    assert "--table 'emotion.categories.*.desired'" in text
    assert len(db.read(tables=["*.desired"]).entries) == len(FILES)
    assert len(db.read(tables=[f"emotion.categories.{split}.desired" for split in PARTS]).entries) == len(FILES)
    corpus = db.read(tables=["*.gold_standard"], split="none")
    assert len(corpus.entries) == 4
    assert "20 are left out" in corpus.notes[0]
    assert "no table 'nothing*' with the label 'emotion'; it has: emotion.categories.dev.desired (4" in db.refusal(
        tables=["*.desired", "nothing*"]
    )


def test_tables_that_disagree(db):
    db.splits("emotion.{}")
    db.table("files", {"speaker": speaker_of})
    db.table("emotion.eval", {"emotion": ["anger"]}, of("s4")[:1], "test")
    text = db.refusal()
    assert "gives wav/s4_calm_0.wav two labels: 'calm' in table emotion.test, 'anger' in table emotion.eval" in text
    db.table("emotion.eval", {"emotion": ["calm"]}, of("s4")[:1], "test")
    assert len(db.read().entries) == len(FILES)
    db.table("emotion.eval", {"emotion": ["calm"]}, of("s4")[:1], "train")
    assert "puts wav/s4_calm_0.wav into two splits" in db.refusal()


def test_what_is_left_out_is_counted(db):
    files = of("s0", "s1", "s2", "s3")
    db.table("emotion", {"emotion": ["", *map(label_of, files[1:])]}, files)
    db.table("files", {"speaker": speaker_of}, FILES[2:])
    corpus = db.read()
    assert len(corpus.entries) == 14
    assert {skip.file: skip.reason for skip in corpus.skipped} == {
        files[0]: "table emotion has no label for it",
        files[1]: "has a label, but no speaker",
        **dict.fromkeys(of("s4", "s5"), "is in no table used (emotion)"),
    }
    assert corpus.notes[:2] == (
        "labels from emotion; speakers from files; 14 files are used, 10 are left out",
        "left out: 8 (is in no table used (emotion))",
    )


def test_speakers_that_are_missing_or_disagree(db):
    db.table("emotion", {"emotion": label_of})
    assert "no table of files with a column or scheme 'speaker'; its columns are: emotion. Next: " in db.refusal()
    db.table("files", {"speaker": ["nan"] * len(FILES)})
    assert "has speaker 'nan' in 24 rows (file wav/s0_calm_0.wav, " in db.refusal()
    db.table("files", {"speaker": [""] * len(FILES)})
    assert "has no speaker for any of its 24 files" in db.refusal()
    db.table("files", {"speaker": speaker_of})
    db.table("more", {"speaker": ["s9"]}, FILES[:1])
    assert "two values of 'speaker': 's0' in table files, 's9' in table more" in db.refusal()


def test_speakers_by_a_misc_table_and_by_the_labels_of_a_scheme(db):
    db.table("emotion", {"emotion": label_of, "session": speaker_of})
    db.header["schemes"]["session"] = {"dtype": "str", "labels": "sessions"}
    db.misc("sessions", "session", {name: {"speaker": f"person {name}"} for name in SPEAKERS})
    assert {entry.speaker for entry in db.read().entries} == {f"person {name}" for name in SPEAKERS}
    db.header["schemes"]["session"] = {"dtype": "str", "labels": {name: {"speaker": name.upper()} for name in SPEAKERS}}
    assert {entry.speaker for entry in db.read().entries} == {name.upper() for name in SPEAKERS}


def test_columns_and_schemes_by_name(db):
    db.table("ratings", {"rated": label_of, "who": speaker_of, "part": lambda f: "dev" if "s3" in f else "train"},
             rated="mood")  # fmt: skip
    db.table("more", {"part": lambda f: "test" if "s5" in f else ""})
    db.header["tables"]["ratings"]["columns"]["part"] = {}
    db.header["schemes"]["mood"] = {"dtype": "str", "labels": {"calm": "a calm voice", "anger": "an angry one"}}
    for label in ("mood", "rated"):
        assert {entry.label for entry in db.read(label, "who").entries} == {"calm", "anger"}
    assert "two values of 'part'" in db.refusal(label="mood", speaker="who", split="part")


@pytest.mark.parametrize(
    ("scheme", "values", "says"),
    [
        (
            {"dtype": "float"},
            "0.5",
            "has numbers, not classes, under 'value': the scheme 'value' of column 'value' in",
        ),
        ({"dtype": "int"}, "3", "has whole numbers, not classes,"),
        ({"dtype": "date"}, "2020-01-01", "has dates, not classes,"),
        ({"dtype": "time"}, "0 days 00:00:01", "has lengths of time, not classes,"),
    ],
)
def test_labels_that_are_no_classes(db, scheme, values, says):
    db.table("emotion", {"value": [values] * len(FILES), "speaker": speaker_of})
    db.header["schemes"]["value"] = scheme
    text = db.refusal(label="value")
    assert says in text
    assert "there are: value, speaker" in text


def test_codes_of_classes(db):
    db.table("emotion", {"value": ["1", "2"] * 12, "speaker": speaker_of})
    db.header["schemes"]["value"] = {"dtype": "int", "labels": {1: "calm", 2: "anger"}}
    assert {entry.label for entry in db.read("value").entries} == {"1", "2"}


def test_segments_are_cut_or_refused(db):
    spans = ["0 days 00:00:00,0 days 00:00:01.500000", "0 days 00:00:01.500000,"]
    index = [f"{file},{span}" for file in FILES for span in spans]
    db.table("segments", {"emotion": lambda row: label_of(row)}, index, kind="segmented")
    db.table("files", {"speaker": speaker_of})
    text = db.refusal()
    assert "has the labels of segments in table segments (first: wav/s0_calm_0.wav#0.000000-1.500000)" in text
    assert "--segments" in text
    corpus = db.read(segments=True)
    assert len(corpus.entries) == 48
    assert [(e.id, e.segment, e.speaker) for e in corpus.entries if e.id.startswith("wav/s0_calm_0")] == [
        ("wav/s0_calm_0.wav#0.000000-1.500000", (0.0, 1.5), "s0"),
        ("wav/s0_calm_0.wav#1.500000-", (1.5, None), "s0"),
    ]
    db.table("emotion", {"emotion": label_of})
    assert {entry.segment for entry in db.read().entries} == {None}
    assert len(db.read(segments=True).entries) == 48
    del db.header["tables"]["segments"]
    assert "no table of segments with the label 'emotion'; it has: emotion (24 files)" in db.refusal(segments=True)


def test_no_pickle_is_opened(db):
    class Bomb:
        def __reduce__(self):
            return os.mkdir, (str(db.root / "exploded"),)

    bomb = pickle.dumps(Bomb())
    db.table("emotion", {"emotion": label_of, "speaker": speaker_of})
    (db.root / "db.emotion.pkl").write_bytes(bomb)
    assert len(db.read().entries) == len(FILES)
    (db.root / "db.emotion.csv").unlink()
    assert "table emotion only as a pickle, which can run code and is not loaded" in db.refusal()
    (db.root / "db.emotion.csv").write_bytes(bomb)
    db.refusal()
    (db.root / "db.emotion.parquet").write_bytes(bomb)
    db.refusal()
    (db.root / "db.yaml").write_text("!!python/object/apply:os.mkdir ['exploded']")
    with pytest.raises(DataError, match="its db.yaml is damaged"):
        read_audformat(db.root)
    assert not (db.root / "exploded").exists()
    assert not Path("exploded").exists()


def test_a_parquet_table_without_pyarrow(db, monkeypatch):
    db.table("emotion", {"emotion": label_of, "speaker": speaker_of})
    (db.root / "db.emotion.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert len(db.read().entries) == len(FILES)  # by the CSV
    (db.root / "db.emotion.csv").unlink()
    assert "needs the package pyarrow. Next: pip install pyarrow, or save the database as CSV" in db.refusal()


def test_a_pyarrow_that_runs_code_out_of_a_file_reads_none(db, monkeypatch):
    pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    monkeypatch.setattr(pyarrow, "__version__", "13.0.0")
    db.table("emotion", {"emotion": label_of, "speaker": speaker_of})
    (db.root / "db.emotion.csv").rename(db.root / "db.emotion.parquet")
    assert "pyarrow 13.0.0 can run code that such a file holds. Next: pip install -U pyarrow" in db.refusal()


def test_damaged_databases(db, tmp_path):
    with pytest.raises(DataError, match="is not an audformat database .it has no db.yaml"):
        read_audformat(tmp_path)
    db.table("emotion", {"emotion": label_of, "speaker": speaker_of})
    assert len(db.read().entries) == len(FILES)
    for text in (
        "nonsense: [",
        "",
        "- a\n- b",
        "1",
        "tables: 3",
        "tables: {a: {type: other}}",
        "tables: {../x: {type: filewise}}",
    ):
        (db.root / "db.yaml").write_text(text)
        with pytest.raises(DataError, match="damaged|no table"):
            read_audformat(db.root)
    db.header["tables"]["emotion"]["columns"]["gone"] = {}
    assert "without the column gone that its db.yaml declares" in db.refusal()
    (db.root / "db.emotion.csv").unlink()
    assert "has no file for the table emotion (db.emotion.csv or db.emotion.parquet)" in db.refusal()


def test_a_table_that_is_not_needed_may_be_unreadable(db):
    db.table("emotion", {"emotion": label_of, "speaker": speaker_of})
    db.table("other", {"text": label_of})
    (db.root / "db.other.csv").unlink()
    corpus = db.read()
    assert [skip.file for skip in corpus.skipped] == ["table other"]


@given(st.binary(max_size=80))
def test_any_header_is_read_or_refused(tmp_path_factory, content):
    root = tmp_path_factory.mktemp("db")
    (root / "db.yaml").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_audformat(root)
    assert caught.value.next_step


@pytest.fixture(params=["csv", "parquet"])
def real(request, tones_folder):
    """The toy corpus as a database that the package audformat writes."""
    audformat = pytest.importorskip("audformat", reason="audformat is installed with openSMILE only")
    if request.param == "parquet":
        pytest.importorskip("pyarrow")
    import pandas
    from serab_toys import tones

    database = audformat.Database("tones")
    database.schemes["mood"] = audformat.Scheme(labels=["low", "mid", "high"])
    database.schemes["pitch"] = audformat.Scheme("float")
    database.schemes["made"] = audformat.Scheme("date")
    database["people"] = audformat.MiscTable(pandas.Index(list("abcdef"), name="speaker", dtype="string"))
    database["people"]["age"] = audformat.Column()
    database["people"]["age"].set(list("123456"))
    database.schemes["speaker"] = audformat.Scheme("str", labels="people")
    for split, speakers in (("train", "abcd"), ("test", "ef")):
        ids = [i for i in sorted(tones.ids()) if i[0] in speakers]
        database.splits[split] = audformat.Split(type=split)
        index = audformat.filewise_index([f"wav/{i}.wav" for i in ids])
        table = database[f"mood.{split}"] = audformat.Table(index, split_id=split)
        table["rated"] = audformat.Column(scheme_id="mood")
        table["rated"].set([i.split("_")[1] for i in ids])
        for name, value in (("pitch", 0.5), ("made", "2020-01-01")):
            table[name] = audformat.Column(scheme_id=name)
            table[name].set([value] * len(ids))
    ids = sorted(tones.ids())
    files = [f"wav/{i}.wav" for i in ids]
    database["files"] = audformat.Table(audformat.filewise_index(files))
    database["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    database["files"]["speaker"].set([i[0] for i in ids])
    ends = pandas.to_timedelta([0.25] * len(ids), unit="s")
    database["segments"] = audformat.Table(audformat.segmented_index(files, ["0.125s"] * len(ids), ends))
    database["segments"]["kind"] = audformat.Column()
    database["segments"]["kind"].set([i.split("_")[1] for i in ids])
    database.save(str(tones_folder), storage_format=request.param)
    return tones_folder


@pytest.mark.filterwarnings("ignore")
def test_what_audformat_writes_is_read_as_audformat_reads_it(real):
    import audformat

    there = audformat.Database.load(str(real))
    ours = read_database(real)
    for name in there.tables:
        table, frame = ours.tables[name], there[name].df
        keys = [key.file for key in ours.keys(table)]
        assert keys == [Path(file).relative_to(real).as_posix() if os.path.isabs(file) else file
                        for file in frame.index.get_level_values("file")]  # fmt: skip
        for column in set(frame) - {"made"}:
            assert [row[column] for row in ours.rows(table)] == [str(value) for value in frame[column]]
    assert {key.segment for key in ours.keys(ours.tables["segments"])} == {(0.125, 0.25)}


@pytest.mark.filterwarnings("ignore")
def test_a_database_is_added(serab, real):
    code, out, err = serab("data", "add", "af", "--audformat", str(real), "--label", "mood")
    assert code == 0, err
    assert "af is prepared: 54 utterances, 3 labels, 6 speakers" in out
    assert "note: labels from mood.test, mood.train; speakers from files; 54 files are used, 0 are left out" in out
    assert "serab uses 9 of 36 train utterances" in out
    words = [
        "data",
        "add",
        "af",
        "--audformat",
        str(real),
        "--label",
        "mood",
        "--table",
        "mood.train",
        "--split",
        "none",
    ]
    summary = json.loads(serab(*words, "--json")[1])
    assert summary["utterances"] == 36
    assert len(summary["skipped"]) == 18
    for label, says in (("pitch", "numbers"), ("made", "dates")):
        assert f"has {says}, not classes," in serab("data", "add", "af", "--audformat", str(real), "--label", label)[2]


def test_audformat_is_not_needed(db, monkeypatch):
    monkeypatch.setitem(sys.modules, "audformat", None)
    db.table("emotion", {"emotion": label_of, "speaker": speaker_of})
    corpus = db.read()
    assert replace(corpus, notes=()).entries == corpus.entries
    assert len(corpus.entries) == len(FILES)


@pytest.mark.parametrize("notation", ["./{}", "{root}/{}", "backslashes", "{root}/./{}", "wav/../{}"])
def test_tables_that_write_one_file_in_two_ways_agree(tmp_path, notation):
    database = Writer(tmp_path / "db")
    root = str(database.root)
    other = [f.replace("/", "\\") if notation == "backslashes" else notation.format(f, root=root) for f in FILES]
    database.table("emotion", {"emotion": label_of})
    database.table("files", {"speaker": [speaker_of(file) for file in FILES]}, other)
    corpus = database.read()
    assert [entry.id for entry in corpus.entries] == sorted(FILES)
    assert not corpus.skipped


def test_the_header_stands_for_its_folder(tmp_path):
    database = Writer(tmp_path / "db")
    database.table("files", {"emotion": label_of, "speaker": speaker_of})
    whole = [entry.id for entry in database.read().entries]
    assert [entry.id for entry in read_audformat(database.root / "db.yaml").entries] == whole


def test_tables_of_the_other_kind_with_the_label_are_noted(tmp_path):
    database = Writer(tmp_path / "db")
    database.table("files", {"emotion": label_of, "speaker": speaker_of})
    files = [f"{file},0 days 00:00:00,0 days 00:00:01" for file in FILES]
    database.table("parts", {"emotion": lambda row: label_of(row.split(",")[0])}, files, kind="segmented")
    note = (
        f"the label 'emotion' is also in parts ({len(FILES)} segments), which are not read, because segments were not "
        "asked for"
    )
    assert note in database.read().notes
    assert note not in database.read(tables=["files"]).notes
    assert f"also in files ({len(FILES)} files), which are not read" in "".join(database.read(segments=True).notes)


def test_a_split_whose_labels_are_held_back(tmp_path):
    database = Writer(tmp_path / "db")
    database.table("files", {"speaker": speaker_of})
    for split, speakers in PARTS.items():
        database.table(
            f"emotion.{split}", {"emotion": (lambda _: "") if split == "test" else label_of}, of(*speakers), split
        )
    text = database.refusal()
    assert "has no utterance in test; its splits are: train 12, validation 4; 8 files are left out" in text
    assert "table emotion.test has no label for it" in text
