"""Extractors in processes of their own: the same bytes, and nobody's crash but their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from serab_core import plugins
from serab_core.embed.fingerprint import fingerprint
from serab_core.errors import ExtractorError, PluginError, UnknownNameError, WeightsError
from serab_core.isolation.messages import RemoteError
from serab_core.plugins import proxy as isolated
from serab_core.plugins.proxy import IsolatedSpec, Place
from serab_core.system.session import current_session
from tests.run.test_evaluate import stored

MORE = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from serab_core import ExtractorSpec, WeightFile, free_cores, hookimpl

class Odd:
    def __init__(self, kind):
        self.kind = kind
    def embed(self, waveforms):
        if self.kind == "segfault":
            import ctypes
            ctypes.string_at(0)
        if self.kind == "hang":
            time.sleep(600)
        if self.kind == "cores":
            return np.full((len(waveforms), 2), free_cores(), np.float32)
        if self.kind == "pid":
            return np.full((len(waveforms), 2), os.getpid(), np.float32)
        waveforms[0][:] = 0  # its own copy
        return np.ones((len(waveforms), 2), np.float32)

class Sulky:
    def embed(self, waveforms):
        return np.ones((len(waveforms), 2), np.float32)
    def fit_corpus(self, train):
        next(iter(train))
        raise ValueError("one is enough")
    def use_corpus(self, state):
        pass

def convert(source, target):
    if source.read_bytes() != b"good":
        raise ValueError("not what was published")
    target.write_bytes(b"made")

def known_state(task):
    if task != "tones":
        raise ValueError(f"knows nothing of {task}")
    return {"mean": 2.0}

def configure(options):
    return spec("odd", Odd("plain"), parameters={"window": int(options["window"])})

def spec(name, made, **more):
    return ExtractorSpec(name=name, factory=lambda: made, dim=2, summary="odd", licence="none", **more)

@hookimpl
def serab_register_extractors(register):
    register(spec("odd", Odd("plain"), options={"window": "in ms"}, configure=configure))
    for kind in ("segfault", "hang", "cores", "pid"):
        register(spec(f"odd/{kind}", Odd(kind)))
    register(spec("odd/sulky", Sulky(), uses_corpus=True))
    register(spec("odd/state", Sulky(), uses_corpus=True, known_state=known_state))
    weight = WeightFile(name="odd.bin", url="https://example.org/odd.bin", convert=convert)
    register(spec("odd/weights", Odd("plain"), weights=(weight,)))
    register(spec("odd/libraries", Odd("plain"), libraries=("numpy",), layers=("a", "b")))
    register(spec("odd/missing", Odd("plain"), libraries=("no-such-library",)))
"""


@pytest.fixture
def apart(monkeypatch):
    monkeypatch.setenv("SERAB_ISOLATE", "1")


@pytest.fixture
def odd(toys, add_plugin, apart):
    add_plugin("serab-odd", "serab.extractors", "odd", MORE)


def empty(home) -> None:
    for room in (home.embeddings, home.results, home.studies):
        for path in room.rglob("*"):
            if path.is_file():
                path.unlink()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_same_bytes_as_in_this_process(prepared_tones, serab, home, jobs, monkeypatch):
    words = ("eval", "toy", "toy/wide", "toy/corpus", "--tasks", "tones", "--classifiers", "centroid", "--json")
    code, out, err = serab(*words, "--jobs", jobs)
    assert code == 0, err
    here = {name: content for name, content in stored(home).items() if "results" not in name}
    first = [(own["extractor"], own["accuracy"], own["uar"]) for own in json.loads(out)["results"]]
    empty(home)
    before = set(sys.modules)
    code, out, err = serab(*words, "--jobs", jobs, "--isolate")
    monkeypatch.delenv("SERAB_ISOLATE", raising=False)
    assert code == 0, err
    assert not {name for name in set(sys.modules) - before if name == "serab_toys.extractors"}
    assert [(own["extractor"], own["accuracy"], own["uar"]) for own in json.loads(out)["results"]] == first
    assert {name: content for name, content in stored(home).items() if "results" not in name} == here
    result = next(json.loads(content) for name, content in stored(home).items() if "results" in name)
    assert result["provenance"]["runs_in"]["distribution"] == "serab-toys"
    assert result["provenance"]["runs_in"]["version"] == "1.2"


def test_what_goes_wrong_is_named_and_the_others_go_on(prepared_tones, odd, serab):
    names = ("boom", "exit", "die", "nan", "shape", "dtype", "list", "factory")
    words = [*(f"toy-bad/{name}" for name in names), "odd/segfault", "toy"]
    code, out, _err = serab("eval", *words, "--tasks", "tones", "--classifiers", "knn", "--jobs", "1", "--json")
    assert code == 9
    told = json.loads(out)
    assert [own["extractor"] for own in told["results"]] == ["toy"]
    said = {own["extractor"].rpartition("/")[2]: own["error"] for own in told["failures"]}
    assert all(error["error"] == "ExtractorError" for error in said.values())
    assert all(error["where"].startswith(("toy-bad", "odd")) for error in said.values())
    for name, words in {
        "boom": "raised RuntimeError: boom in two lines",
        "exit": "raised SystemExit: 3",
        "die": "process died: exit code 9",
        "nan": "not finite",
        "shape": "float32 (4, 5) instead of float32 (4, 4)",
        "dtype": "float64 (4, 4) instead of float32",
        "list": "list instead of float32",
        "factory": "ImportError: no module named gigantic",
        "segfault": "process died: SIGSEGV",
    }.items():
        assert words in said[name]["what"], (name, said[name])


