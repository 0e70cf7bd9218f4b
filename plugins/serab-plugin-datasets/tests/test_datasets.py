"""EmoDB with real speech, and the demo corpus, bit for bit."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from serab_plugin_datasets import emodb
from serab_plugin_datasets.demo.corpus import CAST, MOODS, utterance

from serab_core import SourceFile, plugins
from serab_core.data.prepare import prepare
from serab_core.data.prepared import prepared_names
from serab_core.data.protocols import PROTOCOLS
from serab_core.errors import DataError
from serab_core.report.progress import Silent
from serab_core.store.home import Home
from serab_core.testing import dataset_checks

SHARED = Path(__file__).parents[4] / "shared"


@pytest.fixture
def emodb_zip():
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    return SHARED / "data" / "emodb.zip"


@pytest.mark.parametrize(
    "check", [c for n in ("demo", "emodb") for c in dataset_checks(n)], ids=lambda c: f"{c.subject}-{c}"
)
def test_conforms(check):
    check()


def test_emodb_from_the_zip_and_from_a_folder(emodb_zip, tmp_path):
    spec = plugins.dataset("emodb")
    home = Home(tmp_path / "home")
    prepared = prepare(spec, [emodb_zip], home, Silent())
    summary = prepared.summary()
    assert summary["utterances"] == 535
    assert summary["labels"] == dict(sorted(spec.expected_counts.items()))
    assert summary["speakers"] == 10
    assert summary["splits"] == {"train": 344, "validation": 107, "test": 84}
    task = prepared.task(PROTOCOLS["serab"])
    published = json.loads((SHARED / "reference" / "splits.json").read_text())["emodb"]["splits"]
    for split, speakers in published.items():
        assert {u.speaker for u in task.utterances if u.split == split} == set(speakers)
    golden = np.load(SHARED / "golden" / "emodb_features.npz")
    letters = {label: letter for letter, label in emodb.LABELS.items()}
    assert [letters[u.label] for u in task.utterances] == golden["label"].tolist()
    assert [u.speaker for u in task.utterances] == golden["speaker"].tolist()

    folder = tmp_path / "unpacked"
    zipfile.ZipFile(emodb_zip).extractall(folder)
    other = prepare(spec, [folder], Home(tmp_path / "other"), Silent())
    assert other.task(PROTOCOLS["serab"]).digest == task.digest

    (folder / "wav" / "16b10Wb.wav").unlink()
    with pytest.raises(DataError, match=r"534 of 535 utterances are there, 1 is missing: 16b10Wb\."):
        prepare(spec, [folder], Home(tmp_path / "third"), Silent())
    assert prepared_names(Home(tmp_path / "third")) == ()


def test_later_releases_of_emodb_have_more_files_which_are_left_out(emodb_zip, tmp_path):
    folder = tmp_path / "newer"
    zipfile.ZipFile(emodb_zip).extractall(folder)
    shutil.copy(folder / "wav" / "03a01Fa.wav", folder / "wav" / "03a01Fb.wav")
    prepared = prepare(plugins.dataset("emodb"), [folder], Home(tmp_path / "home"), Silent())
    assert prepared.index["skipped"] == [["wav/03a01Fb.wav", "not one of EmoDB's 535 utterances"]]


def parsed(name: str):
    return emodb.parse(SourceFile(PurePosixPath(name), 0, bytes))


def test_names_of_emodb():
    entry = parsed("any/folder/16b10Wb.WAV")
    assert (entry.id, entry.speaker, entry.label) == ("16b10Wb", "16", "anger")
    for name in ("16b10Xb.wav", "99b10Wb.wav", "16b10Wb2.wav", "x16b10Wb.wav", "16c10Wb.wav", "16b10W1.wav"):
        assert parsed(name) is None


@given(st.text(alphabet="0123456789abWLEAFTNx", min_size=5, max_size=9))
def test_a_name_is_read_or_refused(stem):
    entry = parsed(f"wav/{stem}.wav")
    assert entry is None or (entry.id, entry.speaker) == (stem, stem[:2])


def test_demo_is_the_same_everywhere():
    digest = hashlib.sha256()
    for identifier in ("s01_anger_1", "s06_sadness_4", "s10_happiness_2"):
        digest.update(utterance(identifier).astype("<i2").tobytes())
    assert digest.hexdigest() == "b1ce40fb086e292113a827a49687222ec54ccaa9ad2d9565845c597d4b03920a"


def test_demo_is_speech_like_and_its_moods_differ():
    assert len(CAST) >= 8
    assert len(MOODS) == 4
    loud, quiet = utterance("s01_anger_1"), utterance("s01_sadness_1")
    for samples in (loud, quiet):
        assert 2 * 16000 <= len(samples) <= 3 * 16000
        assert 0.01 < np.abs(samples / 32768).max() < 1.0
    assert np.std(loud.astype(float)) > 1.5 * np.std(quiet.astype(float))


def test_demo_prepares_itself_twice_alike(tmp_path):
    spec = plugins.dataset("demo")
    tasks = [prepare(spec, [], Home(tmp_path / name), Silent()).task(PROTOCOLS["serab"]) for name in ("one", "two")]
    assert tasks[0].digest == tasks[1].digest
    assert tasks[0].synthetic
    assert [tasks[0].count(split) for split in ("train", "validation", "test")] == [96, 32, 32]
    file = soundfile.info(tasks[0].utterances[0].path)
    assert (file.samplerate, file.channels, file.subtype) == (16000, 1, "PCM_16")


def test_importing_the_plugins_is_light():
    code = "import sys, serab_plugin_datasets.demo, serab_plugin_datasets.emodb; print('scipy' in sys.modules)"
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert completed.stdout.strip() == "False"
