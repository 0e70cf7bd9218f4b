"""Fixtures: a small pack, and `serab` as a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from serab_plugin_byol.pretrain.data.pack import pack

from serab_core.report.progress import Silent
from tests.fork_server import ForkedProcess, fork_server

SCRIPT = "from serab_core.cli import main; main()"
COLD = ("-c", SCRIPT)  # a process that imports everything itself
PRELOAD = """
from serab_plugin_byol.pretrain.fit import _without_tensorflow
_without_tensorflow()
import lightning.pytorch, serab_core.cli, serab_plugin_byol.pretrain.module
"""


@pytest.fixture(scope="session")
def packed(tmp_path_factory) -> Path:
    """Return a pack of twelve clips: noise with slow amplitude modulation, different in each clip."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    for n in range(12):
        at = np.arange(int(16_000 * (0.3 + 0.05 * n))) / 16_000
        wave = np.sin(2 * np.pi * (2 + n) * at) * rng.standard_normal(len(at))
        soundfile.write(folder / f"{n}.wav", 0.1 * wave, 16_000)
    pack(sorted(folder.glob("*.wav")), folder / "pack", Silent())
    return folder / "pack"


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """Yield the socket of a process that has imported torch and Lightning, and forks."""
    with fork_server(PRELOAD) as path:
        yield path


@pytest.fixture
def start(request, tmp_path):
    """`start(arguments...)` starts serab in a temporary folder, as a fork of a process that has imported the libraries.

    With a `launcher`, which precedes the arguments, it starts a new Python.
    """
    forked, started = [], []

    def begin(*arguments: object, launcher: tuple[str, ...] = ()) -> ForkedProcess | subprocess.Popen[str]:
        # One thread and no coverage's own files in the way of signals: what is tested is the run, not the machine.
        environment = {**os.environ, "SERAB_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        environment["PYTHONFAULTHANDLER"] = "1"
        words = list(map(str, arguments))
        if not launcher:
            server = request.getfixturevalue("server")
            forked.append(ForkedProcess(server, SCRIPT, words, tmp_path, environment))
            return forked[-1]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = [sys.executable, *launcher, *words]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes))
        return started[-1]

    yield begin
    for process in forked:
        process.close()
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def serab(start):
    """`serab(arguments...)` runs serab to its end and returns exit code, stdout and stderr."""

    def call(*arguments: object, launcher: tuple[str, ...] = ()) -> tuple[int, str, str]:
        process = start(*arguments, launcher=launcher)
        out, errors = process.communicate(timeout=300)
        return process.returncode, out, errors

    return call


@pytest.fixture(scope="session")
def cold() -> tuple[str, ...]:
    """Return the launcher of a process that imports everything itself."""
    return COLD
