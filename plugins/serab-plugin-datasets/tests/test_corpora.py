"""The corpora in every layout that users have, their splits, and their defects."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from serab_plugin_datasets import iem4
from serab_plugin_datasets._lists import read_list

from serab_core import SourceFile, plugins
from serab_core.data.prepare import cut, prepare
from serab_core.data.protocols import PROTOCOLS, SPLIT_PROTOCOLS, SUITE
from serab_core.data.splits import crossing_speakers
from serab_core.errors import DataError
from serab_core.report.progress import Silent
from serab_core.store.home import Home
from serab_core.testing import dataset_checks

SHARED = Path(__file__).parents[4] / "shared"
NAMES = [*SUITE, "shemo-2022", "subesco"]


def paths_of(name: str) -> list[str]:
    """Return the paths of the audio files of a corpus, as in its download."""
    return [path for path in plugins.dataset(name).example() if path.endswith(".wav")]


def texts_of(name: str) -> dict[str, bytes]:
    """Return the other files of the download."""
    return {path: data for path, data in plugins.dataset(name).example().items() if not path.endswith(".wav")}


def content(name: str, path: str) -> bytes:
    """Return 0.1 s of noise that is different for each utterance."""
    stem = PurePosixPath(path).stem
    speaker = PurePosixPath(path).parent.name if name == "savee" else ""
    seed = int.from_bytes((speaker + stem).encode(), "little") % 2**32
    samples = np.random.RandomState(seed).randint(-3000, 3000, 160).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16000, format="WAV")
    return buffer.getvalue()


def files_of(name: str) -> dict[str, bytes]:
    return {**{path: content(name, path) for path in paths_of(name)}, **texts_of(name)}


def listed(name: str) -> list[SourceFile]:
    files = plugins.dataset(name).example()
    return [SourceFile(PurePosixPath(path), 1, lambda path=path: files[path], archive="made") for path in files]


@pytest.mark.parametrize("check", [c for n in NAMES for c in dataset_checks(n)], ids=lambda c: f"{c.subject}-{c}")
def test_conforms(check):
    check()


def test_expected_totals_are_the_references():
    totals = {name: sum(plugins.dataset(name).expected_counts.values()) for name in NAMES}
    assert totals == {
        "aesdd": 604, "cafe": 936, "crema_d": 7438, "emodb": 535, "emovo": 588, "iem4": 5531, "ravdess": 1440,
        "savee": 480, "shemo": 3000, "shemo-2022": 3000, "subesco": 7000,
    }  # fmt: skip
    assert sum(totals[name] for name in SUITE) == 20552
    assert not {"shemo-2022", "subesco"} & set(SUITE)


@pytest.mark.parametrize("name", NAMES)
def test_no_true_speaker_crosses_but_in_released_variants_where_it_is_said(name):
    spec = plugins.dataset(name)
    index = spec.index(listed(name))
    assert index.entries
    speakers = {e.id: e.speaker for e in index.entries}
    for variant in spec.variants:
        splits = {i: split for i, (_, split) in cut(variant, index, spec).items()}
        crossing = crossing_speakers(speakers, splits)
        assert bool(crossing) == variant.shares_speakers == (variant.name == "as_released")
        assert not crossing or "in place of speaker" in variant.note
    assert spec.variants[0].name == "default"
    assert spec.released_variant == ("as_released" if name in ("iem4", "shemo") else "default")


def test_splits_are_the_published_ones():
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    published = json.loads((SHARED / "reference" / "splits.json").read_text())
    for name, entry in published.items():
        spec = plugins.dataset(name)
        index = spec.index(listed(name))
        variants = {"default": entry.get("speaker_fixed", entry), spec.released_variant: entry}
        for variant, expected in variants.items():
            groups = dict(cut(spec.variant(variant), index, spec).values())
            wanted = {group: split for split, members in expected["splits"].items() for group in members}
            assert groups == wanted, (name, variant)


def tree(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("evil.wav")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return path


def renamed(files: dict[str, bytes], change) -> dict[str, bytes]:
    return {change(name): data for name, data in files.items()}


def rewritten(files: dict[str, bytes], ending: str, change) -> dict[str, bytes]:
    """Decode audio, change it, and write it again in the format of its suffix."""
    changed = {}
    for name, data in files.items():
        if not name.endswith(".wav"):
            changed[name] = data
            continue
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
        buffer = io.BytesIO()
        soundfile.write(buffer, *change(samples, rate), format=ending.upper())
        changed[f"{name[:-4]}.{ending}"] = buffer.getvalue()
    return changed


def upper(name: str) -> str:
    return name[:-4] + ".WAV" if name.endswith(".wav") else name


SHAPES = {
    "zip": lambda files, to: [zipped(to / "a.zip", files)],
    "tar.gz": lambda files, to: [tarred(to / "a.tar.gz", files)],
    "folder": lambda files, to: [tree(to / "folder", files)],
    "nested deeper": lambda files, to: [tree(to / "deep" / "er", files).parents[0]],
    "two zips": lambda files, to: [
        zipped(to / "1.zip", dict(list(files.items())[::2])),
        zipped(to / "2.zip", dict(list(files.items())[1::2])),
    ],
    "a folder of zips": lambda files, to: [
        zipped(to / "z" / "1.zip", dict(list(files.items())[::2])).parent,
        zipped(to / "z2" / "2.zip", dict(list(files.items())[1::2])).parent,
    ],
    "every file twice": lambda files, to: [tree(to / "t", files | renamed(files, lambda n: f"again/{n}"))],
    "zip beside its content": lambda files, to: [
        tree(to / "b", files | {"all.zip": zipped(to / "x.zip", files).read_bytes()})
    ],
    "zips in a zip": lambda files, to: [
        zipped(
            to / "outer.zip",
            {
                f"repo-main/{part}.zip": zipped(to / f"{part}.zip", dict(list(files.items())[part::2])).read_bytes()
                for part in (0, 1)
            },
        )
    ],
    "flac": lambda files, to: [tree(to / "f", rewritten(files, "flac", lambda x, rate: (x, rate)))],
    "stereo": lambda files, to: [tree(to / "s", rewritten(files, "wav", lambda x, rate: (np.stack([x, x], 1), rate)))],
    "resampled": lambda files, to: [
        tree(to / "r", rewritten(files, "wav", lambda x, rate: (np.repeat(x, 3), 3 * rate)))
    ],
    "upper-case endings": lambda files, to: [tree(to / "u", renamed(files, upper))],
    "litter": lambda files, to: [
        tree(
            to / "l",
            files
            | {f"__MACOSX/{n}": b"x" for n in list(files)[:9]}
            | {str(PurePosixPath(n).with_name("._" + PurePosixPath(n).name)): b"x" for n in list(files)[:9]}
            | {".DS_Store": b"x", "notes/readme.md": b"x"},
        )
    ],
}


def few_of(name: str) -> tuple[dict[str, bytes], object]:
    """Return a tenth of a corpus, with a spec that expects no more: these tests are about the layout, not the size."""
    files = files_of(name)
    keep = [p for p in files if not p.endswith(".wav")]
    by_label: Counter[tuple[str, ...]] = Counter()
    spec = plugins.dataset(name)
    for entry in spec.index(listed(name)).entries:
        path = str(entry.file.name)
        keys = [(entry.speaker, entry.label, entry.groups.get("dialogue", ""))]
        if spec.expected_speakers > 30:  # where many speak, one utterance of each is enough, and one of each label
            keys = [(entry.speaker,), (entry.label,), tuple(entry.groups.values())]
        by_label.update(keys)
        if min(by_label[key] for key in keys) <= 1:
            keep.append(path)
    return {path: files[path] for path in keep}, spec


@pytest.mark.parametrize("name", [*SUITE, "subesco"])
def test_every_shape_ends_in_the_same_digest(name, tmp_path):
    files, spec = few_of(name)
    digests, audio = {}, {}
    for shape, make in SHAPES.items():
        sources = make(files, tmp_path / shape.replace(" ", "_"))
        prepared = prepare(spec, sources, Home(tmp_path / "home"), Silent(), allow_partial=True)
        assert prepared.index["partial"]
        tasks = [prepared.task(protocol) for protocol in SPLIT_PROTOCOLS]
        digests[shape] = tuple(task.digest for task in tasks)
        audio[shape] = tuple(task.audio_digest for task in tasks)
    assert len(set(digests.values())) == 1, digests
    assert audio.pop("resampled") not in audio.values()
    assert len(set(audio.values())) == 1, audio
    with pytest.raises(DataError, match="missing: "):
        prepare(spec, [tmp_path / "folder" / "folder"], Home(tmp_path / "home"), Silent())


def test_a_name_that_contradicts_its_folder_is_believed(tmp_path):
    files, spec = few_of("ravdess")
    stray = next(iter(files))
    data = files.pop(stray)
    moved = files | {f"Actor_24/{PurePosixPath(stray).name}": data}
    clean = prepare(
        spec, [tree(tmp_path / "a", files | {stray: data})], Home(tmp_path / "h"), Silent(), allow_partial=True
    )
    strayed = prepare(spec, [tree(tmp_path / "b", moved)], Home(tmp_path / "h2"), Silent(), allow_partial=True)
    assert strayed.task(PROTOCOLS["serab"]).digest == clean.task(PROTOCOLS["serab"]).digest


def test_known_defects(tmp_path):
    bad = plugins.dataset("aesdd").index([SourceFile(PurePosixPath("sadness/s05 (3).wav"), 1, bytes)])
    assert bad.entries == ()
    assert "no data chunk" in bad.skipped[0].reason
    names = ["f12 (01).wav", "f12 (1).wav", "f18 (5)b.wav", "f18(5).wav", "f18 (7).wav", "g18 (5).wav"]
    parsed = plugins.dataset("aesdd").index([SourceFile(PurePosixPath(n), 1, bytes) for n in names])
    assert [(e.id, e.speaker) for e in parsed.entries] == [("f12 (1)", "1"), ("f18 (5)", "5"), ("f18 (5)b", "5")]
    single_x = plugins.dataset("crema_d").index([SourceFile(PurePosixPath("1002_ITH_SAD_X.wav"), 1, bytes)])
    assert [e.id for e in single_x.entries] == ["1002_ITH_SAD_XX"]


def test_iemocap_speakers_labels_and_targets():
    index = plugins.dataset("iem4").index(listed("iem4"))
    entries = {e.id: e for e in index.entries}
    turn = next(entry for name, entry in entries.items() if name.startswith("Ses01F_impro01_M"))  # its label is made up
    assert (turn.speaker, dict(turn.groups)) == ("01M", {"dialogue": "01F"})
    place = [row.utterance for row in read_list("iem4")].index(turn.id)
    assert turn.targets["valence"] == 1 + place % 9 / 2
    assert turn.targets["dominance"] == 1 + place // 81 % 9 / 2
    assert Counter(entry.label for entry in entries.values()) == plugins.dataset("iem4").expected_counts
    assert "Ses01F_impro01_F900" not in entries  # frustration
    assert [(skip.file, skip.reason) for skip in index.skipped] == [
        ("403 turns", "their labels are none of the four classes: fru 200, oth 3, xxx 200")
    ]


def test_iemocaps_continuous_task(tmp_path, capsys, monkeypatch):
    from serab_core.cli.main import run

    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    files, _ = few_of("iem4")
    assert run(["data", "prepare", "iem4", str(tree(tmp_path / "f", files)), "--allow-partial", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["continuous"] == {"iem4/vad": ["valence", "arousal", "dominance"]}
    assert run(["data", "show", "iem4/vad"]) == 0
    assert "dominance" in capsys.readouterr().out
    assert run(["eval", "mfcc-stats", "--tasks", "iem4/vad", "--classifiers", "ridge", "--json"]) == 0
    scored = json.loads(capsys.readouterr().out)["results"]
    assert [result["task"] for result in scored] == ["iem4/valence", "iem4/arousal", "iem4/dominance"]
    assert all(result["partial"] and abs(result["scores"]["ccc"]) < 0.5 for result in scored)  # noise tells nothing
    assert run(["data", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["datasets"]}
    assert rows["iem4"]["continuous"] == {"vad": ["valence", "arousal", "dominance"]}


def test_iemocap_evaluations_that_contradict_or_are_no_text():
    def evaluation(name: str, text: bytes) -> SourceFile:
        return SourceFile(PurePosixPath(f"Session1/dialog/EmoEvaluation/{name}.txt"), 1, lambda: text)

    line = b"[0.1 - 0.2]\tSes01F_impro01_F000\t%s\t[2.5, 2.5, 2.5]\n"
    with pytest.raises(DataError, match="another label"):
        iem4.read_evaluations([evaluation("a", line % b"ang"), evaluation("b", line % b"sad")])
    with pytest.raises(DataError, match="is not a text file"):
        iem4.read_evaluations([evaluation("a", b"\xff\xfe")])


@given(st.sampled_from(NAMES), st.text(alphabet="0123456789abdfhnsuwACDFHJMNSTWXEOI_-() .", max_size=24))
def test_any_name_is_read_or_passed_over(name, stem):
    spec = plugins.dataset(name)
    index = spec.index([SourceFile(PurePosixPath("DC") / f"{stem}x.wav".lstrip("/"), 1, bytes)])
    for entry in index.entries:
        assert entry.label in spec.labels
        assert entry.speaker


def test_five_corpora_are_fetched_over_https_and_the_others_by_hand():
    fetchable = {"cafe", "emodb", "ravdess", "shemo", "subesco"}
    assert {name for name in NAMES if plugins.dataset(name).access == "fetchable"} == fetchable
    for name in fetchable:
        spec = plugins.dataset(name)
        for source in spec.downloads:
            assert source.files
            assert (source.api if source.kind == "zenodo" else source.files[0].url).startswith("https://")
            if source.kind == "zenodo" and name != "emodb":  # the text for people names the address of 2005
                assert f"{source.files[0].name} " in spec.how_to_get
                assert spec.how_to_get.endswith(f"zenodo.org/record/{source.record}")
        assert name in ("cafe", "emodb") or spec.download_bytes
