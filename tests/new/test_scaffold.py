"""`serab new`: what it writes passes its checks and its own tests at once, and is refused where it cannot be."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import install

KINDS = {
    "extractor my-model": (),
    "extractor my-net --torch": ("torch",),
    "extractor my-ear --hear": ("torch",),
    "dataset my_corpus": (),
    "classifier my-means": (),
}


@pytest.fixture
def begin(serab, site, monkeypatch, tmp_path):
    """`begin("extractor", "my-model")` writes a package, and installs it as `pip install -e .` would."""

    def call(*words: str) -> Path:
        monkeypatch.chdir(tmp_path)
        code, out, err = serab("new", *words, "--json")
        assert code == 0, err
        made = json.loads(out)
        folder = tmp_path / made["folder"]
        project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
        ((group, entries),) = project["entry-points"].items()
        lines = "".join(f"{name} = {module}\n" for name, module in entries.items())
        install(site, project["name"], project["version"], f"[{group}]\n{lines}")
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ["PYTHONPATH"]]))
        return folder

    return call


@pytest.mark.parametrize("words", KINDS)
def test_it_passes_its_own_tests_at_once(begin, words):
    for library in KINDS[words]:
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    folder = begin(*words.split())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


def test_it_is_checked_by_name_and_by_distribution(begin, serab):
    begin("extractor", "my-model")
    for name in ("my-model", "serab-plugin-my-model"):
        code, out, _ = serab("check", name, "--json")
        assert code == 0
        assert {check["state"] for check in json.loads(out)["checks"]} <= {"passed", "not applicable"}


@pytest.mark.standard
def test_it_is_evaluated(begin, serab, tmp_path):
    begin("extractor", "my-model")
    begin("classifier", "my-means")
    corpus = begin("dataset", "my_corpus")
    sys.path.insert(0, str(corpus))
    from serab_plugin_my_corpus import LABELS, ids

    for name in ids():
        rng = np.random.default_rng(sum(map(ord, name)))
        pitch = 150.0 * 1.5 ** LABELS.index(name.split("_")[1])
        wave = 0.2 * np.sin(2 * np.pi * pitch * np.arange(8000) / 16000) + 0.01 * rng.standard_normal(8000)
        soundfile.write(tmp_path / f"{name}.wav", wave, 16000)
    assert serab("data", "prepare", "my_corpus", str(tmp_path))[0] == 0
    code, out, err = serab("eval", "my-model", "--tasks", "my_corpus", "--classifiers", "my-means,lda", "--json")
    assert code == 0, err
    (result,) = json.loads(out)["results"]
    assert result["accuracy"] > 0.9


def test_the_hear_module_passes_hears_own_validator(begin):
    if importlib.util.find_spec("hearvalidator") is None:
        pytest.skip("hearvalidator is not installed")
    folder = begin("extractor", "my-ear", "--hear")
    script = (
        "import sys, hearvalidator.validate as v; "
        "v.ValidateModel('serab_plugin_my_ear.hear', None, sys.argv[1])()"
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script, "cpu"],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_written(begin):
    folder = begin("extractor", "serab-plugin-my-model")
    assert folder.name == "serab-plugin-my-model"
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["serab.extractors"] == {"my-model": "serab_plugin_my_model"}
    major, minor = metadata.version("serab-core").split(".")[:2]
    assert f"serab-core[standard]>={major}.{minor},<{major}.{int(minor) + 1}" in project["dependencies"]
    workflow = (folder / ".github" / "workflows" / "tests.yml").read_text()
    assert "${{ matrix.python }}" in workflow
    assert "serab check my-model" in workflow
    assert not [file for file in folder.rglob("*") if file.is_file() and "{{ " in file.read_text().replace("${{ ", "")]


def test_words(serab, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, out, _ = serab("new", "dataset", "my_corpus", "--folder", str(tmp_path / "below"))
    assert code == 0
    assert "serab data prepare my_corpus" in out
    assert (tmp_path / "below" / "serab-plugin-my-corpus" / "README.md").is_file()


@pytest.mark.parametrize("name", ["My-Model", "../x", "a b", "1x", "x--y", "serab-plugin-"])
def test_names_that_are_none(serab, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)
    code, _, err = serab("new", "extractor", name)
    assert code == 2
    assert "is not a valid name for a plugin" in err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(serab, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert serab("new", "extractor", "my-model")[0] == 0
    mark = tmp_path / "serab-plugin-my-model" / "README.md"
    mark.write_text("mine")
    code, _, err = serab("new", "extractor", "my-model")
    assert code == 2
    assert "already exists" in err
    assert mark.read_text() == "mine"
    assert serab("new", "extractor", "x", "--torch", "--hear")[0] == 2
