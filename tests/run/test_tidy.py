"""A plugin that changes the process around it does so for its own job only."""

from __future__ import annotations

import os
import random
import signal

import numpy as np

from serab_core.run.tidy import surroundings_kept

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


def test_after_an_error_and_without_the_folder(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    try:
        with surroundings_kept():
            os.environ["NEW"] = "1"
            os.chdir(tmp_path)
            gone.rmdir()
            raise KeyError("x")
    except KeyError:
        pass
    assert "NEW" not in os.environ
    os.chdir(tmp_path)
