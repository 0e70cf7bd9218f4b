"""Compilation, its cache, and processors with narrower vectors, each in a separate process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import pytest

SCRIPT = """
import sys, time
import numba
begin = time.perf_counter()
import numpy as np
from serab_core.audio.mel import NAMED, log_mel
from serab_core.audio.mel.reference import reference_log_mel
samples = (np.random.default_rng(0).standard_normal(5000) * 0.1).astype(np.float32)
worst = max(np.abs(log_mel(samples, spec) - reference_log_mel(samples, spec)).max() for spec in NAMED.values())
from serab_core.audio.mel.simd import LANES
print(LANES, worst < 5e-6, time.perf_counter() - begin)
"""


def run(cache, **variables: str) -> tuple[list[str], str]:
    environment = {**os.environ, "SERAB_KERNEL_CACHE": str(cache), **variables}
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
    )
    return process.stdout.split(), process.stderr


@pytest.mark.parametrize(
    ("features", "lanes"), [("+avx,+avx2,+fma,+sse4.2,+popcnt", "8"), ("+sse2,+sse3,+ssse3,+sse4.1", "4")]
)
def test_narrower_vectors(features, lanes, tmp_path):
    out, _ = run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES=features)
    assert out[:2] == [lanes, "True"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Return a folder in which two processes at once compiled the kernels, and the outcomes of both."""
    folder = tmp_path_factory.mktemp("compiled")
    environment = {**os.environ, "SERAB_KERNEL_CACHE": str(folder)}
    both = [
        subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=-1, stderr=-1, text=True, env=environment)
        for _ in range(2)
    ]
    results = [process.communicate(timeout=300) for process in both]
    return folder, [(process.returncode, *result) for process, result in zip(both, results, strict=True)]


def test_two_at_once_compile_once(compiled):
    _, outcomes = compiled
    assert [(code, out.split()[1]) for code, out, _ in outcomes] == [(0, "True"), (0, "True")]
    (said,) = [err for _, _, err in outcomes if "once" in err]
    assert "compiling its kernels (log-mel) for this processor, once" in said


def test_compiled_once_then_loaded(compiled):
    cache, _ = compiled
    out, err = run(cache)
    assert (out[1], err) == ("True", "")
    folder = next((cache / "kernels").iterdir())
    assert {"lock", "done"} <= {path.name for path in folder.iterdir()}


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "kernels").write_text("a file where a folder should be")
    out, err = run(tmp_path)
    assert out[1] == "True"
    assert "no cache can be written" in err


def test_a_damaged_cache_is_compiled_anew(compiled, tmp_path):
    cache, _ = compiled
    shutil.copytree(cache, tmp_path, dirs_exist_ok=True)
    assert run(tmp_path)[1] == ""  # loaded, until it is damaged
    folder = next((tmp_path / "kernels").iterdir())
    for path in folder.rglob("*.nb[ic]"):
        path.write_bytes(b"junk")
    started = time.monotonic()
    out, _ = run(tmp_path)
    assert out[1] == "True"
    assert time.monotonic() - started < 120


@pytest.mark.parametrize("mode", [0o777, 0o1777])
@pytest.mark.parametrize("place", ["folder", "parent"])
def test_compiled_code_that_others_can_write_is_not_loaded(tmp_path, monkeypatch, mode, place):
    """Numba's files are pickles."""
    from serab_core.system.kernel_cache import VARIABLE, Kernels

    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert Kernels("x")._obstacle == ""
    folder = Kernels("x").folder
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder if place == "folder" else folder.parent).chmod(mode)
    assert "can be written by every user; run chmod go-w" in Kernels("x")._obstacle


def test_a_file_in_the_working_folder_names_no_place_of_compiled_code(tmp_path):
    (tmp_path / ".numba_config.yaml").write_text(f"cache_dir: {tmp_path}\ncuda_driver: {tmp_path}/driver.so\n")
    script = "from serab_core.system.kernel_cache import config; print([config.CACHE_DIR, config.CUDA_DRIVER])"
    for variables, expected in (({}, "['', '']"), ({"NUMBA_CACHE_DIR": "/mine"}, "['/mine', '']")):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **variables}
        command = [sys.executable, "-c", script]
        process = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
        assert process.stdout.strip() == expected
