"""Workers: a script without a guard, a script that spawns, files of the working folder, a folder that is deleted."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

RUN = "from serab_core.cli.main import run\n"
EVAL = 'run(["eval", "toy", "--tasks", "tones", "-c", "knn", "--jobs", "2"])'


@pytest.fixture
def python(prepared_tones, tmp_path):
    def call(code: str, folder=tmp_path, *words: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "script.py").write_text(code)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, *words, str(tmp_path / "script.py")]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=60)

    return call


def test_a_script_without_a_guard_runs_once(python):
    done = python(f'{RUN}print("begin")\nprint("code", {EVAL})')
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("begin") == 1
    assert "code 0" in done.stdout


def test_a_script_that_a_process_of_its_own_imports_again_is_refused(python):
    code = f"""{RUN}import multiprocessing
if __name__ == "__mp_main__":
    {EVAL}
def job(): pass
if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=job)
    process.start()
    process.join()
"""
    done = python(code)
    assert "a worker process imports this script again" in done.stderr
    assert 'put the code of the script under `if __name__ == "__main__":`' in done.stderr


def test_a_daemon_of_multiprocessing_is_refused(python):
    code = f"""{RUN}import multiprocessing
def job(_): return {EVAL}
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(job, [1]))
"""
    done = python(code)
    assert "[2]" in done.stdout
    assert "is a daemon of multiprocessing, which may not start worker processes" in done.stderr


def test_no_file_of_the_working_folder_is_imported(python, tmp_path):
    folder = tmp_path / "working"
    folder.mkdir()
    for name in ("multiprocessing", "signal", "random", "json"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write({name!r})\nraise KeyError")
    isolated = EVAL.replace('"knn"', '"centroid", "--isolate"')
    done = python(f'{RUN}print("codes", {EVAL}, {isolated})', folder)
    assert "codes 0 0" in done.stdout, done.stderr
    assert not (tmp_path / "imported").exists()


def test_workers_run_though_the_working_folder_is_deleted(python, tmp_path):
    folder = tmp_path / "working"
    folder.mkdir()
    done = python(f'import os\nos.rmdir({str(folder)!r})\n{RUN}print("code", {EVAL})', folder)
    assert "code 0" in done.stdout, done.stderr


def test_a_worker_that_cannot_be_started_fails_its_job(toys, monkeypatch):
    from serab_core.engine.executors import LocalEngine
    from serab_core.engine.worker_context import WorkerProcess
    from serab_core.errors import WorkerError

    def refuse(self):
        raise BlockingIOError("too many processes")

    monkeypatch.setattr(WorkerProcess, "start", refuse)
    with LocalEngine(2).open(lambda stage, steps: None) as executor:
        future = executor.submit(print)
        with pytest.raises(WorkerError, match="cannot be started .BlockingIOError: too many processes"):
            future.result(5)


@pytest.mark.parametrize("code", ["-c,import random", "-m,random", "tracker"])
def test_no_process_of_a_plugin_imports_from_the_working_folder(python, tmp_path, code):
    """As the trackers and workers of multiprocessing and joblib are started, by whatever library uses them."""
    folder = tmp_path / "working"
    folder.mkdir()
    for name in ("random", "multiprocessing"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')")
    start = "from multiprocessing import resource_tracker; resource_tracker.ensure_running()"
    if code != "tracker":
        start = f"subprocess.run([sys.executable, *{code.split(',')}])"
    done = python(
        f"import subprocess, sys\nfrom serab_core.cli import main\ndef run(words):\n    {start}\n    return 0\n"
        "sys.modules['serab_core.cli.main'].run = run\nmain()\n",
        folder,
    )
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "imported").exists()
