"""A working folder full of somebody else's code: every command is run in it once, and nothing of it runs.

A test run does all commands in one process. With `SERAB_PLANTED=1` each command has a process of its own, for each way
in which people start serab, and those that start further processes are among them.
"""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from serab_core import names
from serab_core.cli.main import app
from serab_core.data.audformat_tables import read_database
from serab_core.isolation import environments
from tests.faults.conftest import amount

COMMANDS = {
    "eval": ["toy", "toy/wide", "-t", "tones", "-c", "knn", "-j", "1"],
    "bench": ["planted"],
    "check": ["planted"],
    "leaderboard": [],
    "compare": ["toy", "toy/wide"],
    "bias": [],
    "optimism": [],
    "fairness": ["toy"],
    "report": ["--output", "report.html"],
    "export": ["toy", "--task", "tones", "-c", "knn", "--output", "export"],
    "cache ls": [],
    "cache verify": [],
    "cache gc": [],
    "cache export": ["toy", "--task", "tones", "--to", "out.npz"],
    "config": [],
    "config trust": ["--list"],
    "config untrust": [],
    "data add": ["mine", "--audformat", "database"],
    "data remove": ["mine"],
    "data prepare": ["tones", "database"],
    "data fetch": ["tones"],
    "data verify": ["tones"],
    "data show": ["tones"],
    "data list": [],
    "list extractors": [],
    "list datasets": [],
    "list classifiers": [],
    "new extractor": ["planted"],
    "new dataset": ["planted-corpus"],
    "new classifier": ["planted-method"],
    "results ls": [],
    "results export": ["results.json"],
    "results import": ["results.json"],
    "results merge": ["merged", "planted-home"],
    "results card": ["toy"],
    "results schema": [],
    "studies ls": [],
    "studies show": ["a"],
    "weights list": [],
    "weights import": ["heavy", "weights.pt"],
    "weights fetch": ["planted"],
    "plugins": [],
    "plugins isolate": ["planted", "--remove"],
    "hello": [],
}
"""Every command, with arguments that make it look at the folder; commands that fail must fail in words."""
STARTS_PROCESSES = [
    ["eval", "toy", "-t", "tones", "-c", "knn", "--fresh", "-j", "2"],
    ["eval", "toy", "-t", "tones", "-c", "centroid", "--fresh", "-j", "1", "--isolate"],
]
LONG = [["check", "toy"], ["bench", "toy", "--min-seconds", "0.1"], ["plugins", "isolate", "serab-planted"]]
MODULES = sorted(
    {name for name in sys.stdlib_module_names if not name.startswith("_")}
    | {"numpy", "numba", "scipy", "sklearn", "typer", "rich", "optuna", "h5py", "yaml", "pluggy", "pytest", "pip"}
    | {"torch", "serab_planted", "serab_toys", "sitecustomize", "usercustomize", "conftest", "setuptools", "toy"}
)  # fmt: skip
WAYS = {
    "script": (["{script}"], {}),
    "module": (["-m", "serab_core"], {}),
    "empty item of PYTHONPATH": (["{script}"], {"PYTHONPATH": ":{path}"}),
}


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (f"{self.mark}-pickle",)


@pytest.fixture
def planted(prepared_tones, home, tmp_path, monkeypatch):
    """The folder, and the mark that whatever runs there leaves."""
    folder, mark = tmp_path / "working", tmp_path / "mark"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(
            f"open({str(mark)!r}, 'a').write({name + ' '!r})\nraise KeyError({name!r})\n"
        )
    groups = ("extractors", "datasets", "classifiers", "commands", "listeners")
    entries = "".join(f"[serab.{group}]\nplanted = serab_planted\n" for group in groups)
    for info in ("serab_planted-1.0.dist-info", "serab_planted.egg-info"):
        (folder / info).mkdir()
        (folder / info / "entry_points.txt").write_text(f"{entries}[pytest11]\nplanted = serab_planted\n")
        for name in ("METADATA", "PKG-INFO"):
            (folder / info / name).write_text("Metadata-Version: 2.1\nName: serab-planted\nVersion: 1.0\n")
    plant_home(folder / "planted-home", mark)
    (folder / ".numba_config.yaml").write_text(f"cache_dir: {folder}\ncuda_driver: {folder}/driver.so\n")
    (folder / "toy").mkdir()
    described = {"schema": names.FOLDER_SCHEMA, "entry": "heavy"}
    (folder / "toy" / names.FOLDER_FILE).write_text(json.dumps(described))
    (folder / "planted.pth").write_text(f"import os; os.mkdir({str(mark)!r})\n")
    (folder / "weights.pt").write_bytes(pickle.dumps(Bomb(mark)))
    plant_database(folder / "database", mark)
    monkeypatch.delenv("SERAB_CONFIG")
    monkeypatch.delenv("SERAB_HOME")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user" / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user" / "data"))
    (tmp_path / "user" / "data").mkdir(parents=True)
    home.root.rename(tmp_path / "user" / "data" / "serab")
    with socket.create_server(("127.0.0.1", 0)) as scheduler:
        port = scheduler.getsockname()[1]
        text = f'home = "planted-home"\nengine = "dask://127.0.0.1:{port}"\n'
        (folder / "serab.toml").write_text(text)
        (folder / "pyproject.toml").write_text(f"[tool.serab]\n{text}")
        monkeypatch.chdir(folder)
        yield folder, mark
        scheduler.setblocking(False)
        with pytest.raises(BlockingIOError):
            scheduler.accept()


