"""Fixtures: a home of its own for every test, and toy plugins that are found as installed ones are."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path

import pytest

from serab_core import plugins
from serab_core.report.progress import Silent
from serab_core.store.home import Home
from serab_core.system.session import Session, set_process_session

pytest_plugins = ["tests.results_fixtures"]
TOYS = Path(__file__).parent / "toys"
SHARED = Path(__file__).parents[2] / "shared"


def pytest_configure(config):
    config.addinivalue_line("markers", "standard: needs the plugins of serab-core[standard] and openSMILE")


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No test sees the user's home or switches, or another test's plugins."""
    for variable in ("SERAB_DISABLE_PLUGINS", "SERAB_NO_PLUGINS", "SERAB_ISOLATE", "SERAB_INTERFACE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("SERAB_CONFIG", "")
    session = Session()
    before = set_process_session(session)
    yield
    session.close()
    set_process_session(before)
    assert _with_hints(tmp_path / "home") == []
    for name, module in list(sys.modules.items()):
        if name.startswith("serab_toys") or str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def _with_hints(folder: Path) -> list[Path]:
    """The stored documents that name a command, which another interface may read later."""
    found = []
    with contextlib.suppress(OSError):  # some tests take rights away
        for path in folder.rglob("*.json*"):
            with contextlib.suppress(OSError):
                found += [path] if path.is_file() and b"`serab" in path.read_bytes() else []
    return found


def install(folder: Path, name: str, version: str, entry_points: str) -> None:
    """Writes the metadata by which a distribution counts as installed in `folder`."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(entry_points)


@pytest.fixture
def site(monkeypatch, tmp_path):
    """A folder of installed packages, seen by this process and its workers."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def toys(site, monkeypatch):
    """The toy plugins, installed."""
    monkeypatch.syspath_prepend(str(TOYS))
    monkeypatch.setenv("PYTHONPATH", f"{site}:{TOYS}")
    install(site, "serab-toys", "1.2", (TOYS / "entry_points.txt").read_text())
    return site


@pytest.fixture
def add_plugin(site):
    """`add_plugin(dist, group, name, code)` installs a distribution of one module."""

    def add(dist: str, group: str, name: str, code: str, version: str = "0.1") -> str:
        module = dist.replace("-", "_") + "_" + name.replace("-", "_")
        (site / f"{module}.py").write_text(code)
        install(site, dist, version, f"[{group}]\n{name} = {module}\n")
        return module

    return add


@pytest.fixture
def home(tmp_path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def quiet() -> Silent:
    return Silent()


@pytest.fixture
def tones_folder(toys, tmp_path):
    """A whole copy of the toy corpus in a folder."""
    from serab_toys import tones

    folder = tmp_path / "download"
    tones.write(folder)
    return folder


@pytest.fixture
def prepared_tones(tones_folder, home, quiet):
    """The toy corpus, prepared."""
    from serab_core.data.prepare import prepare

    return prepare(plugins.dataset("tones"), [tones_folder], home, quiet)


@pytest.fixture
def serab(capsys):
    """`serab(*words)` runs a command line in this process and returns (exit code, stdout, stderr)."""
    from serab_core.cli.main import run

    def call(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(list(words))
        out, err = capsys.readouterr()
        if "--json" in words and out.startswith("{"):
            document = json.loads(out)
            if document.get("schema", "").startswith("serab."):  # every document that a test prints is of its type
                from tests.documents import check_document

                check_document(document)
        return code, out, err

    return call


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real speech and golden values beside the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and golden values is not beside the project")
    return SHARED
