"""Temporary names, the sweep of what killed writers left, and folders that are replaced without a moment of absence."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from serab_core.errors import StoreError
from serab_core.store import atomic, durable, leftovers
from serab_core.store.leftovers import sweep, temporary_name

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PID namespaces and /proc")
WEEK_S = 7 * 24 * 3600.0


def name_of(pid: int, *, began: int = 0, boot: str = "", namespace: str = "", host: str = "", name: str = "x") -> str:
    boot, namespace = boot or leftovers._boot(), namespace or leftovers._namespace()
    return f".{name}.part-{host or leftovers._host()}~{pid}.{began}.{boot}.{namespace}-0123abcd"


def dead_pid() -> int:
    process = multiprocessing.get_context("spawn").Process(target=int)
    process.start()
    process.join()
    return process.pid


def touch(path: Path, age: float = 0.0, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_the_sweep_deletes_what_ended_writers_left_and_nothing_else(tmp_path):
    pid = dead_pid()
    dead = touch(tmp_path / "deep" / name_of(pid))
    folder = tmp_path / name_of(pid, name="folder")
    touch(folder / "x")
    live = touch(tmp_path / name_of(os.getpid(), name="live"), age=10 * WEEK_S)
    long = touch(temporary_name(tmp_path / ("n" * 250)))
    others = touch(tmp_path / ".f.part-of something else", age=10 * WEEK_S)
    assert set(sweep(tmp_path)) == {dead, folder}
    assert live.exists()
    assert others.exists()
    assert long.exists()


@LINUX
def test_an_ended_writer_is_recognised_by_its_process(tmp_path):
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie
    zombie = touch(tmp_path / name_of(child.pid))
    reused = touch(tmp_path / name_of(os.getpid(), began=1))  # its process began when the machine did
    own = touch(temporary_name(tmp_path / "own.json"))
    assert set(sweep(tmp_path)) == {zombie, reused}
    assert own.exists()
    child.wait()


@LINUX
def test_a_writer_that_cannot_be_asked_is_judged_by_age(tmp_path):
    """Of another PID namespace, boot or host, and with a name that an earlier version gave."""
    pid = dead_pid()
    names = {
        name_of(pid, namespace="4026531999"): WEEK_S,
        name_of(pid, boot="01234567"): WEEK_S / 7,
        name_of(pid, boot="01234567", host="elsewhere"): WEEK_S,
        name_of(pid, boot=leftovers._UNKNOWN): WEEK_S,
        f".earlier.part-{leftovers._host()}~{pid}.77-0123abcd": WEEK_S,
        f".earliest.part-{leftovers._host()}~{pid}-0123abcd": WEEK_S,
    }
    for name, limit in names.items():
        recent = touch(tmp_path / "recent" / name, age=limit - 60)
        old = touch(tmp_path / "old" / name, age=limit + 60)
        busy = tmp_path / "busy" / name
        touch(busy / "audio" / "latest.flac")
        os.utime(busy, (time.time() - 2 * limit,) * 2)
        assert sweep(tmp_path) == [old], name
        assert recent.exists()
        assert busy.exists()


def test_a_process_that_does_not_know_its_boot_never_deletes_by_number(tmp_path, monkeypatch):
    monkeypatch.setattr(leftovers, "_boot", lambda: leftovers._UNKNOWN)
    path = touch(tmp_path / name_of(dead_pid()))
    assert sweep(tmp_path) == []
    assert path.exists()


WRITER = """
import sys, time
from pathlib import Path
from serab_core.store.atomic import replacing
with replacing(Path(sys.argv[1])) as temporary:
    temporary.write_text("whole")
    print("writing", flush=True)
    sys.stdin.readline()
