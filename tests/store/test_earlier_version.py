"""A home, exported files and settings that serab 0.1 wrote in November 2026 still load, with the same numbers.

`tests/fixtures/home-0.1.zip` was written before modules and documents were reorganised. It holds results of the toy
plugins (classes, a continuous target, three protocols of tuning), and what the commands printed of them then.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from serab_core.store.results import read_result
from serab_core.store.shards import Shard, shard_rows
from serab_core.tune.classifier import StudyIdentity
from serab_core.tune.exported import load_export

FIXTURE = Path(__file__).parents[1] / "fixtures" / "home-0.1.zip"


@pytest.fixture
def earlier(toys, tmp_path, monkeypatch):
    """The folder of the unpacked files; its home is the home."""
    with zipfile.ZipFile(FIXTURE) as archive:
        archive.extractall(tmp_path / "earlier")
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "earlier" / "home"))
    return tmp_path / "earlier"


def document(serab, *arguments: str) -> dict:
    code, out, err = serab(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


@pytest.mark.parametrize("protocol", ["serab", "strict"])
def test_the_leaderboard_has_the_same_scores(earlier, serab, protocol):
    then = json.loads((earlier / f"board-{protocol}.json").read_text())
    now = document(serab, "leaderboard", "--protocol", protocol)
    assert {row["extractor"] for row in now["rows"]} == {row["extractor"] for row in then["rows"]}
    for row in then["rows"]:
        (same,) = [other for other in now["rows"] if other["fingerprint"] == row["fingerprint"]]
        for task, score in row["scores"].items():
            for name, value in score.items():
                assert same["scores"][task][name] == pytest.approx(value), (row["extractor"], task, name)


def test_lists_of_results_and_studies_are_the_same(earlier, serab):
    for words, name, key in (
        (("results", "ls"), "results-ls", "results"),
        (("studies", "ls"), "studies-ls", "studies"),
    ):
        then, now = json.loads((earlier / f"{name}.json").read_text()), document(serab, *words)
        # The version before did not list results on continuous targets.
        rows = [row for row in now[key] if row.get("target") is None]
        assert len(rows) == len(then[key]) > 0
        for before, after in zip(then[key], rows, strict=True):
            assert before.items() <= after.items()


def test_results_of_each_kind_are_read(earlier):
    results = [read_result(path) for path in sorted((earlier / "home" / "results").rglob("*.json"))]
    assert len(results) == 7
    assert {result.target for result in results} == {None, "pitch"}
    assert any(result.profile for result in results)


def test_studies_have_the_names_that_their_identity_gives(earlier):
    """A journal or an outcome of an earlier version is found again under the same name."""
    outcomes = sorted((earlier / "home" / "studies").glob("*.json"))
    assert len(outcomes) == 7
    for path in outcomes:
        identity = StudyIdentity.of(json.loads(path.read_text())["identity"])
        assert identity.study == path.stem
        assert (path.parent / f"{identity.journal()}.h5").exists()


def test_embeddings_are_read(earlier):
    shards = sorted((earlier / "home" / "embeddings").glob("*/*.h5"))
    assert shards
    for shard in shards:
        rows, utterances = shard_rows(Shard(shard.parent, shard.stem))
        assert len(rows) == len(utterances) > 0
        assert np.isfinite(rows).all()


def test_an_exported_classifier_predicts(earlier):
    classifier = load_export(earlier / "classifier")
    embeddings = np.random.RandomState(0).standard_normal((10, classifier.metadata.dim)).astype(np.float32)
    assert set(classifier.predict(embeddings)) <= {"low", "mid", "high"}


def test_exported_results_are_imported(earlier, serab, tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "another"))
    assert serab("results", "import", str(earlier / "results.json"))[0] == 0
    assert len(document(serab, "results", "ls")["results"]) == 3


def test_settings_and_the_history_of_benchmarks_are_read(earlier, serab, monkeypatch):
    monkeypatch.setenv("SERAB_CONFIG", str(earlier / "serab.toml"))
    settings = document(serab, "config")["settings"]
    assert [settings[name]["value"] for name in ("protocol", "jobs", "tasks")] == ["strict", 2, ["tones"]]
    (moment,) = document(serab, "bench", "--history")["moments"]
    assert (moment["extractor"], moment["version"]) == ("toy", "0.1.0")