def plant_home(home: Path, mark: Path) -> None:
    folder = home / "isolated" / "serab-planted"
    folder.mkdir(parents=True)
    (folder / "python").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (folder / "python").chmod(0o755)
    record = {"python": "python", "distribution": "serab-planted", "version": "1", "extractors": ["planted"]}
    (folder / environments.FILE).write_text(json.dumps({"schema": "serab.isolated/1", **record}))


def plant_database(folder: Path, mark: Path) -> None:
    """A database in audformat, with a pickle beside its table, as audformat's own reader would open it."""
    folder.mkdir()
    column = "{emotion: {scheme_id: emotion}, speaker: {scheme_id: speaker}}"
    schemes = "schemes: {emotion: {dtype: str}, speaker: {dtype: str}}\n"
    (folder / "db.yaml").write_text(f"name: x\n{schemes}tables: {{files: {{type: filewise, columns: {column}}}}}\n")
    (folder / "db.files.csv").write_text("file,emotion,speaker\na.wav,calm,s1\n")
    for name in ("db.files.pkl", "db.pkl", "db.emotion.pkl"):
        (folder / name).write_bytes(pickle.dumps(Bomb(mark)))


def commands() -> set[str]:
    """The command lines that the application has, without their arguments."""

    def walk(command, path):
        names = getattr(command, "commands", {})
        if not names or command.invoke_without_command:
            yield " ".join(path)
        for name, below in names.items():
            yield from walk(below, (*path, name))

    return {*walk(typer.main.get_command(app), ())} - {""}


def test_no_command_is_forgotten():
    assert commands() == COMMANDS.keys() - {"hello"}  # a plugin's


def start(words: list[str], way: str, folder: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "bin" / "serab"
    script.parent.mkdir(exist_ok=True)
    script.write_text("from serab_core.__main__ import main\nmain()\n")
    python, variables = WAYS[way]
    path = os.pathsep.join(entry for entry in sys.path if entry)
    variables = {name: text.format(path=path) for name, text in {"PYTHONPATH": "{path}", **variables}.items()}
    command = [sys.executable, *(word.format(script=script) for word in python), *words]
    # Python itself imports this module before any of serab's, wherever it finds it.
    (folder / "sitecustomize.py").unlink(missing_ok=True)
    (folder / "usercustomize.py").unlink(missing_ok=True)
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, encoding="utf-8", timeout=300
    )


RUN_ALL = """
import json, sys
from serab_core.cli import main
from serab_core.cli.main import run
for words in json.loads(sys.argv.pop()):
    sys.stderr.write(f"command {words}: {run(words)}\\n")
"""


def test_nothing_planted_runs(planted, tmp_path):
    folder, mark = planted
    lines = [[*name.split(), *words] for name, words in COMMANDS.items()]
    script = tmp_path / "all.py"
    script.write_text(RUN_ALL)
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, str(script), json.dumps(lines)], cwd=folder, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not [path.name for path in tmp_path.glob("mark*")], mark.read_text()
    assert "bug in serab" not in done.stderr
    assert "the setting home is ignored" in done.stderr
    codes = dict(
        line.removeprefix("command ").rsplit(": ", 1) for line in done.stderr.splitlines() if "command [" in line
    )
    assert len(codes) == len(lines)
    for name in ("eval", "check", "data list", "list extractors", "new dataset", "compare", "results export"):
        assert codes[str([*name.split(), *COMMANDS[name]])] == ("3" if name == "check" else "0"), done.stderr


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_started(planted, tmp_path, way):
    folder, mark = planted
    lines = [["list", "extractors"], ["plugins"]]
    if amount("PLANTED", 0):
        lines = [[*name.split(), *words] for name, words in COMMANDS.items()] + STARTS_PROCESSES + LONG
    if way != "script":  # Python's own start imports from the folder before any code of serab does
        for name in MODULES:
            if name in sys.stdlib_module_names:
                (folder / f"{name}.py").unlink()
    for words in lines:
        done = start(words, way, folder, tmp_path)
        assert not [path.name for path in tmp_path.glob("mark*")], (words, mark.read_text(), done.stderr)
        assert "Traceback" not in done.stderr
        assert "bug in serab" not in done.stderr
        if words in STARTS_PROCESSES:
            assert done.returncode == 0, done.stderr
        if words[:2] == ["list", "extractors"]:
            assert "planted" not in done.stdout
            assert done.returncode == 0


def test_the_pickle_is_a_bomb(planted, tmp_path):
    folder, mark = planted
    assert read_database(folder / "database").rows(read_database(folder / "database").tables["files"])
    assert not list(tmp_path.glob("mark*"))
    pickle.loads((folder / "database" / "db.files.pkl").read_bytes())
    assert Path(f"{mark}-pickle").is_dir()
