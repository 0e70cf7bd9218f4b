"""SIGKILL at random moments of a study. `SERAB_KILLS=50` for more of them than a test run needs."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from serab_core.store.journal import Hdf5JournalBackend

POINT_S = 0.02
SCRIPT = """
import json, sys, time
from pathlib import Path
import numpy as np
from serab_core.score.metrics import accuracy
from serab_core.tune.points import best_point
from serab_core.tune.study import search
from serab_core.types import ClassifierSpec, Examples, Range

journal, log, trials = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) or None
y = np.arange(100) % 2
data = Examples(np.zeros((100, 1)), y, 2)

class Fitted:
    def __init__(self, params):
        self.right = int(97 * abs(np.sin(37 * params["a"] + 11 * params["b"])))
    def predict(self, X):
        return np.where(np.arange(100) < self.right, y, 1 - y)

class Workspace:
    def fit(self, params):
        time.sleep(float(sys.argv[4]))
        with log.open("a") as file:
            file.write(json.dumps([time.time(), params]) + "\\n")
        return Fitted(params)

spec = ClassifierSpec("killed", "Killed", {"a": tuple(range(8)), "b": tuple(range(8))}, None,
                      wide_space={"a": Range(0, 8), "b": Range(0, 8)})
points = search(spec, Workspace(), data, accuracy, journal=journal, seed=1, advance=lambda n: None, trials=trials)
best = best_point(points)
print(json.dumps([dict(best.params), best.score, [p.score for p in points]]))
"""


def start(folder, trials):
    words = [sys.executable, "-c", SCRIPT, folder / "s.h5", folder / "log", str(trials), str(POINT_S)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def committed(journal) -> int:
    """Trials whose end is on disk."""
    if not journal.exists():
        return 0
    entries = Hdf5JournalBackend(journal).read_logs(0)
    return sum("values" in entry and entry.get("state") in (1, 2, 3) for entry in entries)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize("trials", [0, 40], ids=["grid", "tpe"])
def test_killed_and_resumed(tmp_path, trials):
    whole = tmp_path / "whole"
    whole.mkdir()
    expected = start(whole, trials).communicate(timeout=120)[0]
    total = len((whole / "log").read_text().splitlines())
    assert total == (trials or 64)
    rng = random.Random(0)
    kills, folder, repeated, last = 0, None, [], 0
    while kills < int(os.environ.get("SERAB_KILLS", "6")):
        if folder is None:
            folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            last = 0
        process = start(folder, trials)
        before = (folder / "log").read_text().splitlines() if (folder / "log").exists() else []
        while process.poll() is None and not (folder / "log").exists():
            time.sleep(0.005)
        time.sleep(rng.uniform(0.0, 1.6))
        process.kill()
        out = process.communicate(timeout=60)[0]
        if process.returncode == 0:  # it had ended before
            assert out == expected
            folder = None
            continue
        kills += 1
        kept = committed(folder / "s.h5")
        assert kept >= last, "a committed trial was lost"
        log = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
        # Finished since the last start, and not on disk: that work is done again, and is less than a second of it.
        repeated.append((len(log) - len(before) + last - kept) * POINT_S)
        last = kept
        if rng.random() < 0.4:
            assert start(folder, trials).communicate(timeout=120)[0] == expected
            runs = len((folder / "log").read_text().splitlines())
            assert runs >= total
            folder = None
    assert max(repeated) <= 1.0
