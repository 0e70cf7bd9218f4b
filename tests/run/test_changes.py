"""A number belongs to the code that computed it: an edit is scored anew, and said; two plugins share nothing."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from serab_core.run.changes import describe_changes

EXTRACTOR = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl
from {module}_helper import scale


class Extractor:
    def embed(self, waveforms):
        return np.array([[{value} * w[:40].sum() * scale, w[:100].std(), len(w)] for w in waveforms], np.float32)


@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("{name}", Extractor, 3, "a test", "Apache-2.0", "@misc{{x}}"))
"""
CLASSIFIER = """
import numpy as np
from serab_core import ClassifierSpec, estimator_workspace, hookimpl


class Guess:
    def fit(self, X, y):
        self.classes = np.unique(y)
        return self

    def predict(self, X):
        return np.repeat(self.classes[{choice}], len(X))


@hookimpl
def serab_register_classifiers(register):
    prepare = estimator_workspace(lambda params, seed: Guess())
    register(ClassifierSpec("{name}", "Guess", {{"nothing": [None]}}, prepare))
"""


@pytest.fixture
def write(site, add_plugin, prepared_tones):
    """Installs a plugin with a helper module, or edits it in place; nothing of it stays imported."""

    def install(dist="serab-mine", name="mine", value=1, scale=1.0, version="0.1"):
        module = dist.replace("-", "_") + "_" + name
        code = EXTRACTOR.format(name=name, module=module, value=value)
        (site / f"{module}_helper.py").write_text(f"scale = {scale}\n")
        for old in site.glob(f"{dist.replace('-', '_')}-*.dist-info"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        add_plugin(dist, "serab.extractors", name, code, version)
        info = next(site.glob(f"{dist.replace('-', '_')}-*.dist-info"))
        (info / "RECORD").write_text(f"{module}.py,,\n{module}_helper.py,,\n")
        unload(module)

    return install


def unload(prefix: str) -> None:
    for name in [name for name in sys.modules if name.startswith(prefix)]:
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def score(serab):
    def call(*words, classifiers="knn"):
        code, out, err = serab("eval", *words, "-t", "tones", "-c", classifiers, "-j", "1", "--json")
        assert code == 0, err
        return json.loads(out)

    return call


def changed(document) -> list[str]:
    return [text for text in document["notices"] if " again, because since" in text]


def embeddings(home) -> int:
    return len([folder for folder in home.embeddings.iterdir() if folder.is_dir()])


def test_an_edited_extractor_is_scored_anew_and_the_reason_is_given(write, score, home):
    write()
    first = score("mine")
    assert changed(first) == []
    again = score("mine")
    assert again["results"][0]["reused"]
    assert changed(again) == []
    write(value=-7)
    edited = score("mine")
    assert not edited["results"][0]["reused"]
    assert edited["results"][0]["key"] != first["results"][0]["key"]
    (reason,) = changed(edited)
    assert reason.startswith("mine is computed again, because since 2")
    assert "the code of serab-mine changed" in reason
    assert embeddings(home) == 2
    write()
    back = score("mine")
    assert back["results"][0]["reused"]
    assert back["results"][0]["key"] == first["results"][0]["key"]
    assert changed(back) == []


def test_an_edited_helper_module_and_an_upgraded_wheel_too(write, score):
    write()
    keys = {score("mine")["results"][0]["key"]}
    write(scale=2.5)
    edited = score("mine")
    assert "the code of serab-mine changed" in changed(edited)[0]
    keys.add(edited["results"][0]["key"])
    write(scale=2.5, version="0.2")
    upgraded = score("mine")
    assert "serab-mine changed from 0.1 to 0.2" in changed(upgraded)[0]
    keys.add(upgraded["results"][0]["key"])
    assert len(keys) == 3


def test_an_edited_classifier_is_tuned_anew(write, score, add_plugin, site):
    write()
    for choice in (0, -1):
        add_plugin("serab-guess", "serab.classifiers", "guess", CLASSIFIER.format(name="guess", choice=choice))
        unload("serab_guess")
        document = score("mine", classifiers="guess")
        predicted = json.loads(Path(document["results"][0]["file"]).read_text())["outcomes"][0]["test"]["predicted"]
        assert set(predicted) == {("low", "high")[choice]}
        for info in site.glob("serab_guess-*.dist-info"):
            for file in info.iterdir():
                file.unlink()
            info.rmdir()
    (reason,) = changed(document)
    assert "Classifier guess is tuned again" in reason
    assert "the code of serab-guess changed" in reason


def test_two_distributions_with_one_name_share_nothing(write, score, home):
    write("serab-a", "twin", value=1)
    write("serab-b", "twin", value=-9)
    first, second = score("serab-a:twin")["results"][0], score("serab-b:twin")["results"][0]
    assert (first["extractor"], second["extractor"]) == ("serab-a:twin", "serab-b:twin")
    assert not second["reused"]
    assert first["key"] != second["key"]
    assert first["file"] != second["file"]
    assert embeddings(home) == 2
    both = score("serab-a:twin", "serab-b:twin")
    assert [result["reused"] for result in both["results"]] == [True, True]


def test_fresh_computes_again_whatever_is_stored(write, score, home):
    write()
    first = score("mine")["results"][0]
    shards = {path: path.stat().st_mtime_ns for path in home.embeddings.rglob("*.h5")}
    fresh = score("mine", "--fresh")["results"][0]
    assert not fresh["reused"]
    assert fresh["key"] == first["key"]
    now = {path: path.stat().st_mtime_ns for path in home.embeddings.rglob("*.h5")}
    assert now.keys() == shards.keys()
    assert all(now[path] > shards[path] for path in shards)
    assert score("mine")["results"][0]["reused"]


def test_fresh_with_corpus_statistics(score, prepared_tones):
    first = score("toy/corpus", classifiers="knn")["results"][0]
    fresh = score("toy/corpus", "--fresh", classifiers="knn")["results"][0]
    assert (fresh["reused"], fresh["key"], fresh["accuracy"]) == (False, first["key"], first["accuracy"])


def test_what_changed_in_words():
    before = {
        "code": {"distribution": "a", "version": "1", "digest": "x"},
        "weights": ["1"],
        "libraries": {"torch": "2"},
        "parameters": {"bands": 8},
        "dim": 8,
        "version": "1",
        "audio": {"version": 1},
    }
    assert describe_changes(before, before) == []
    now = before | {
        "code": {"distribution": "b", "version": "1", "digest": "x"},
        "weights": ["2"],
        "libraries": {"torch": "3"},
        "parameters": {},
        "dim": 9,
        "audio": {"version": 2},
    }
    assert describe_changes(before, now) == [
        "it comes from b in place of a",
        "its weight files changed",
        "library torch changed from 2 to 3",
        "parameter bands changed from 8 to none",
        "its dimension changed",
        "serab decodes or resamples audio in another way",
    ]
    old = {key: value for key, value in before.items() if key != "code"}
    assert describe_changes(old, before) == ["serab began to include the code in the identity of an extractor"]


def test_a_corpus_that_an_older_plugin_prepared_is_named(score, prepared_tones):
    index = prepared_tones.folder / "index.json"
    document = json.loads(index.read_text())
    assert document["plugin"]["distribution"] == "serab-toys"
    assert not any("was prepared before" in text for text in score("toy")["notices"])
    document["plugin"]["digest"] = "0"
    index.write_text(json.dumps(document))
    (notice,) = [text for text in score("toy")["notices"] if "was prepared before" in text]
    assert notice.startswith("tones was prepared before the code of serab-toys changed")


RANDOM = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl


class Extractor:
    def __init__(self):
        self.weights = np.random.default_rng({seed}).standard_normal(3)

    def embed(self, waveforms):
        noise = {noise} * np.random.default_rng().standard_normal((len(waveforms), 3))
        return np.array([self.weights * w.std() for w in waveforms] + noise, np.float32)


@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("lucky", Extractor, 3, "a test", "Apache-2.0", "@misc{{x}}"{more}))
"""


@pytest.mark.parametrize(
    ("seed", "noise", "more", "jobs", "refused"),
    [
        ("0", "0", "", "2", False),
        ("", "0", "", "2", True),  # weights that are missing are drawn in every process
        ("0", "0.1", "", "1", True),  # dropout
        ("0", "1e-7", "", "1", False),
        ("0", "1e-3", ", tolerance=0.5", "1", False),
    ],
)
def test_no_random_number_reaches_a_score(serab, add_plugin, prepared_tones, home, seed, noise, more, jobs, refused):
    add_plugin("serab-lucky", "serab.extractors", "lucky", RANDOM.format(seed=seed, noise=noise, more=more))
    unload("serab_lucky")
    code, out, _ = serab("eval", "lucky", "-t", "tones", "-c", "knn", "-j", jobs, "--json")
    document = json.loads(out)
    if not refused:
        assert (code, document["failures"]) == (0, [])
        return
    assert code == 9
    (failure,) = document["failures"]
    assert "gives other numbers when it embeds the same audio again" in failure["error"]["what"]
    assert "evaluation mode" in failure["error"]["next_step"]
    assert list(home.embeddings.rglob("*.h5")) == []
    assert document["results"] == []


def test_an_imported_result_that_is_reused_is_said_to_be_imported(write, score, serab, home, tmp_path):
    write()
    computed = score("mine")["results"][0]
    file = tmp_path / "results.json"
    assert serab("results", "export", str(file))[0] == 0
    shutil.rmtree(home.results)
    assert serab("results", "import", str(file), "--from", "a friend")[0] == 0
    again = score("mine")
    assert again["results"][0]["reused"]
    (notice,) = [text for text in again["notices"] if "not computed here" in text]
    assert "mine on tones" in notice
    assert "a friend" in notice
    fresh = score("mine", "--fresh")
    assert not [text for text in fresh["notices"] if "not computed here" in text]
    assert fresh["results"][0]["accuracy"] == computed["accuracy"]


def test_superseded_embeddings_are_marked_and_can_be_cleared(write, score, serab, home):
    write()
    score("mine")
    write(value=-7)
    score("mine")
    write(value=3)
    current = score("mine")["results"][0]

    def held(*flags):
        code, out, err = serab("cache", *flags, "--json")
        assert code == 0, err
        return json.loads(out)

    rows = [row for row in held("ls")["holdings"] if row["room"] == "embeddings"]
    assert [row["superseded"] for row in rows] == [False, True, True]
    out = serab("cache", "ls")[1]
    assert out.count("superseded)") == 2
    assert "cache gc --superseded" in out
    assert held("gc")["waste"] == held("gc", "--days", "0")["waste"] == []
    waste = held("gc", "--superseded")["waste"]
    assert {entry["path"] for entry in waste} == {row["folder"] for row in rows[1:]}
    assert "an earlier version of mine" in waste[0]["why"]
    assert held("gc", "--superseded", "--days", "1")["waste"] == []
    held("gc", "--superseded", "--yes")
    assert [str(folder) for folder in home.embeddings.iterdir()] == [rows[0]["folder"]]
    assert score("mine")["results"][0] == {**current, "reused": True}
    write()  # the first version comes back: its result is there, its embeddings are not
    assert score("mine")["results"][0]["reused"]
    assert [row["superseded"] for row in held("ls")["holdings"] if row["room"] == "embeddings"] == [True]
