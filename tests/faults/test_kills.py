"""SIGKILL at random moments of an evaluation; each is resumed, and ends with the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from serab_core.data.manifest import read_manifest
from serab_core.data.prepare import prepare_files
from serab_core.data.user_corpus import user_dataset
from serab_core.embed.embedder import REPEATED_UTTERANCES
from tests.faults.conftest import amount
from tests.run.test_evaluate import stored

LOGGED = """
import os
import time
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Logged:
    def __init__(self, scale):
        self.scale = scale

    def embed(self, waveforms):
        time.sleep(0.004 * len(waveforms))
        with open(os.environ["LOG"], "a") as file:
            file.write(f"{self.scale} {len(waveforms)}\\n")
        return np.array([[np.abs(w).mean(), w.std(), len(w) / 1e4, self.scale] for w in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    for scale in (1, 2):
        register(ExtractorSpec(f"logged/{scale}", lambda s=scale: Logged(s), 4, "logs", "MIT", batch_size=8,
                               parameters={"scale": scale}, citation="@misc{logged}"), default=scale == 1)
"""
COMMAND = [
    sys.executable, "-c", "from serab_core.cli import main; main()", "eval", "logged/1", "logged/2", "--tasks",
    "tones,again", "--classifiers", "centroid,knn", "--jobs",
]  # fmt: skip
UTTERANCES, BLOCK = 54, 32


@pytest.fixture
def two_tasks(prepared_tones, add_plugin, home, tones_folder, quiet):
    """The toy corpus, and another one of all but its first file, so that no block is shared."""
    add_plugin("serab-logged", "serab.extractors", "logged", LOGGED)
    rows = [
        f"{file.relative_to(tones_folder)},{file.stem.split('_')[1]},{file.stem[0]}x"
        for file in tones_folder.rglob("*.wav")
    ]
    manifest = tones_folder / "again.csv"
    manifest.write_text("\n".join(["path,label,speaker", *sorted(rows)[1:]]))
    corpus = read_manifest(manifest)
    prepare_files(user_dataset("again", corpus, "und"), [e.file for e in corpus.entries], "again", home, quiet)
    return home


def start(home: Path, log: Path, jobs: str, protocol: str = "serab") -> subprocess.Popen:
    environment = {**os.environ, "SERAB_HOME": str(home), "LOG": str(log)}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*COMMAND, jobs, "--protocol", protocol], env=environment, start_new_session=True, **pipes)


def embedded(log: Path) -> int:
    return sum(int(line.split()[1]) for line in log.read_text().splitlines()) if log.exists() else 0


def reset(home) -> None:
    for room in (home.embeddings, home.studies, home.results):
        shutil.rmtree(room, ignore_errors=True)


@pytest.mark.parametrize(("jobs", "protocol"), [("1", "serab"), ("2", "serab"), ("2", "loso")])
def test_killed_at_any_moment_and_resumed(two_tasks, tmp_path, jobs, protocol, report_fault):
    home, log = two_tasks, tmp_path / "log"
    begin = time.monotonic()
    process = start(home.root, log, jobs, protocol)
    assert process.wait(180) == 0, process.stderr.read()
    process.stderr.close()
    length = time.monotonic() - begin
    expected, needed = stored(home), embedded(log)
    # Before a fingerprint is trusted, each task that waits for it has a few utterances embedded a second time.
    once = 2 * (UTTERANCES + UTTERANCES - 1)
    assert once + 2 * REPEATED_UTTERANCES <= needed <= once + 4 * REPEATED_UTTERANCES
    rng, kills = random.Random(7), amount("KILLS", 4) // 2
    inside = lost = again = 0
    for _ in range(kills):
        reset(home)
        log.unlink(missing_ok=True)
        killed = start(home.root, log, jobs, protocol)
        try:
            killed.wait(rng.uniform(0.1, 1.0) * length)
        except subprocess.TimeoutExpired:
            os.killpg(killed.pid, signal.SIGKILL)
            inside += 1
        killed.wait()
        killed.stderr.close()
        resumed = start(home.root, log, jobs, protocol)
        assert resumed.wait(180) == 0, resumed.stderr.read()
        resumed.stderr.close()
        found = stored(home)
        lost += sum(found.get(name) != content for name, content in expected.items())
        again = max(again, embedded(log) - needed)
        assert found == expected
        assert not list(home.root.rglob(".*.part-*"))
        # What was under way is done again: at most a block for each worker, and the second embeddings.
        assert embedded(log) - needed <= int(jobs) * BLOCK + 4 * REPEATED_UTTERANCES
    report_fault(
        f"SIGKILL, {jobs} jobs, {protocol}", runs=kills, killed_before_the_end=inside, files_lost_or_changed=lost,
        most_utterances_embedded_again=again,
    )  # fmt: skip


def test_many_at_once_on_one_home(two_tasks, tmp_path, report_fault):
    home, count = two_tasks, amount("CONCURRENT", 3)
    alone = start(home.root, tmp_path / "log", "1")
    assert alone.wait(180) == 0
    alone.stderr.close()
    expected = stored(home)
    reset(home)
    running = [start(home.root, tmp_path / f"log-{number}", "1") for number in range(count)]
    for process in running:
        assert process.wait(300) == 0, process.stderr.read()
        process.stderr.close()
    assert stored(home) == expected
    assert not list(home.root.rglob("*.bad-*"))
    report_fault("evals at once on one home", runs=count, files_lost_or_changed=0)
