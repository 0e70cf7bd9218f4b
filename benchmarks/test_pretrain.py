"""Steps of pre-training AudioNTT 512 on a CPU, on real speech, against a plain transcription of the released loop.

tox run -e bench -- benchmarks/test_pretrain.py

Both are whole processes of 30 steps with 64 segments each. The extra columns are the median of a step in milliseconds,
without the first steps, and, for serab, the per mille of the time that the network waited for data.
"""

from __future__ import annotations

import csv
import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
PEER = Path(__file__).with_name("released_training.py")
SERAB = Path(sys.executable).with_name("serab")
STEPS, BATCH = 30, 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with EmoDB's audio and a pack of it."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech is not beside the project")
    folder = tmp_path_factory.mktemp("training")
    with zipfile.ZipFile(SHARED / "data" / "emodb.zip") as archive:
        archive.extractall(folder / "audio")
    run(folder, SERAB, "pretrain", "pack", folder / "audio", "-o", folder / "pack")
    return folder


def run(folder, *command):
    environment = {**os.environ, "SERAB_HOME": str(folder / "home")}
    completed = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, check=True)
    return completed.stdout


def ours(folder):
    shutil.rmtree(folder / "run", ignore_errors=True)
    run(
        folder, SERAB, "pretrain", "byol-s", "-d", folder / "pack", "-o", folder / "run", "--preset", "byol-s-released",
        "--set", "random_crop=true", "--size", "512", "--batch", BATCH, "--steps", STEPS, "--log-every", "5",
        "--accelerator", "cpu",
    )  # fmt: skip
    with (folder / "run" / "logs" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))[1:]
    steps_per_s = [float(row["steps_per_s"]) for row in rows if row["steps_per_s"]]
    waiting = [float(row["waiting_share"]) for row in rows if row["waiting_share"]]
    return {"ms a step": 1000 / statistics.median(steps_per_s), "waiting, per mille": 1000 * statistics.mean(waiting)}


def peer(folder, workers):
    out = run(folder, sys.executable, PEER, folder / "audio", STEPS, BATCH, workers)
    return {"ms a step": statistics.median(map(float, out.split()[1:]))}


@pytest.mark.benchmark(group="pre-training AudioNTT 512, 30 steps of 64, whole process")
@pytest.mark.parametrize("how", ["serab", "released, 1 worker", "released, 2 workers"])
def test_steps(benchmark, folder, how):
    workers = int(how.split()[1]) if how != "serab" else 0
    figures = benchmark.pedantic(lambda: peer(folder, workers) if workers else ours(folder), rounds=2)
    benchmark.extra_info.update(figures)
