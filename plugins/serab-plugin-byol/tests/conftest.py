"""Fixtures: a small pack, and `serab` as a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from serab_plugin_byol.pretrain.data.pack import pack

from serab_core.report.progress import Silent

SERAB = ("-c", "from serab_core.cli import main; main()")


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


@pytest.fixture
def start(tmp_path):
    """`start(arguments...)` starts serab in a temporary folder; `launcher` precedes its arguments."""
    running = []

    def begin(*arguments: object, launcher: tuple[str, ...] = SERAB) -> subprocess.Popen[str]:
        # One thread and no coverage's own files in the way of signals: what is tested is the run, not the machine.
        environment = {**os.environ, "SERAB_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        environment["PYTHONFAULTHANDLER"] = "1"
        command = [sys.executable, *launcher, *map(str, arguments)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        running.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **pipes))
        return running[-1]

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture
def serab(start):
    """`serab(arguments...)` runs serab to its end and returns exit code, stdout and stderr."""

    def call(*arguments: object, launcher: tuple[str, ...] = SERAB) -> tuple[int, str, str]:
        process = start(*arguments, launcher=launcher)
        out, errors = process.communicate(timeout=300)
        return process.returncode, out, errors

    return call
