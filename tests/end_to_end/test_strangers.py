"""Plugins from outside the tree, built as wheels and installed into a fresh environment beside our own wheels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = {
    "serab_core": ROOT,
    "serab_plugin_classifiers": ROOT / "plugins" / "serab-plugin-classifiers",
    "serab_plugin_datasets": ROOT / "plugins" / "serab-plugin-datasets",
    "serab_plugin_example": ROOT / "tests" / "example_plugin",
    "serab_plugin_broken": ROOT / "tests" / "broken_plugin",
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory) -> dict[str, Path]:
    pytest.importorskip("scipy", reason="the demo corpus and the classifiers need scipy")
    folder = tmp_path_factory.mktemp("wheels")
    for source in DISTRIBUTIONS.values():
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([*command, "-w", str(folder), str(source)], check=True, timeout=120)
    return {name: next(folder.glob(f"{name}-*.whl")) for name in DISTRIBUTIONS}


@pytest.fixture(scope="module")
def venv(wheels, tmp_path_factory) -> Path:
    """A fresh environment: third-party libraries come from ours by a path file, everything of serab's from wheels."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for wheel in wheels.values():
        target = ["--target", str(site), "--no-deps", "--no-index", "--no-compile"]
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", *target, str(wheel)], check=True, timeout=120)
    ours = Path(sysconfig.get_path("purelib"))
    # A copy of the third-party part alone, by links: editable installs and their metadata must not shine through.
    libraries = tmp_path_factory.mktemp("libraries")
    for entry in ours.iterdir():
        if not entry.name.startswith(("serab", "_serab", "__editable__", "_editable")) and entry.suffix != ".pth":
            (libraries / entry.name).symlink_to(entry)
    (site / "libraries.pth").write_text(f"{libraries}\n")
    return folder


@pytest.fixture
def serab(venv, tmp_path):
    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "COVERAGE_PROCESS_START")}
        clean |= {"SERAB_HOME": str(tmp_path / "home"), "COLUMNS": "100", **environment}
        python = venv / "bin" / "python"
        command = [str(python), "-c", "from serab_core.cli import main; main()", *words]
        return subprocess.run(
            command, capture_output=True, text=True, env=clean, cwd=tmp_path, timeout=300, check=False
        )

    return call


def test_the_wheel_holds_what_it_must(wheels):
    names = set(zipfile.ZipFile(wheels["serab_core"]).namelist())
    for name in (
        "serab_core/py.typed",
        "serab_registry/py.typed",
        "serab_registry/catalog.toml",
    ):
        assert name in names
    assert not [name for name in names if name.split("/")[0] in ("tests", "plugins", "benchmarks", "registry", "docs")]
    lists = zipfile.ZipFile(wheels["serab_plugin_datasets"]).namelist()
    assert "serab_plugin_datasets/lists/emodb.csv" in lists


@pytest.mark.standard
def test_a_strangers_plugin_is_found_and_evaluated_and_a_broken_one_harms_nobody(serab, venv):
    done = serab("eval", "example", "--classifiers", "lda,lr", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (result,) = document["results"]
    assert (result["extractor"], result["task"], result["synthetic"]) == ("example", "demo", True)
    assert result["accuracy"] > 0.4  # chance is a quarter
    assert "No corpus is prepared, so this run uses demo" in document["notices"][1]
    stored = json.loads(Path(result["file"]).read_text())
    assert stored["provenance"]["plugins"]["serab-plugin-example"] == "3.2.1"

    listed = json.loads(serab("plugins", "--json").stdout)["plugins"]
    states = {(p["group"], p["name"]): p for p in listed}
    assert states["serab.extractors", "example"]["state"] == "loaded"
    assert str(venv) in states["serab.extractors", "example"]["file"]
    for key in (("serab.extractors", "broken"), ("serab.trackers", "broken-tracker")):
        assert states[key]["state"] == "failed"
        assert states[key]["error"] == "SystemExit: this plugin ends the process that imports it"
        assert states[key]["distribution"] == "serab-plugin-broken"

    broken = serab("eval", "broken")
    assert broken.returncode == 4
    assert "from serab-plugin-broken 0.0.1" in " ".join(broken.stderr.split())
    assert "Traceback" not in broken.stderr
    assert serab("list", "extractors").returncode == 0
    switched_off = serab("plugins", "--json", SERAB_DISABLE_PLUGINS="serab-plugin-broken")
    assert {p["state"] for p in json.loads(switched_off.stdout)["plugins"] if "broken" in p["name"]} == {"disabled"}


def test_the_suggested_plugin_is_named_where_it_is_not_installed(serab):
    missing = serab("eval", "opensmile")
    assert missing.returncode == 3
    assert "pip install serab-plugin-opensmile" in " ".join(missing.stderr.split())
