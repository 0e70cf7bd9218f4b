"""Plugins with vices, each beside a decent one: they are named, the decent one scores as ever, and JSON stays JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

VICES = """
import contextlib, ctypes, os, signal, sys, threading, time, warnings
import numpy as np
from serab_core import ExtractorSpec, hookimpl

def raises(): raise ValueError("as it likes to")
def exits(): sys.exit(0)
def ends(): os._exit(0)
def segfaults(): ctypes.string_at(0)
def aborts(): os.abort()
def hangs(): time.sleep(600)
def interrupts(): raise KeyboardInterrupt
def exhausts(): raise MemoryError("no more")
def recurses(): recurses()
def prints():
    print("chatter"); print("chatter", file=sys.__stdout__); os.write(1, b"native chatter\\n")
    ctypes.CDLL(None).puts(b"more of it"); ctypes.CDLL(None).fflush(None)
def closes():
    with contextlib.suppress(OSError):
        os.close(1)
def swaps(): sys.stdout = sys.stderr = open(os.devnull, "w")
def moves(): os.chdir("/")
def masks(): os.umask(0o777)
def shouts(): np.seterr(all="raise"); warnings.simplefilter("error")
def seeds(): np.random.seed(0)
def threads(): threading.Thread(target=time.sleep, args=(60,)).start()
def deafens(): signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN)
def forks():
    if os.fork() == 0:
        os._exit(0)

FATAL = [raises, exits, exhausts, recurses]
DEADLY = [ends, segfaults, aborts, hangs]
HARMLESS = [prints, closes, swaps, moves, masks, shouts, seeds, threads, deafens, forks]

class Vicious:
    def __init__(self, vice):
        self.vice = vice
    def embed(self, waveforms):
        self.vice()
        return np.array([[len(w), np.abs(w).mean()] for w in waveforms], np.float32)

@hookimpl
def serab_register_extractors(register):
    for vice in [*FATAL, *DEADLY, *HARMLESS]:
        name = f"vice/{vice.__name__}"
        register(ExtractorSpec(name, lambda vice=vice: Vicious(vice), 2, "vicious", "MIT", citation="@misc{v}"),
                 default=vice is raises)
"""
FATAL = ("raises", "exits", "exhausts", "recurses")
DEADLY = ("ends", "segfaults", "aborts", "hangs")
HARMLESS = ("prints", "closes", "swaps", "moves", "masks", "shouts", "seeds", "threads", "deafens", "forks")
TOLD = {
    "raises": "ValueError: as it likes to",
    "exits": "SystemExit: 0",
    "exhausts": "MemoryError: no more",
    "recurses": "RecursionError",
    "ends": "exit code 0",
    "segfaults": "SIGSEGV",
    "aborts": "SIGABRT",
    "hangs": "it stopped responding",
}


@pytest.fixture
def evaluate(prepared_tones, add_plugin, tmp_path):
    """Runs `serab eval` as a user does, and returns its exit code, JSON and standard error."""
    add_plugin("serab-vices", "serab.extractors", "vice", VICES)

    def call(*words: str, patience: str = "3600") -> tuple[int, dict, str]:
        command = [sys.executable, "-c", "from serab_core.cli import main; main()", "eval", *words]
        command += ["--tasks", "tones", "--classifiers", "knn", "--json"]
        environment = {**os.environ, "SERAB_PATIENCE": patience}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr

    return call


def scores(document: dict) -> dict[str, float]:
    return {own["extractor"]: own["accuracy"] for own in document["results"]}


@pytest.fixture
def decent(evaluate, home):
    """What the decent one scores alone; its files are gone again."""
    code, told, err = evaluate("toy", "--jobs", "1")
    assert code == 0, err
    for room in (home.embeddings, home.results, home.studies):
        for path in room.rglob("*"):
            if path.is_file():
                path.unlink()
    return scores(told)["toy"]


@pytest.mark.parametrize("words", [("--jobs", "1"), ("--jobs", "2"), ("--jobs", "1", "--isolate")], ids=" ".join)
def test_what_is_harmless_harms_nobody(evaluate, decent, words):
    names = [f"vice/{name}" for name in HARMLESS]
    code, told, err = evaluate(*names, "toy", *words)
    assert code == 0, (told["failures"], err)
    assert scores(told)["toy"] == decent
    assert len({scores(told)[name] for name in names}) == 1
    assert len(told["results"]) == len(HARMLESS) + 1


@pytest.mark.parametrize("words", [("--jobs", "1"), ("--jobs", "2"), ("--jobs", "2", "--isolate")], ids=" ".join)
def test_what_fails_is_named_and_the_decent_one_goes_on(evaluate, decent, words):
    names = list(FATAL)
    if words != ("--jobs", "1"):  # one process has nobody who outlives it
        names += DEADLY
    code, told, err = evaluate(*(f"vice/{name}" for name in names), "toy", *words, patience="4")
    assert code == 9, err
    assert scores(told) == {"toy": decent}
    said = {own["extractor"].partition("/")[2]: own["error"] for own in told["failures"]}
    assert set(said) == set(names)
    for name, error in said.items():
        assert TOLD[name] in error["what"], (name, error)
        assert error["error"] in ("ExtractorError", "WorkerError")
        assert error["where"]
        assert error["next_step"]


def test_a_plugin_that_crashes_as_it_is_imported_is_named_by_its_file(add_plugin):
    """No process outlives it; what is left of this one says which module it was."""
    crash = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    module = add_plugin("serab-crashes", "serab.extractors", "crashes", crash)
    command = [sys.executable, "-c", "from serab_core.cli import main; main()", "plugins"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGSEGV
    assert f'{module}.py", line 2 in <module>' in done.stderr
    done = subprocess.run([*command, "--no-load"], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, "crashes" in done.stdout) == (0, True)


def test_an_extractor_alone_may_die_where_it_is_isolated(evaluate, decent):
    """In one process, beside which the extractor has its own."""
    names = [f"vice/{name}" for name in ("ends", "segfaults", "aborts")]
    code, told, err = evaluate(*names, "toy", "--jobs", "1", "--isolate")
    assert code == 9, err
    assert scores(told) == {"toy": decent}
    assert len(told["failures"]) == 3
