"""The Dask engine, on a real scheduler and real workers on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import Future, wait
from pathlib import Path
from types import SimpleNamespace

import pytest

from serab_core.engine import dask_engine
from serab_core.engine.transfer import run_job
from serab_core.run.jobs import WarmJob
from tests.run.test_evaluate import stored

pytest.importorskip("distributed", reason="distributed is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Cluster:
    """A scheduler and workers as processes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.processes = folder, []
        self.address = f"127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        self._start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--no-show")
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:  # the client waits ten seconds only
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", int(port))) == 0:
                    return
            time.sleep(0.1)

    def _start(self, what: str, *words: str, **environment: str) -> subprocess.Popen:
        command = [sys.executable, "-m", "distributed.cli.dask_" + what, *words]
        with (self.folder / f"{what}-{len(self.processes)}.log").open("w") as log:
            environment = {**os.environ, **environment}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)
        self.processes.append(process)
        return process

    def worker(self, *words: str, **environment: str) -> subprocess.Popen:
        words = words or ("--nthreads", "1")
        return self._start("worker", self.address, *words, "--no-dashboard", "--no-nanny", **environment)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.end()


@pytest.fixture
def score(prepared_tones, serab):
    def call(*words: str) -> dict:
        classifiers = ("--classifiers", "centroid,knn")
        code, out, err = serab("eval", "toy", "toy/corpus", "--tasks", "tones", *classifiers, "--json", *words)
        assert code == 0, err
        return json.loads(out)

    return call


def scores(document: dict) -> list:
    return [(r["extractor"], r["accuracy"], r["uar"], r["chosen"]) for r in document["results"]]


def without_command(kept: dict[str, bytes]) -> dict[str, object]:
    """Files as they are, but for the command that is written into a result."""
    made: dict[str, object] = {}
    for name, content in kept.items():
        if name.startswith("results"):
            value = json.loads(content)
            value["provenance"].pop("command")
            made[name] = value
        else:
            made[name] = content
    return made


@pytest.mark.parametrize("protocol", ["serab", "loso"])
def test_the_same_bytes_as_here(score, cluster, home, toys, protocol):
    here = score("--jobs", "1", "--protocol", protocol)
    kept = without_command(stored(home))
    for room in ("embeddings", "studies", "results"):
        for path in (home.root / room).rglob("*"):
            if path.is_file():
                path.unlink()
    cluster.worker()
    cluster.worker()
    engine = ("--engine", f"dask://{cluster.address}", "--protocol", protocol)
    there = score(*engine)
    assert scores(there) == scores(here)
    assert without_command(stored(home)) == kept
    assert score(*engine)["results"][0]["reused"]


def test_workers_that_see_neither_home_nor_audio(score, cluster, home, tmp_path, monkeypatch):
    from serab_core.engine import dask_engine

    here = score("--jobs", "1")
    kept = without_command(stored(home))
    for room in ("embeddings", "studies", "results"):
        for path in (home.root / room).rglob("*"):
            if path.is_file():
                path.unlink()
    # One machine plays two: whatever is asked after is not there.
    monkeypatch.setattr(dask_engine, "_exists", lambda path: False)
    cluster.worker(SERAB_HOME=str(tmp_path / "elsewhere"))
    there = score("--engine", f"dask://{cluster.address}")
    assert scores(there) == scores(here)
    assert without_command(stored(home)) == kept
    assert not (tmp_path / "elsewhere").exists()


