"""`serab eval byol-s/512 --tasks emodb` as a whole process against the released steps, on real speech.

tox run -e bench -- benchmarks/test_eval.py

Cold: the home holds only the prepared corpus and the imported weights; kernels are compiled. Warm: every cache is
filled. The peer reads its files from a folder, and does not prepare, hash or store anything.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"
PEER = Path(__file__).with_name("released_steps.py")
SERAB = Path(sys.executable).with_name("serab")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with real speech and weights is not beside the project")
    home = tmp_path_factory.mktemp("home")
    for arguments in (
        ["data", "prepare", "emodb", SHARED / "data" / "emodb.zip"],
        ["weights", "import", "byol-s/512", SHARED / "golden" / "byol_s_512.pth"],
        ["eval", "byol-s/512", "--tasks", "emodb"],  # compiles the kernels
    ):
        run(home, *arguments)
    with zipfile.ZipFile(SHARED / "data" / "emodb.zip") as archive:
        archive.extractall(home / "peer")
    return home


def run(home, *arguments):
    completed = subprocess.run(
        [SERAB, *map(str, arguments)],
        env={**os.environ, "SERAB_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return completed.stdout


def cold(home):
    for folder in ("embeddings", "studies", "results"):
        shutil.rmtree(home / folder, ignore_errors=True)
    return run(home, "eval", "byol-s/512", "--tasks", "emodb", "--details")


@pytest.mark.benchmark(group="eval byol-s/512 on EmoDB, whole process")
@pytest.mark.parametrize("how", ["serab, cold", "serab, warm", "released steps"])
def test_eval(benchmark, home, how):
    if how == "serab, cold":
        out = benchmark.pedantic(lambda: cold(home), rounds=3)
        assert "77.4" in out
    elif how == "serab, warm":
        cold(home)
        benchmark.pedantic(lambda: run(home, "eval", "byol-s/512", "--tasks", "emodb"), rounds=3)
    else:
        command = [sys.executable, PEER, home / "weights" / "byol-s-512.safetensors", home / "peer"]
        out = benchmark.pedantic(lambda: subprocess.run(command, capture_output=True, text=True, check=True), rounds=3)
        assert "81.0" in out.stdout
