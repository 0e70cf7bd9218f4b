"""`serab_benchmark` and `pytest --serab-bench`: an extractor's speed in an author's own tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TEST = """
def test_speed(serab_benchmark):
    figure = serab_benchmark("toy", seconds=0.5, rounds=3)
    assert figure.clip_s == 0.5
    assert len(figure.samples.seconds) == 3
    assert 0 < figure.ratio < 1000

def test_wrong(serab_benchmark):
    serab_benchmark("toy", seconds=-1.0)
"""


def run(folder, *words):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--benchmark-json=out.json", *words]
    # pytest-benchmark measures nothing where it is told that other tests run beside it.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    return subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)


@pytest.fixture(autouse=True)
def _needed():
    pytest.importorskip("pytest_benchmark", reason="pytest-benchmark is not installed")


def test_the_fixture(toys, tmp_path):
    (tmp_path / "test_it.py").write_text(TEST)
    done = run(tmp_path, "test_it.py")
    assert "1 failed, 1 passed" in done.stdout, done.stdout
    assert "clips must be above 0" in done.stdout
    (own,) = [one for one in json.loads((tmp_path / "out.json").read_text())["benchmarks"] if one["extra_info"]]
    assert own["extra_info"]["extractor"] == "toy"
    assert own["extra_info"]["ratio"] > 0
    assert own["stats"]["rounds"] == 3


def test_without_pytest_benchmark_it_says_what_to_install(toys, tmp_path):
    (tmp_path / "test_it.py").write_text(TEST)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:benchmark", "test_it.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "pip install pytest-benchmark" in done.stdout


def test_the_option(toys, tmp_path):
    (tmp_path / "test_other.py").write_text("def test_other(): pass")
    done = run(tmp_path, "--serab-bench", "toy", "-v")
    assert done.returncode == 0, done.stdout
    for case in ("toy-1s", "toy-3s", "toy-10s", "toy-3s-batch"):
        assert case in done.stdout
    assert "test_other" not in done.stdout  # not asked for
    names = {one["name"] for one in json.loads((tmp_path / "out.json").read_text())["benchmarks"]}
    assert len(names) == 4
    assert run(tmp_path, "--serab-bench", "nobody").returncode == 1
