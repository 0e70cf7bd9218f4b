"""Homes on strange disks: renames that a network repeats, clocks that jump, no right to write, other versions."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import random
import re
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from serab_core.errors import StoreError
from serab_core.store import atomic
from tests.faults.test_disk import WORDS, reset
from tests.run.test_evaluate import stored


@pytest.fixture
def expected(prepared_tones, serab, home):
    """What an undisturbed run stores."""
    code, _, err = serab(*WORDS)
    assert code == 0, err
    return stored(home)


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ESTALE])
def test_a_rename_whose_answer_was_lost(expected, serab, home, monkeypatch, number):
    """As of NFS: the rename is done, its answer is lost, and the second try says that there is no such file."""
    reset(home)
    real, done = os.replace, []

    def lossy(old, new):
        real(old, new)
        done.append(new)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", lossy)
    code, _, err = serab(*WORDS)
    monkeypatch.undo()
    assert code == 0, err
    assert len(done) > 5
    assert stored(home) == expected


def test_a_rename_that_was_not_done_is_none(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def lost(old, new):
        os.unlink(old)
        raise OSError(errno.ENOENT, "no such file")

    monkeypatch.setattr(os, "replace", lost)
    with pytest.raises(StoreError, match="no such file"):
        atomic.write_bytes(path, b"new")
    assert path.read_bytes() == b"old"


def test_clocks_that_jump(expected, serab, home, monkeypatch):
    """Forwards and backwards by up to three years, at every look."""
    reset(home)
    real, draw = time.time, random.Random(0)
    monkeypatch.setattr(time, "time", lambda: real() + draw.uniform(-1e8, 1e8))
    code, _, err = serab(*WORDS)
    assert code == 0, err
    assert stored(home) == expected
    with atomic.replacing(home.root / "results" / "mine.json") as half:
        half.write_text("half")
        os.utime(half, (1e9, 1e9))
        home.ensure()  # sweeps
        assert half.exists()
        half.write_text("{}")
    (home.root / "results" / "mine.json").unlink()
    assert serab(*WORDS)[0] == 0
    assert stored(home) == expected


@contextmanager
def read_only(root: Path):
    """Whatever would write below `root` fails, also for a user who may write everywhere."""

    def refuse(path: object) -> None:
        if str(path).startswith(str(root)):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    with pytest.MonkeyPatch.context() as patch:
        for name in ("mkdir", "replace", "rename", "unlink", "remove", "rmdir", "utime"):
            real = getattr(os, name)

            def call(path, *more, real=real, **named):
                refuse(path)
                return real(path, *more, **named)

            patch.setattr(os, name, call)
        real_open, real_os_open = io.open, os.open

        def opened(file, mode="r", *more, **named):
            if set(mode) & set("wax+"):
                refuse(file)
            return real_open(file, mode, *more, **named)

        def os_opened(path, flags, *more, **named):
            if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                refuse(path)
            return real_os_open(path, flags, *more, **named)

        patch.setattr(io, "open", opened)
        patch.setattr(builtins, "open", opened)
        patch.setattr(os, "open", os_opened)
        yield


def test_a_home_that_cannot_be_written(expected, serab, home, tmp_path):
    page = tmp_path / "report.html"
    with read_only(home.root):
        for words in (
            ("leaderboard",),
            ("report", "--output", str(page)),
            ("list", "extractors"),
            ("data", "list"),
            ("data", "show", "tones"),
            ("studies", "ls"),
            ("cache", "ls"),
            ("cache", "verify"),
            ("weights", "list"),
            ("results", "export", str(tmp_path / "results.json")),
        ):
            code, _, err = serab(*words)
            assert code == 0, (words, err)
        code, _, err = serab(*WORDS)
        assert code == 6
        assert "read-only file system" in " ".join(err.split())
        assert "SERAB_HOME" in err
    assert page.stat().st_size > 10_000
    assert stored(home) == expected


def test_files_of_an_older_version_are_made_anew(expected, serab, home, tones_folder):
    """All but the corpus, which the user has to prepare again, and is told so."""
    older = re.compile(rb'"schema": "(serab\.[a-z-]+)/\d+"')
    for room in (home.embeddings, home.studies, home.results):
        for path in room.rglob("*.json"):
            path.write_bytes(older.sub(rb'"schema": "\1/0"', path.read_bytes()))
        for path in room.rglob("*.h5"):
            path.write_bytes(path.read_bytes().replace(b"serab.shard/1", b"serab.shard/0"))
    code, _, err = serab(*WORDS)
    assert code == 0, err
    assert stored(home) == expected
    assert list(home.embeddings.rglob("*.bad-*"))

    index = home.datasets / "tones" / "index.json"
    index.write_bytes(older.sub(rb'"schema": "\1/0"', index.read_bytes()))
    code, _, err = serab(*WORDS)
    told = " ".join(err.split())
    assert code in (5, 6), told
    assert "serab data prepare tones" in told
    assert json.loads(index.read_bytes())["schema"].endswith("/0")  # it is not touched
    code, _, err = serab("data", "prepare", "tones", str(tones_folder))
    assert code == 0, err
    assert serab(*WORDS)[0] == 0
    assert stored(home) == expected


def test_a_home_that_is_no_folder(serab, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "file" / "home"))
    code, _, err = serab("eval", "chance")
    assert code in (3, 6)
    code, _, err = serab("cache", "verify")
    assert code in (0, 6), err
    assert "Traceback" not in err
