"""Every document with a schema: its type is registered, its JSON Schema is published, and real documents match it."""

from __future__ import annotations

import ast
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import h5py
import pytest

from serab_core import settings
from serab_core.documents import DOCUMENTS, PRINTED, STORED, names, schema_file
from serab_core.run import throughput
from serab_core.store import digests
from tests.documents import PUBLISHED, check_document, check_published

ROOT = Path(__file__).parents[1]
FIXTURE = Path(__file__).parent / "fixtures" / "home-0.1.zip"
COMMANDS = """
    data prepare hums
    data prepare tones {}/download
    data add mine {}/mine.csv
    data add mine {}/mine.csv
    eval toy toy/wide toy/corpus toy-bad/boom --tasks tones,hums --classifiers centroid,knn --jobs 1 --profile
    eval toy --tasks tones --classifiers centroid --tuner tpe --trials 4 --jobs 1
    eval toy --tasks tones/pitch --classifiers ridge --jobs 1
    eval --locked {result} --jobs 1
    eval nothing
    leaderboard
    compare toy toy/wide
    bias
    optimism
    fairness toy
    report --output {}/report.html
    results ls
    results export {}/results.json
    results import {}/results.json
    studies ls
    studies show {study}
    bench toy --lengths 0.1 --budget 0.05
    bench --history
    cache ls
    cache verify
    cache gc --superseded
    cache export toy --task tones --to {}/a.npz
    export toy --task tones --classifiers centroid,knn --classifier centroid --output {}/classifier
    config
    config trust {}/project
    plugins
    plugins --available
    list extractors
    list datasets
    list classifiers
    data list
    data fetch ravdess --dry-run
    data show tones
    data verify tones
    weights list
    weights import heavy/strict {}/heavy.pth --accept-licence
    check centroid
    new extractor loud --folder {}
    data remove tones --yes
    plugins isolate serab-plugin-baselines --python {python}
"""


def schemas_in(path: Path) -> set[str]:
    """The schemas that a Python file names."""
    texts = [node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
    return {text for text in map(str, texts) if re.fullmatch(r"serab\.[a-z-]+/\d+", text)}


def test_schemas_are_valid_and_published():
    """Tests of the plugins compare the schemas of their documents with the types."""
    check_published(names())
    of_plugins = set().union(*(schemas_in(path) for path in ROOT.glob("plugins/*/serab_plugin_*/documents.py")))
    assert of_plugins
    assert not of_plugins & set(names())
    assert {path.name for path in PUBLISHED.iterdir()} == {schema_file(name) for name in {*names(), *of_plugins}}


def test_every_schema_in_the_code_of_a_plugin_is_of_a_type():
    """The types are in the module `documents` of the plugin, or in the core. A pack is an HDF5 file."""
    for folder in ROOT.glob("plugins/*/serab_plugin_*"):
        files = {path: schemas_in(path) for path in folder.rglob("*.py")}
        typed = files.pop(folder / "documents.py", set())
        assert set().union(*files.values()) - DOCUMENTS.keys() - {"serab.pack/1"} == typed


SOURCES = [path for path in (ROOT / "serab_core").rglob("*.py") if path.parent.name != "documents"]
BY_GROUP = {"serab.extractors/1", "serab.datasets/1", "serab.classifiers/1"}
"""Written by `serab list` with the name of a group of plugins."""


def test_every_schema_in_the_code_is_registered_and_no_other():
    found = {}
    for path in SOURCES:
        found |= dict.fromkeys(schemas_in(path), path.name)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr) and ast.unparse(node)[2:].startswith("serab.{"):
                assert path.name == "list_.py"
    assert {schema: file for schema, file in found.items() if schema not in DOCUMENTS} == {}
    assert DOCUMENTS.keys() - found.keys() == BY_GROUP


@pytest.mark.standard
def test_real_documents_match_their_schemas(serab, toys, tmp_path, home, monkeypatch):
    """Runs every command with `--json`, and reads every file that it leaves."""
    from serab_toys import tones

    monkeypatch.setattr(settings, "user_config_path", lambda *args, **more: tmp_path / "user")
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)
    monkeypatch.setattr(throughput, "MIN_AUDIO_S", 0.0)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "serab.toml").write_text('engine = "local"\n')
    (tmp_path / "large").write_bytes(b"0" * digests.MIN_CACHED_BYTES)
    digests.known_sha256(tmp_path / "large")
    tones.write(tmp_path / "download")
    (tmp_path / "heavy.pth").write_bytes(b"gain 2.0")
    clips = sorted((tmp_path / "download").rglob("*.wav"))
    rows = [f"{clip},{'ab'[number % 2]},s{number % 6}" for number, clip in enumerate(clips)]
    (tmp_path / "mine.csv").write_text("\n".join(["path,label,speaker", *rows]))
    printed, values = set(), {"result": "", "study": "", "python": sys.executable}
    for line in COMMANDS.split("\n")[1:-1]:
        words = [word.format(tmp_path, **values) for word in line.split()]
        _, out, err = serab(*words, "--json")
        document = json.loads(out)
        printed.add(check_document(document))
        assert document["schema"] != "serab.error/1" or words == ["eval", "nothing"], (words, err)
        if document["schema"] == "serab.eval/2" and document["results"]:
            values["result"] = document["results"][0]["file"]
        if document["schema"] == "serab.studies/1":
            values["study"] = document["studies"][0]["study"]
    assert set(PRINTED) == printed - set(STORED)
    files = [*tmp_path.rglob("*.json")]
    stored = {check_document(json.loads(path.read_text())) for path in files}
    stored |= {check_entries(path.read_bytes()) for path in home.studies.glob("*.h5")}
    # The note of an unfinished download is checked in tests/store/test_download.py; byol's plugin writes the other.
    assert set(STORED) - stored == {"serab.download/1", "serab.extractor-folder/1"}


def check_entries(content: bytes) -> str:
    """Checks the entries of a journal."""
    with h5py.File(io.BytesIO(content), "r") as file:
        for line in file["log"][...].tobytes().decode().split("\n"):
            check_document(json.loads(line), "serab.journal/2")
    return "serab.journal/2"


def test_files_of_an_earlier_version_match_their_schemas(tmp_path):
    with zipfile.ZipFile(FIXTURE) as archive:
        for name in archive.namelist():
            if name.startswith("home/studies/") and name.endswith(".h5"):
                check_entries(archive.read(name))
            elif name.endswith(".json") and (name.startswith(("home/", "classifier/")) or name == "results.json"):
                check_document(json.loads(archive.read(name)))
