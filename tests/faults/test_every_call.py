"""Each command that writes is killed before its k-th change of a file, or the power fails behind it; nothing is lost.

The short form takes a few k of each command. `SERAB_CALLS=0` takes every k.
"""

from __future__ import annotations

import os
import pickle
import random
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from serab_core.store import durable
from tests.faults.conftest import amount
from tests.faults.layer import Layer
from tests.faults.power import CUTS, Recorder, after_power_cut, build
from tests.faults.world import COMMANDS, World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the layer follows open files through /proc")


WITHOUT = ", no exchange of names"
CASES = pytest.mark.parametrize(
    ("name", "exchanges"),
    [(name, "") for name in COMMANDS]
    + [(name, WITHOUT) for name in ("data add --copy", "weights import, a folder", "plugins isolate")],
    indirect=["exchanges"],
)


@pytest.fixture
def exchanges(request, monkeypatch):
    """Whether the file system can exchange two names, in words."""
    if request.param:
        monkeypatch.setattr(durable, "_renameat2", lambda: None)
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in memory, where a flush costs nothing: what reaches a disk is up to the layer."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path_factory.mktemp("world")
        return
    with tempfile.TemporaryDirectory(prefix="serab-world-", dir=memory) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def filled(folder):
    """A world with something of every kind, for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        world = World(folder, patch)
        yield world
        world.close()


@pytest.fixture
def world(filled, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(filled.home.root))
    return filled


def points(calls: int, wanted: int, seed: str) -> list[int]:
    """All calls, or some: the first and last ones, where names change, and a few between."""
    everything = list(range(1, calls + 1))
    if not wanted or wanted >= calls:
        return everything
    draw = random.Random(seed)
    last = everything[-(wanted // 2) :]
    return sorted({*last, *draw.sample(everything, wanted - len(last))})


def killing(world: World, at: int):
    """A layer that kills the process before a call, or halfway through it where it is a write."""
    count = 0

    def before(call, halfway):
        nonlocal count
        count += 1
        if count == at:
            halfway()
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: Layer(world.now, before, lambda call: None).below()


@contextmanager
def counting(world: World, file):
    calls = []
    with Layer(world.now, lambda call, halfway: calls.append(call), lambda call: None).below():
        yield
    file.write_text(str(len(calls)))


@contextmanager
def recording(world: World, file):
    recorder = Recorder(world.now)
    with Layer(world.now, recorder.before_call, recorder.after_call).below():
        yield
    file.write_bytes(pickle.dumps((recorder.before, recorder.events)))


def undisturbed(world: World, name: str) -> tuple[set[str], dict, set[str]]:
    """What is there before and after an undisturbed run, and its state."""
    world.warm(name)
    world.reset(name)
    before = world.whole() - set(COMMANDS[name].removes)
    assert world.in_child(name) == 0, name
    state = world.state(name)
    return before, state, world.whole()


@CASES
def test_killed_before_every_call(world, tmp_path, report_fault, name, exchanges):
    before, expected, _ = undisturbed(world, name)
    world.reset(name)
    assert world.in_child(name, lambda: counting(world, tmp_path / "count")) == 0
    calls, kills = int((tmp_path / "count").read_text()), 0
    for at in points(calls, amount("CALLS", 2), name):
        world.reset(name)
        code = world.in_child(name, killing(world, at))
        assert code in (0, -signal.SIGKILL), at  # 0: a run that writes a journal by the clock had fewer calls
        kills += code != 0
        assert world.whole() >= before, at  # after the sweep of another command
        assert world.in_child(name) in (0, COMMANDS[name].code_when_done), at
        assert world.state(name) == expected, at
        assert world.whole() >= before, at
    report_fault(f"SIGKILL before a call, {name}{exchanges}", calls=calls, kills=kills, lost=0)


@CASES
def test_power_cut_behind_every_call(world, tmp_path, report_fault, name, exchanges):
    before, expected, after = undisturbed(world, name)
    world.reset(name)
    assert world.in_child(name, lambda: recording(world, tmp_path / "events")) == 0
    tree, events = pickle.loads((tmp_path / "events").read_bytes())
    build(after_power_cut(tree, events, CUTS[0], random.Random(0)), world.now)
    assert world.whole() >= {thing for thing in after if not is_timed(name, thing)}  # what was done is on the disk
    cuts = 0
    for at in points(len(events), amount("CALLS", 2), f"power {name}"):
        for number, cut in enumerate(CUTS):
            build(after_power_cut(tree, events[:at], cut, random.Random(f"{name} {at} {number}")), world.now)
            cuts += 1
            assert world.whole() >= before, (at, cut)
            if number == at % len(CUTS):
                assert world.in_child(name) in (0, COMMANDS[name].code_when_done), (at, cut)
                assert world.state(name) == expected, (at, cut)
    report_fault(f"power cut, {name}{exchanges}", calls=len(events), cuts=cuts, lost=0)


def is_timed(name: str, thing: str) -> bool:
    """Whether a thing has a name by the time, and is called otherwise in each run."""
    return COMMANDS[name].is_timed and thing.startswith("run ")
