"""The command in unusual places: a deleted folder, other encodings, `python -m`, no compiler, other threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache

import pytest

GONE = "import os, sys; os.rmdir(os.getcwd()); from serab_core.cli import main; sys.argv[0] = 'serab'; main()"


@pytest.fixture
def command(toys, tmp_path):
    """`command(*words)` runs `python *words` in a folder of its own."""

    def call(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "working"
        folder.mkdir(exist_ok=True)
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment}
        return subprocess.run(
            [sys.executable, *words], cwd=folder, env=variables, capture_output=True, timeout=60,
            encoding=environment.get("PYTHONIOENCODING", "utf-8"),
        )  # fmt: skip

    return call


def test_python_m(command):
    done = command("-m", "serab_core", "--version")
    assert (done.returncode, done.stdout[:6]) == (0, "serab ")


@pytest.mark.parametrize("words", [("config",), ("cache", "ls"), ("list", "extractors", "--json"), ("plugins",)])
def test_commands_without_relative_paths_work_in_a_deleted_folder(command, words):
    done = command("-c", GONE, *words)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("word", ["./mine", "hf:./mine"])
def test_relative_paths_in_a_deleted_folder(command, word):
    pytest.importorskip("serab_plugin_transformers")
    done = command("-c", GONE, "eval", word, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["what"] == "is a relative path, and the working folder is deleted"


def test_what_else_needs_the_deleted_folder_is_told(tmp_path, monkeypatch):
    from serab_core.errors import unforeseen

    error = FileNotFoundError(2, "No such file or directory")
    assert "bug in serab" in str(unforeseen(error))
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert "the working folder is deleted, and a function needs it" in str(unforeseen(error))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_json_is_json_in_every_encoding(command, encoding):
    script = "from serab_core.cli.output import print_json; print_json({'name': 'Emoç ãé 語'})"
    done = command("-c", script, PYTHONIOENCODING=encoding)
    assert json.loads(done.stdout) == {"name": "Emoç ãé 語"}
    script = "from serab_core.cli.main import run; print(run(['eval', 'ç語']), run(['eval', 'ç', '--json']))"
    done = command("-c", script, PYTHONIOENCODING=encoding)
    assert "3 3" in done.stdout, done.stderr


def test_numba_switched_off(command):
    script = "import numpy as np; from serab_core.audio.mel.compute import log_mel; log_mel(np.ones(9000, np.float32))"
    done = command("-c", script, NUMBA_DISABLE_JIT="1")
    assert "NUMBA_DISABLE_JIT: Numba's compilation is disabled" in done.stderr
    assert "Next: unset it" in done.stderr


END = """
import sys, time, threading
from concurrent.futures import ThreadPoolExecutor
from serab_core.cli import main
if sys.argv.pop() == "stuck":
    threading.Thread(target=time.sleep, args=(60,), name="model").start()
pool = ThreadPoolExecutor(2)
pool.submit(print).result()
main()
"""


def test_idle_threads_of_a_pool_are_not_waited_for(command):
    done = command("-c", END, "--version", "idle")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_thread_that_is_stuck_is_named_and_left(command):
    begin = time.monotonic()
    done = command("-c", END, "--version", "stuck")
    assert "serab ended although a plugin left a thread running (model)" in done.stderr
    assert "serab 0" in done.stdout
    assert (done.returncode, time.monotonic() - begin < 30) == (0, True)


@pytest.mark.parametrize(
    ("word", "step"), [("./my_model.py", "hear:"), ("my_model.py", "hear:"), ("./cnn.pt", "hear:MODULE=")]
)
def test_a_file_of_a_model(toys, serab, tmp_path, monkeypatch, word, step):
    monkeypatch.chdir(tmp_path)
    (tmp_path / word).write_text("")
    code, _, err = serab("eval", word)
    assert code == 2
    assert "is a file, but an extractor is a name or a folder" in err
    assert f"{step}{tmp_path / word}" in err
    assert "serab new extractor" in err


@pytest.mark.parametrize("word", ["hf:org/name", "hf:./folder+layer=3", "hear:module", "hear:./my_model.py"])
def test_a_prefix_names_its_distribution(monkeypatch, word):
    from serab_core import hookspecs, plugins
    from serab_core.errors import UnknownNameError
    from serab_core.plugins import entry_points
    from serab_core.plugins.entry_points import Group, PluginRegistry

    registry = PluginRegistry(hookspecs, item_type=entry_points._spec_class, find=lambda: ())
    for module in (plugins, entry_points):
        monkeypatch.setattr(module, "registry", cache(lambda: registry))
    wanted = "serab-plugin-transformers" if word.startswith("hf:") else "serab-plugin-hear"
    with pytest.raises(UnknownNameError, match=f"pip install {wanted}"):
        plugins.extractor(word)
    assert not registry.records(Group.EXTRACTORS)
