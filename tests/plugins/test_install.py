"""Environments that plugins have to themselves, as `serab plugins isolate` makes them; with pip, and no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import serab_core
from serab_core import plugins
from serab_core.isolation import environments
from serab_core.plugins import install

CODE = """
import lonely_library
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Lonely:
    def embed(self, waveforms):
        return np.array([[len(wave), lonely_library.FACTOR * np.abs(wave).sum()] for wave in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec(name="lonely", factory=Lonely, dim=2, summary="alone", licence="none",
                           libraries=("lonely-library",)))
"""


def wheel(folder: Path, name: str, version: str, files: dict[str, str], requires=(), entry_points: str = "") -> Path:
    """A wheel, by hand."""
    stem = f"{name.replace('-', '_')}-{version}"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    info = {
        "METADATA": head + "".join(f"Requires-Dist: {own}\n" for own in requires),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: by hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": entry_points,
    }
    contents = {**files, **{f"{stem}.dist-info/{key}": value for key, value in info.items()}}
    record = "".join(f"{path},,\n" for path in [*contents, f"{stem}.dist-info/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for own, content in {**contents, f"{stem}.dist-info/RECORD": record}.items():
            file.writestr(own, content)
    return path


@pytest.fixture
def wheels(tmp_path, monkeypatch, site):
    """An index with a plugin, the library that it needs, and a serab-core that is this one."""
    folder = tmp_path / "wheels"
    seen = [path for path in map(os.path.abspath, sys.path) if os.path.isdir(path) and path != str(site)]
    lines = "".join(f"{path}\n" for path in dict.fromkeys(seen))
    wheel(folder, "serab-core", serab_core.__version__, {"this.pth": lines})
    wheel(folder, "lonely-library", "3.1", {"lonely_library.py": "FACTOR = 2.0\n"})
    points = "[serab.extractors]\nlonely = serab_lonely\n"
    wheel(folder, "serab-lonely", "0.4", {"serab_lonely.py": CODE}, ("serab-core", "lonely-library"), points)
    wheel(folder, "no-plugin", "1", {"no_plugin.py": ""}, ("serab-core",))
    broken = {"serab_broken.py": "raise ImportError('needs a moon')\n"}
    wheel(folder, "serab-broken", "1", broken, ("serab-core",), "[serab.extractors]\nbroken = serab_broken\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    monkeypatch.setattr(install, "_of_installed", lambda name: [f"{name}=={serab_core.__version__}"])
    monkeypatch.setattr(install, "_local_plugins", lambda: "")
    return folder


def test_a_plugin_in_an_environment_of_its_own(wheels, toys, prepared_tones, serab, home):
    """It is not installed here, nor is the library that it needs."""
    code, _, err = serab("eval", "lonely", "--tasks", "tones")
    assert code == 3, err
    code, out, err = serab("plugins", "isolate", "serab-lonely", "--json")
    assert code == 0, err
    made = json.loads(out)
    assert (made["distribution"], made["version"]) == ("serab-lonely", "0.4")
    assert made["extractors"] == ["lonely"]
    assert Path(made["python"]).is_relative_to(home.root / "isolated" / "serab-lonely")

    words = ("--tasks", "tones", "--classifiers", "centroid", "--jobs", "2", "--json")
    code, out, err = serab("eval", "lonely", "toy", *words)
    assert code == 0, err
    told = json.loads(out)
    assert [own["extractor"] for own in told["results"]] == ["lonely", "toy"]
    file = json.loads(Path(told["results"][0]["file"]).read_text())
    assert file["provenance"]["fingerprint"]["libraries"] == {"lonely-library": "3.1"}
    assert file["provenance"]["runs_in"]["environment"] == "serab-lonely"
    assert "lonely_library" not in sys.modules

    _, out, _ = serab("list", "extractors", "--json")
    assert "lonely" in {own["name"] for own in json.loads(out)["extractors"]}
    _, out, _ = serab("plugins", "--no-load", "--json")
    assert json.loads(out)["isolated"][0]["distribution"] == "serab-lonely"
    _, out, _ = serab("plugins", "--no-load")
    assert "serab-lonely 0.4, in its own environment" in out
    assert "lonely" in plugins.extractor_names()
    code, _, err = serab("cache", "gc")
    assert code == 0, err
    assert any(home.embeddings.rglob("*.h5"))

    code, out, _ = serab("plugins", "isolate", "lonely", "--remove")
    assert code == 0
    assert "Removed: serab-lonely" in out
    assert not (home.root / "isolated" / "serab-lonely").exists()
    code, _, err = serab("plugins", "isolate", "lonely", "--remove")
    assert code == 3, err


def test_a_wheel_by_its_path(wheels, serab, home):
    path = next(wheels.glob("serab_lonely*.whl"))
    code, _, err = serab("plugins", "isolate", str(path))
    assert code == 0, err
    assert environments.find("lonely")[0].name == "serab-lonely"


def test_what_cannot_be_isolated(wheels, serab, home, tmp_path):
    def refused(*words: str) -> tuple[int, str]:
        code, _, err = serab("plugins", "isolate", *words)
        assert not list((home.root / "isolated").glob("*"))
        return code, " ".join(err.split())

    code, words = refused("no-such-thing")
    assert code == 4
    assert "pip could not install it" in words
    assert "PIP_INDEX_URL" in words
    code, words = refused("no-plugin")
    assert code == 4
    assert "no-plugin: has no extractor" in words
    code, words = refused("serab-broken")
    assert code == 4
    assert "needs a moon" in words
    code, words = refused("not a name")
    assert code == 2
    assert "neither a distribution nor a folder" in words
    code, words = refused(str(tmp_path))
    assert code == 2
    assert "is not a distribution" in words
    code, words = refused("serab-lonely", "--python", str(tmp_path / "nowhere"))
    assert code == 4
    assert "cannot be started" in words


@pytest.fixture
def foreign(tmp_path, wheels):
    """An environment that the user made, with the plugin in it."""
    folder = tmp_path / "foreign"
    venv.EnvBuilder(with_pip=False).create(folder)
    python = environments.interpreter_in(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    for path in wheels.glob("*onely*.whl"):
        zipfile.ZipFile(path).extractall(packages)
    zipfile.ZipFile(next(wheels.glob("serab_core*"))).extract("this.pth", packages)
    return python


def test_an_environment_that_is_there_already(foreign, serab, home, toys, prepared_tones):
    code, out, err = serab("plugins", "isolate", "serab-lonely", "--python", str(foreign))
    assert code == 0, err
    assert "serab-lonely 0.4 is installed in its own environment" in out
    code, out, err = serab("eval", "lonely", "--tasks", "tones", "--classifiers", "centroid", "--json", "--offline")
    assert code in (0, 2), err
    code, out, err = serab("eval", "lonely", "--tasks", "tones", "--classifiers", "centroid", "--json")
    assert code == 0, err
    shutil.rmtree(foreign.parents[1])
    code, out, _ = serab("plugins", "--no-load")
    assert "does not exist any more" in " ".join(out.split())
    code, _, err = serab("eval", "lonely", "--tasks", "tones")
    assert code == 3, err


def test_records_that_do_not_hold(foreign, serab, home, monkeypatch):
    assert serab("plugins", "isolate", "serab-lonely", "--python", str(foreign))[0] == 0
    record = home.root / "isolated" / "serab-lonely" / "isolated.json"
    content = record.read_text()
    shutil.copytree(record.parent, record.parents[1] / "another")
    code, _, err = serab("eval", "lonely")
    assert code == 4
    assert "several environments have lonely" in " ".join(err.split())
    shutil.rmtree(record.parents[1] / "another")
    for damaged in ("", "[]", "{}", content.replace("isolated/1", "isolated/9"), content[:-20]):
        record.write_text(damaged)
        code, out, _ = serab("plugins", "--no-load")
        assert code == 0
        assert re.search(r"isolated\.json (is|has)", " ".join(out.split()))
        assert serab("eval", "lonely")[0] == 3
    record.write_text(content)
    monkeypatch.setattr(serab_core, "__version__", "9.9")
    code, _, err = serab("eval", "lonely")
    assert code == 4
    assert "its environment has serab" in " ".join(err.split())
    assert "serab plugins isolate serab-lonely" in " ".join(err.split())


def test_one_that_is_killed_leaves_nothing(wheels, home, tmp_path):
    """A half-made environment does not count, and the next one clears it away."""
    environment = {**os.environ, "SERAB_HOME": str(home.root)}
    code = "from serab_core.cli import main; main()"
    command = [sys.executable, "-c", code, "plugins", "isolate", "serab-lonely"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while not list((home.root / "isolated").glob(".*.part-*/lib")):
        assert process.poll() is None
    process.kill()
    process.wait()
    assert environments.environments() == []
    code = "import serab_core.plugins.install as own; own._of_installed = lambda n: [f'{n}==" + serab_core.__version__
    code += "']; own._local_plugins = lambda: ''; from serab_core.cli import main; main()"
    subprocess.run([sys.executable, "-c", code, "plugins", "isolate", "serab-lonely"], env=environment, check=True)
    assert [path.name for path in (home.root / "isolated").iterdir()] == ["serab-lonely"]


def test_what_is_installed_is_told_to_pip_as_it_is(site):
    def installed(name: str, origin: dict | None) -> list[str]:
        info = site / f"{name}-2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 2\n")
        if origin is not None:
            (info / "direct_url.json").write_text(json.dumps(origin))
        return install._of_installed(name)

    assert installed("one", None) == ["one==2"]
    assert installed("two", {"url": "file:///a%20b", "dir_info": {"editable": True}}) == ["-e", "/a b"]
    assert installed("three", {"url": "file:///a/b", "dir_info": {}}) == ["/a/b"]
    git = {"url": "https://example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}
    assert installed("four", git) == ["four @ git+https://example.org/x.git@abc"]
    archive = {"url": "https://example.org/x.whl", "archive_info": {}}
    assert installed("five", archive) == ["five @ https://example.org/x.whl"]