def test_a_worker_that_is_killed_costs_its_jobs_only(score, cluster, home, monkeypatch, toys):
    first, _second = cluster.worker(SERAB_TOY_SLOW="0.3"), cluster.worker(SERAB_TOY_SLOW="0.3")
    command = [sys.executable, "-c", "from serab_core.cli import main; main()", "eval", "toy", "toy/wide", "--tasks"]
    command += ["tones", "--classifiers", "centroid,knn", "--json", "--engine", f"dask://{cluster.address}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(home.embeddings.rglob("*.h5")) and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    there = json.loads(out)
    assert not there["failures"]
    assert len(there["results"]) == 2


@pytest.fixture
def started(cluster, prepared_tones, home):
    """Starts an evaluation on the cluster, and returns once it has stored its first embeddings."""
    running = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-c", "from serab_core.cli import main; main()", *SLOW_WORDS]
        command += ["--engine", f"dask://{cluster.address}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(process)
        deadline = time.monotonic() + 60
        while not list(home.embeddings.rglob("*.json")) and time.monotonic() < deadline:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


SLOW_WORDS = ("eval", "toy", "toy/wide", "--tasks", "tones", "--classifiers", "centroid,knn", "--json")


def emptied(home) -> dict[str, object]:
    """What is stored, but for the commands; it is gone then."""
    kept = without_command(stored(home))
    for room in ("embeddings", "studies", "results"):
        for path in (home.root / room).rglob("*"):
            if path.is_file():
                path.unlink()
    return kept


def test_a_run_that_is_killed_goes_on_where_it_was(cluster, started, serab, home, monkeypatch):
    assert serab(*SLOW_WORDS, "--jobs", "1")[0] == 0
    whole = emptied(home)
    cluster.worker(SERAB_TOY_SLOW="0.2")
    cluster.worker(SERAB_TOY_SLOW="0.2")
    process = started()
    process.kill()
    process.communicate()
    shards = {path: path.stat().st_mtime_ns for path in home.embeddings.rglob("*.json")}
    assert shards
    code, _, err = serab(*SLOW_WORDS, "--engine", f"dask://{cluster.address}")
    assert code == 0, err
    assert without_command(stored(home)) == whole
    assert all(path.stat().st_mtime_ns == when for path, when in shards.items())


def test_a_scheduler_that_is_gone_is_told_and_the_rest_is_done_here(cluster, started, serab, home):
    assert serab(*SLOW_WORDS, "--jobs", "1")[0] == 0
    whole = emptied(home)
    cluster.worker(SERAB_TOY_SLOW="0.2")
    process = started()
    cluster.processes[0].kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 9, (out, err)
    failures = json.loads(out)["failures"]
    assert failures
    for failure in failures:
        assert failure["error"]["error"] == "WorkerError"
        assert "the Dask scheduler has stopped" in failure["error"]["what"]
    code, _, err = serab(*SLOW_WORDS, "--jobs", "1")
    assert code == 0, err
    assert without_command(stored(home)) == whole


def test_a_worker_without_a_plugin_is_told(cluster, prepared_tones, serab, monkeypatch):
    cluster.worker(PYTHONPATH=os.pathsep.join(path for path in sys.path if "site" not in Path(path).name))
    code, _, err = serab(*SLOW_WORDS, "--engine", f"dask://{cluster.address}")
    assert code == 2, err
    assert "serab-toys missing (here 1.2)" in " ".join(err.split())


def test_what_does_not_fit_is_told(score, cluster, serab):
    def refused(*words: str) -> str:
        code, _, err = serab("eval", "toy", "--tasks", "tones", "--classifiers", "knn", "--engine", *words)
        assert code == 2, err
        return " ".join(err.split())

    score("--jobs", "1")
    assert "is not the address of a scheduler" in refused("dask://")
    assert "is not the address of a scheduler" in refused("dask://host:what")
    assert "no Dask scheduler responds" in refused(f"dask://127.0.0.1:{free_port()}")
    cluster.worker("--nthreads", "2")
    assert "several threads" in refused(f"dask://{cluster.address}")


def test_nothing_is_left_to_do_without_workers(score, cluster):
    """A scheduler is asked only when there is work."""
    assert score("--jobs", "1")["results"]
    assert score("--engine", "dask://127.0.0.1:1")["results"][0]["reused"]


class Silent:
    """A client whose jobs never say that they ended, as Dask's do whose results were on their way."""

    status = "running"

    def __init__(self) -> None:
        self.scheduler_comm = object()

    def get_executor(self, **_) -> Silent:
        return self

    def submit(self, *_) -> Future:
        return Future()


@pytest.mark.parametrize("how", ["closed", "another connection", "cancelled"])
def test_nobody_waits_for_jobs_that_the_scheduler_took_with_it(monkeypatch, how):
    monkeypatch.setattr(dask_engine, "pack", lambda *args, **named: None)
    monkeypatch.setattr(dask_engine, "_CHECK_S", 0.01)
    monkeypatch.setattr(dask_engine, "_GRACE_S", 0.01)
    client = Silent()
    executor = dask_engine._RemoteExecutor(client, SimpleNamespace(home=True, audio=None, workers_per_host=1))
    job = executor.submit(run_job, WarmJob("toy"))
    time.sleep(0.1)
    assert not job.done()
    if how == "closed":
        client.status = "closed"
    elif how == "another connection":
        client.scheduler_comm = object()
    else:
        job.cancel()
    assert wait([job], 30).done
    if how != "cancelled":
        assert "the Dask scheduler has stopped" in str(job.exception())
        after = executor.submit(run_job, WarmJob("toy"))  # over the connection that there is now
        time.sleep(0.1)
        assert after.done() == (how == "closed")
    executor.shutdown()