"""


@LINUX
def test_a_writer_in_another_pid_namespace_is_left_alone(tmp_path):
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", WRITER, str(tmp_path / "x.json")]
    try:
        writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if writer.stdout.readline() != b"writing\n":
        writer.communicate()
        pytest.skip("this user may not make PID namespaces")
    assert sweep(tmp_path) == []
    writer.communicate(b"\n")
    assert writer.returncode == 0
    assert (tmp_path / "x.json").read_text() == "whole"


def test_probes_and_downloads_of_ended_commands_are_swept(home):
    probe, seen = (touch(home.root / name, 7200, "") for name in ("studies/.probe-77", ".seen-0123456789abcdef"))
    mine = touch(home.root / "studies" / ".probe-77-notes", 7200, "")
    unlocked, fresh = (touch(home.weights / "downloads" / f"tmp{n * 8}", age) for n, age in (("a", 7200), ("b", 0)))
    locked = touch(home.weights / "downloads" / "tmpcccccccc", 7200)
    partial = touch(home.weights / "downloads" / "x.bin.partial", 7200)
    with locked.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        home.ensure()
    assert not any(path.exists() for path in (probe, seen, unlocked))
    assert all(path.exists() for path in (mine, fresh, locked, partial))
    assert not list(home.root.rglob(".probe*part*"))


@pytest.fixture(params=[True, False], ids=["exchange", "no exchange"])
def exchange(request, monkeypatch):
    """A system that exchanges two names, and one that cannot."""
    if request.param and durable._renameat2() is None:
        pytest.skip("this system cannot exchange two names")
    if not request.param:
        monkeypatch.setattr(durable, "_renameat2", lambda: None)


def folder_with(path: Path, content: str) -> None:
    with atomic.replacing_folder(path) as temporary:
        (temporary / "deep").mkdir()
        (temporary / "deep" / "x").write_text(content)


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("call", range(1, 8))
def test_a_folder_is_never_lost_while_it_is_replaced(tmp_path, monkeypatch, call):
    """The process ends before its n-th rename, exchange or deletion; a later command sweeps."""
    path = tmp_path / "corpus"
    folder_with(path, "old")
    child = os.fork()
    if child == 0:
        count = 0
        for module, name in ((os, "rename"), (os, "replace"), (atomic, "exchange"), (atomic, "delete"), (os, "unlink")):
            real = getattr(module, name)

            def counted(*arguments, real=real, **named):
                nonlocal count
                count += 1
                if count == call:
                    os._exit(9)
                return real(*arguments, **named)

            setattr(module, name, counted)
        folder_with(path, "new")
        os._exit(0)
    os.waitpid(child, 0)
    leftovers.restore_folders(tmp_path)  # as a reader does
    assert (path / "deep" / "x").read_text() in ("old", "new")
    sweep(tmp_path)
    assert (path / "deep" / "x").read_text() in ("old", "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.usefixtures("exchange")
def test_a_folder_is_replaced_while_others_replace_it_and_sweep(tmp_path):
    path = tmp_path / "corpus"
    folder_with(path, "old")
    children = []
    for number in range(3):
        children.append(os.fork())
        if children[-1] == 0:
            status = 1
            with suppress(BaseException):
                for _ in range(30):
                    if number:
                        folder_with(path, "new")
                    else:
                        sweep(tmp_path)
                status = 0
            os._exit(status)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    sweep(tmp_path)
    assert (path / "deep" / "x").read_text() == "new"
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


@pytest.mark.usefixtures("exchange")
def test_links_and_files_that_a_folder_replaces(tmp_path):
    target = tmp_path / "target"
    touch(target / "x")
    (tmp_path / "corpus").symlink_to(target)
    folder_with(tmp_path / "corpus", "new")
    touch(tmp_path / "file")
    folder_with(tmp_path / "file", "new")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["corpus", "file", "target"]
    assert not (tmp_path / "corpus").is_symlink()
    assert (target / "x").exists()


def test_a_folder_that_cannot_take_its_name_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "corpus"
    folder_with(path, "old")
    monkeypatch.setattr(durable, "_renameat2", lambda: None)
    real = os.replace

    def fail(old, new):
        if Path(new) == path:
            raise PermissionError(13, "Permission denied")
        real(old, new)

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(StoreError, match="permission denied"):
        folder_with(path, "new")
    assert (path / "deep" / "x").read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["corpus"]


def test_everything_is_flushed_before_it_takes_its_name(tmp_path, monkeypatch):
    events: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle):
        events.append("flush " + Path(os.readlink(f"/proc/self/fd/{handle}")).name.partition(".part-")[0])
        real_fsync(handle)

    def replace(old, new):
        events.append(f"rename to {Path(new).name}")
        real_replace(old, new)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    folder_with(tmp_path / "new" / "room" / "corpus", "x")
    assert events == [
        f"flush {tmp_path.name}", "flush new", "flush x", "flush deep", "flush .corpus", "rename to corpus",
        "flush room",
    ]  # fmt: skip
    events.clear()
    folder = tmp_path / "many"
    with atomic.replacing_folder(folder) as temporary:
        for number in range(40):
            (temporary / f"{number}.flac").write_text("x")
    assert sorted(events[:-3]) == sorted(f"flush {number}.flac" for number in range(40))
    assert events[-3:] == ["flush .many", "rename to many", f"flush {tmp_path.name}"]


def test_nothing_is_deleted_before_its_replacement_is_on_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "corpus"
    folder_with(path, "old")
    real = os.fsync

    def fail(handle):
        if Path(os.readlink(f"/proc/self/fd/{handle}")) == tmp_path:
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="input/output error"):
        folder_with(path, "new")
    monkeypatch.undo()
    contents = {file.read_text() for file in tmp_path.rglob("x")}
    assert contents == {"old", "new"}
