"""A plugin that changes the process around it does so for its own job only."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys

import numpy as np
import pytest

from serab_core.engine.process_state import preserve_process_state

RUDE = """
import os, random, signal, tempfile
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Rude:
    def embed(self, waveforms):
        os.chdir(tempfile.gettempdir())
        os.environ["OMP_NUM_THREADS"] = "99"
        os.environ["RUDE"] = "1"
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        random.seed(1)
        np.random.seed(1)
        print("chatter")
        return np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("rude", Rude, 2, "changes things", "MIT", citation="@misc{rude}"))
"""


def surroundings():
    return (
        os.getcwd(), dict(os.environ), signal.getsignal(signal.SIGTERM), random.getstate(),
        [part.tolist() if isinstance(part, np.ndarray) else part for part in np.random.get_state()],
    )  # fmt: skip


def test_everything_is_put_back(prepared_tones, add_plugin, serab):
    add_plugin("serab-rude", "serab.extractors", "rude", RUDE)
    before = surroundings()
    code, out, err = serab("eval", "rude", "toy", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1")
    assert code == 0, err
    assert surroundings() == before
    assert "chatter" not in out


ASKS = """
import os, sys
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Asks:
    def embed(self, waveforms):
        assert os.read(0, 10) == b"", "native code read an answer"
        assert sys.stdin.read() == "", "Python read an answer"
        return np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("asks", Asks, 2, "asks questions", "MIT", citation="@misc{asks}"))
"""


@pytest.mark.parametrize("options", [["--jobs", "1"], ["--jobs", "2"], ["--jobs", "1", "--isolate"]])
def test_plugins_find_an_empty_standard_input(prepared_tones, add_plugin, site, options):
    """What is piped into serab, or typed, is no answer to a plugin's question."""
    add_plugin("serab-asks", "serab.extractors", "asks", ASKS)
    words = ["eval", "asks", "--tasks", "tones", "--classifiers", "knn", *options]
    script = f"from serab_core.cli import main; import sys; sys.argv[1:] = {words!r}; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], input="y\n" * 1000, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*sys.path, site]))},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_after_an_error_and_without_the_folder(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    try:
        with preserve_process_state():
            os.environ["NEW"] = "1"
            os.chdir(tmp_path)
            gone.rmdir()
            raise KeyError("x")
    except KeyError:
        pass
    assert "NEW" not in os.environ
    os.chdir(tmp_path)
