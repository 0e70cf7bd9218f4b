"""Metadata of the distributions: one version, licence, types, addresses, links, citation."""

from __future__ import annotations

import datetime
import email
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

import serab_core

ROOT = Path(__file__).parents[1]
PROJECTS = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
IDS = ["serab-core", *(path.name for path in PROJECTS[1:])]
sys.path.insert(0, str(ROOT / "downstream"))
from release import RANGED, compatible_range, release  # noqa: E402

sys.path.pop(0)


def read_project(folder: Path) -> dict:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def build(folder: Path, target: str, output: Path) -> Path:
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(output)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = output.iterdir()
    return built


def read_metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as file:
        (name,) = [name for name in file.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(file.read(name))


@pytest.mark.parametrize("folder", PROJECTS, ids=IDS)
def test_the_wheel_has_licence_types_version_and_addresses(folder, tmp_path):
    wheel = build(folder, "wheel", tmp_path)
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    packages = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    metadata = read_metadata(wheel)
    assert metadata["Version"] == serab_core.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Keywords"]
    assert "Typing :: Typed" in metadata.get_all("Classifier")
    addresses = dict(line.split(", ") for line in metadata.get_all("Project-URL"))
    assert {"Homepage", "Download", "Paper"} <= addresses.keys()
    assert all(address.startswith("https://") for address in addresses.values())
    assert addresses["Homepage"] == read_project(ROOT)["urls"]["Homepage"]


@pytest.mark.parametrize("folder", [ROOT, ROOT / "plugins" / "serab-plugin-baselines"], ids=lambda path: path.name)
def test_a_wheel_is_built_from_a_source_distribution(folder, tmp_path):
    """The file with the version is outside a plugin's folder, and thus not in its source distribution."""
    archive = build(folder, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    unpacked = tmp_path / archive.name.removesuffix(".tar.gz")
    wheel = build(unpacked, "wheel", tmp_path / "wheel")
    assert read_metadata(wheel)["Version"] == serab_core.__version__


@pytest.mark.parametrize("folder", PROJECTS, ids=IDS)
def test_every_distribution_has_the_licence_of_the_repository(folder):
    project = read_project(folder)
    assert project["license-files"] == ["LICENSE"]
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_versions_move_together():
    """No pyproject states a version: all read it from serab_core; the ranges between distributions contain it."""
    wanted = compatible_range(Version(serab_core.__version__))
    for folder in PROJECTS:
        configuration = tomllib.loads((folder / "pyproject.toml").read_text())
        project = configuration["project"]
        assert "version" not in project
        assert project["dynamic"] == ["version"]
        source = folder / configuration["tool"]["hatch"]["version"]["path"]
        assert source.resolve() == ROOT / "serab_core" / "__init__.py"
        extras = project.get("optional-dependencies", {}).values()
        for text in [*project["dependencies"], *(text for extra in extras for text in extra)]:
            if text.startswith("serab-"):
                assert Requirement(text).specifier == Requirement(f"x{wanted}").specifier, text
    texts = [path.read_text() for pattern in RANGED for path in ROOT.glob(pattern)]
    ranges = [own for text in texts for own in re.findall(r"serab-[a-z-]+(?:\[\w+\])?(>=[\d.]+,<[\d.]+)", text)]
    assert len(ranges) > len(PROJECTS)
    assert set(ranges) == {wanted}


def test_one_command_changes_the_version(tmp_path):
    files = ["serab_core/__init__.py", "CITATION.cff", "CHANGELOG.md", "docs/how-to/publishing.md",
             "tests/example_plugin/pyproject.toml"]  # fmt: skip
    for name in [*files, *(str(path.relative_to(ROOT) / "pyproject.toml") for path in PROJECTS)]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    changed = release(tmp_path, Version("7.3.1"), datetime.date(2030, 1, 2))
    assert len(changed) == len(files) + len(PROJECTS)
    assert '__version__ = "7.3.1"' in (tmp_path / "serab_core" / "__init__.py").read_text()
    assert yaml.safe_load((tmp_path / "CITATION.cff").read_text())["version"] == "7.3.1"
    assert "## Unreleased\n\n## 7.3.1 (2030-01-02)\n" in (tmp_path / "CHANGELOG.md").read_text()
    assert "serab-core[standard]>=7.3,<7.4" in (tmp_path / "plugins/serab-plugin-hear/pyproject.toml").read_text()
    assert release(tmp_path, Version("7.3.1"), datetime.date(2030, 1, 3)) == []
    (tmp_path / "CITATION.cff").write_text("title: serab\n")
    with pytest.raises(ValueError, match="has 0 lines"):
        release(tmp_path, Version("7.3.2"), datetime.date(2030, 1, 3))


@pytest.mark.parametrize("folder", PROJECTS, ids=IDS)
def test_links_work_where_the_readme_is_shown_alone(folder):
    """An index such as PyPI shows the long description without the files beside it."""
    text = (folder / read_project(folder)["readme"]).read_text()
    prose = re.sub(r"`[^`\n]*`", "", text)
    links = [*re.findall(r"\]\(<?([^)\s>]+)", prose), *re.findall(r"^\[[^\]]+\]:\s*(\S+)", prose, re.MULTILINE)]
    links += re.findall(r"""\b(?:href|src)=["']([^"']+)""", prose)
    assert [link for link in links if not link.startswith(("https://", "#", "mailto:"))] == []


def test_the_citation_file_names_this_version_and_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == serab_core.__version__
    assert citation["license"] == read_project(ROOT)["license"]
    (paper,) = citation["references"]
    assert paper["doi"] == "10.1109/ICASSP43922.2022.9747348"
    assert paper["identifiers"][0]["value"] == "arXiv:2110.03414"
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Scheidwasser-Clow", "Kegler", "Beckmann", "Cernak"]