def test_a_spec_comes_over_whole(odd):
    spec = plugins.extractor("odd/libraries")
    assert isinstance(spec, IsolatedSpec)
    assert spec.versions == {"numpy": np.__version__}
    assert spec.layers == ("a", "b")
    assert spec.runs_in["distribution"] == "serab-odd"
    assert plugins.extractor("odd+window=20").parameters == {"window": 20}
    with pytest.raises(UnknownNameError, match="has no option 'widow'"):
        plugins.extractor("odd+widow=20")
    with pytest.raises(PluginError, match="needs no-such-library"):
        plugins.extractor("odd/missing")
    names = ("toy", "toy/wide", "toy/corpus", "odd/libraries", "odd+window=20")
    there = {name: fingerprint(plugins.extractor(name)) for name in names}
    os.environ["SERAB_ISOLATE"] = "0"
    assert {name: fingerprint(plugins.extractor(name)) for name in names} == there


def test_states_weights_and_cores(odd, tmp_path):
    state = plugins.extractor("odd/state").known_state
    assert state("tones") == {"mean": 2.0}
    with pytest.raises(ValueError, match="^knows nothing of hums$"):
        state("hums")
    (weight,) = plugins.extractor("odd/weights").weights
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"bad")
    with pytest.raises(ValueError, match="not what was published"):
        weight.convert(source, target)
    source.write_bytes(b"good")
    weight.convert(source, target)
    assert target.read_bytes() == b"made"
    from serab_core.system.cpu import share_cores

    extractor = plugins.extractor("odd/cores").factory()
    with share_cores(lambda: 7):
        assert extractor.embed([np.ones(10, np.float32)]).tolist() == [[7, 7]]
    wave = np.ones(10, np.float32)
    plugins.extractor("odd").factory().embed([wave])
    assert wave.all()


def test_missing_weights_are_told_as_ever(odd, prepared_tones, serab):
    code, _, err = serab("eval", "odd/weights", "--tasks", "tones")
    assert code == WeightsError.exit_code, err
    assert "serab weights fetch odd/weights" in " ".join(err.split())


def test_a_corpus_that_breaks_off(odd):
    """The child raises in the middle of the training split, or the split breaks off here; both can be asked again."""
    extractor = plugins.extractor("odd/sulky").factory()
    clips = [np.ones(100_000, np.float32)] * 50
    with pytest.raises(RemoteError, match="one is enough"):
        extractor.fit_corpus(iter(clips))
    assert extractor.embed([np.ones(5, np.float32)]).shape == (1, 2)

    def breaking():
        yield clips[0]
        raise ExtractorError("here")

    with pytest.raises(ExtractorError):
        plugins.extractor("toy/corpus").factory().fit_corpus(breaking())
    extractor = plugins.extractor("toy/corpus").factory()
    extractor.use_corpus({"mean": 1.0})
    assert extractor.embed([np.ones(5, np.float32)]).shape == (1, 8)


def test_one_that_died_is_started_again(odd):
    spec = plugins.extractor("odd/pid")
    extractor = spec.factory()
    first = int(extractor.embed([np.ones(5, np.float32)])[0, 0])
    assert first != os.getpid()
    child = isolated._running(Place(), "odd/pid")._child
    os.kill(first, signal.SIGKILL)
    child.wait(10)
    assert int(extractor.embed([np.ones(5, np.float32)])[0, 0]) != first


def test_few_processes_are_kept(odd):
    for name in ("toy", "toy/wide", "toy/corpus", "odd", "odd/pid", "odd/cores"):
        plugins.extractor(name)
    assert len(current_session().memory["isolated processes"]) == isolated.MAX_PROCESSES


def test_it_ends_with_its_parent(odd, tmp_path):
    """Though it hangs, and does not see that nobody will ask it again."""
    code = """
        import numpy as np
        from serab_core import plugins
        from serab_core.plugins import proxy

        extractor = plugins.extractor("odd/hang").factory()
        print(proxy._running(proxy.Place(), "odd/hang")._child.pid, flush=True)
        extractor.embed([np.ones(5, np.float32)])
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError("it is still there")


def test_one_that_hangs_is_ended_with_its_worker(prepared_tones, odd, serab, monkeypatch):
    monkeypatch.setenv("SERAB_PATIENCE", "3")
    words = ("eval", "odd/hang", "toy", "--tasks", "tones", "--classifiers", "knn", "--jobs", "2", "--json")
    code, out, _ = serab(*words)
    assert code == 9
    told = json.loads(out)
    assert [own["extractor"] for own in told["results"]] == ["toy"]
    assert "it stopped responding" in told["failures"][0]["error"]["what"]
