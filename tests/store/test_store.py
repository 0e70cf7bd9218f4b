"""Files that are there whole or not at all, and damage that is found."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.errors import StoreError, store_error
from serab_core.store import atomic
from serab_core.store.codec import read_json
from serab_core.store.home import Home, find_home
from serab_core.store.journal import Hdf5JournalBackend
from serab_core.store.jsonio import digest, dumps, write_json
from serab_core.store.leftovers import sweep
from serab_core.store.shards import Shard, exists, read_shard, write_shard


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".part-" in path.name]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), atomic.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert parts(tmp_path) == []
    atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "folder"
    for content in ("one", "two"):
        with atomic.replacing_folder(path) as temporary:
            (temporary / "x").write_text(content)
        assert (path / "x").read_text() == content
    with pytest.raises(ZeroDivisionError), atomic.replacing_folder(path) as temporary:
        (temporary / "y").write_text("half")
        raise ZeroDivisionError
    assert [p.name for p in path.iterdir()] == ["x"]
    assert parts(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EMFILE])
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_the_systems_errors_become_sentences(tmp_path, monkeypatch, code, call):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(StoreError) as caught:
        atomic.write_bytes(path, b"new")
    assert os.strerror(code).lower() in caught.value.what
    assert caught.value.next_step
    assert path.read_bytes() == b"old"
    assert parts(tmp_path) == []
    for make in (atomic.replacing_folder, atomic.scratch_folder):
        monkeypatch.setattr(Path, "mkdir", fail)
        with pytest.raises(StoreError), make(tmp_path / "folder"):
            pass
        monkeypatch.undo()


def test_a_shard_has_the_same_bytes_while_a_profiler_holds_its_frames(tmp_path, monkeypatch):
    import h5py

    rows = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32)
    names = tuple(f"{index:064d}" for index in range(20))
    plain, held = Shard(tmp_path, "plain"), Shard(tmp_path, "held")
    write_shard(plain, rows, names, {})
    kept, create = [], h5py.File.create_dataset

    def keep(*args, **kwargs):
        kept.append(create(*args, **kwargs))
        return kept[-1]

    monkeypatch.setattr(h5py.File, "create_dataset", keep)
    write_shard(held, rows, names, {})
    assert len(kept) == 2
    assert held.path.read_bytes() == plain.path.read_bytes()


def test_home(monkeypatch, tmp_path):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "h"))
    home = find_home()
    assert home.root == tmp_path / "h"
    assert not home.root.exists()
    home.ensure()
    assert sorted(p.name for p in home.root.iterdir()) == ["datasets", "embeddings", "results", "studies", "weights"]
    monkeypatch.setenv("SERAB_HOME", " ")
    assert find_home().root.name == "serab"
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="a folder"):
        Home(tmp_path / "file").ensure()


def test_json_round_trip_and_faults(tmp_path):
    path = tmp_path / "x.json"
    write_json(path, {"schema": "s/1", "b": 1, "a": "ü"})
    assert read_json(path, "s/1") == {"schema": "s/1", "b": 1, "a": "ü"}
    assert path.read_text().index('"a"') < path.read_text().index('"b"')
    for content, reason in (
        (b"{", "is not JSON"),
        (b"[]", "schema None"),
        (b'{"schema": "s/0"}', "'s/0'"),
        (b"\xff", "JSON"),
    ):
        path.write_bytes(content)
        with pytest.raises(StoreError, match=reason):
            read_json(path, "s/1")
    with pytest.raises(StoreError, match="cannot be read"):
        read_json(tmp_path / "none.json", "s/1")
    with pytest.raises(ValueError, match="Out of range"):
        dumps(float("nan"))
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


def shard_in(folder: Path) -> tuple[Shard, np.ndarray, tuple[str, ...]]:
    values = np.random.RandomState(0).standard_normal((7, 5)).astype(np.float32)
    names = tuple(f"{i:064x}" for i in range(7))
    shard = Shard(folder, "abc")
    write_shard(shard, values, names, {"by": "test"})
    return shard, values, names


def test_shards_round_trip_with_the_same_bytes(tmp_path):
    shard, values, names = shard_in(tmp_path / "one")
    other, _, _ = shard_in(tmp_path / "two")
    assert exists(shard)
    np.testing.assert_array_equal(read_shard(shard, names), values)
    assert shard.path.read_bytes() == other.path.read_bytes()
    assert shard.manifest.read_bytes() == other.manifest.read_bytes()
    assert json.loads(shard.manifest.read_text())["provenance"] == {"by": "test"}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_flipped_bit_or_cut_is_found_and_set_aside(tmp_path_factory, data):
    shard, _, names = shard_in(tmp_path_factory.mktemp("shard"))
    target = data.draw(st.sampled_from([shard.path, shard.manifest]))
    content = bytearray(target.read_bytes())
    if data.draw(st.booleans()):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    target.write_bytes(bytes(content))
    try:
        values = read_shard(shard, names)
    except StoreError as error:
        assert error.next_step is not None
        assert "bad-" in error.next_step
        assert not exists(shard)
        assert list(shard.folder.glob("*.bad-*"))
    else:  # a change of the manifest that leaves size and sha256 as they were
        assert target == shard.manifest
        np.testing.assert_array_equal(values, shard_in(tmp_path_factory.mktemp("again"))[1])


def test_a_shard_of_other_utterances_or_of_nothing_is_not_taken(tmp_path):
    shard, _, names = shard_in(tmp_path)
    with pytest.raises(StoreError, match="other utterances"):
        read_shard(shard, names[::-1])
    shard, _, names = shard_in(tmp_path)
    foreign = b"not hdf5"
    manifest = json.loads(shard.manifest.read_text())
    import hashlib

    manifest |= {"size": len(foreign), "sha256": hashlib.sha256(foreign).hexdigest()}
    shard.path.write_bytes(foreign)
    write_json(shard.manifest, manifest)
    with pytest.raises(StoreError, match="is not a shard"):
        read_shard(shard, names)
    shard, _, names = shard_in(tmp_path)
    shard.path.unlink()
    assert not exists(shard)
    with pytest.raises(StoreError, match="is missing"):
        read_shard(shard, names)


def test_journal_is_written_in_groups_and_read_back(tmp_path):
    path = tmp_path / "study.h5"
    backend = Hdf5JournalBackend(path, interval=3600)
    backend.append_logs([{"n": 0}, {"n": 1, "text": "zeile\nzwei ü"}])
    assert not path.exists()
    backend.flush()
    again = Hdf5JournalBackend(path)
    assert list(again.read_logs(0)) == [{"n": 0}, {"n": 1, "text": "zeile\nzwei ü"}]
    assert list(again.read_logs(1)) == [{"n": 1, "text": "zeile\nzwei ü"}]
    before = path.stat().st_mtime_ns
    again.flush()
    assert path.stat().st_mtime_ns == before
    eager = Hdf5JournalBackend(path, interval=0)
    eager.append_logs([{"n": 2}])
    assert len(list(Hdf5JournalBackend(path).read_logs(0))) == 3


@pytest.mark.parametrize("content", [b"", b"junk", b"\x89HDF\r\n\x1a\n" + b"\0" * 200])
def test_a_foreign_journal_is_refused(tmp_path, content):
    path = tmp_path / "study.h5"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged, or is not a journal"):
        Hdf5JournalBackend(path)


def test_a_journal_of_another_schema_or_unreadable_is_refused(tmp_path):
    import h5py

    path = tmp_path / "study.h5"
    with h5py.File(path, "w") as file:
        file.attrs["schema"] = "other/1"
    with pytest.raises(StoreError, match="not a journal of serab"):
        Hdf5JournalBackend(path)
    with pytest.raises(StoreError, match="cannot be read"):
        Hdf5JournalBackend(tmp_path)


def keep_appending(path: str) -> None:
    backend = Hdf5JournalBackend(Path(path), interval=0.0)
    for number in range(100_000):
        backend.append_logs([{"n": number, "filler": "x" * 50}])


@pytest.mark.parametrize("delay", [0.0, 0.013, 0.05, 0.11, 0.2])
def test_a_killed_writer_leaves_a_journal_that_can_be_read(tmp_path, delay):
    path = tmp_path / "study.h5"
    process = multiprocessing.get_context("fork").Process(target=keep_appending, args=(str(path),))
    process.start()
    while not path.exists():
        time.sleep(0.005)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    logs = list(Hdf5JournalBackend(path).read_logs(0))
    assert [log["n"] for log in logs] == list(range(len(logs)))
    assert logs
    sweep(tmp_path)
    assert parts(tmp_path) == []


def test_an_unknown_system_error_still_has_a_next_step(tmp_path):
    assert store_error(OSError("odd"), tmp_path).next_step
