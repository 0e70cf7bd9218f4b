"""Files that cannot be read, because of rights or a fault of the disk: an error, never damage; nothing is moved."""

from __future__ import annotations

import ctypes
import errno
import io
import itertools
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serab_core.cli.main import run
from serab_core.store.inspect import verify_home
from tests.run.test_evaluate import stored

EVAL = ("eval", "toy/corpus", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1")
NOBODY = 65534


def snapshot(home) -> dict[str, tuple[int, bytes]]:
    return {str(path): (path.stat().st_ino, path.read_bytes()) for path in home.root.rglob("*") if path.is_file()}


@pytest.fixture
def filled(prepared_tones, serab, home):
    """A home with everything of one evaluation in it."""
    code, _, err = serab(*EVAL)
    assert code == 0, err
    return home


@contextmanager
def unreadable(path: Path, number: int) -> Iterator[None]:
    """Let every read of a file fail as the system would."""
    real_open, real_stat = io.open, os.stat

    def opened(file, mode="r", *more, **named):
        if isinstance(file, str | Path) and Path(file) == path and "r" in mode:
            raise OSError(number, os.strerror(number), str(file))
        return real_open(file, mode, *more, **named)

    def examined(file, *more, **named):
        if number == errno.EIO and isinstance(file, str | Path) and Path(file) == path:
            raise OSError(number, os.strerror(number), str(file))
        return real_stat(file, *more, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "open", opened)
        patch.setattr(os, "stat", examined)
        yield


def one_of_each(home) -> dict[str, Path]:
    return {
        "manifest": next(p for p in home.embeddings.glob("*/*.json") if len(p.stem) == 32),
        "shard": next(home.embeddings.glob("*/*.h5")),
        "state": next(home.embeddings.glob("*/corpus-*.json")),
        "repeat": next(home.embeddings.glob("*/repeat.json")),
        "outcome": next(home.studies.glob("*.json")),
        "journal": next(home.studies.glob("*.h5")),
        "result": next(home.results.rglob("*.json")),
        "index": home.datasets / "tones" / "index.json",
    }


def test_verify_names_what_cannot_be_read_and_moves_nothing(filled, serab):
    before = snapshot(filled)
    cases = one_of_each(filled)
    del cases["state"], cases["repeat"]  # computed again from what is verified
    for kind, path in cases.items():
        for number in (errno.EACCES, errno.EIO, errno.ESTALE):
            with unreadable(path, number):
                code, out, err = serab("cache", "verify", "--json")
            document = json.loads(out)
            assert code == 6, (kind, err)
            assert document["damaged"] == [], kind
            (error,) = document["unreadable"]
            assert Path(error["path"]).stem == path.stem
            assert os.strerror(number).lower() in error["what"]
            assert snapshot(filled) == before, kind
    with unreadable(path, errno.EACCES):
        code, out, _ = serab("cache", "verify")
    assert code == 6
    assert "0 damaged, 1 could not be read" in out
    assert "left in place" in out


def test_an_evaluation_that_cannot_read_says_so_and_writes_nothing_over(filled, serab, tmp_path):
    expected = stored(filled)
    whole = shutil.copytree(filled.root, tmp_path / "whole")
    results, outcomes, journals = (filled.results, "*/*/*.json"), (filled.studies, "*.json"), (filled.studies, "*.h5")
    absent = {"result": (), "index": (), "outcome": (results,), "journal": (results, outcomes)}
    for number, (kind, path) in itertools.product((errno.EACCES, errno.EIO), one_of_each(filled).items()):
        shutil.rmtree(filled.root)
        shutil.copytree(whole, filled.root)
        for folder, pattern in absent.get(kind, (results, outcomes, journals)):
            for file in folder.glob(pattern):
                file.unlink()
        inode, content = path.stat().st_ino, path.read_bytes()
        with unreadable(path, number):
            code, out, err = serab(*EVAL)
        words = " ".join((out + err).split())
        assert code in (6, 9), (kind, words)
        assert os.strerror(number).lower() in words, kind
        assert "Next:" in words
        assert "Traceback" not in words
        assert (path.stat().st_ino, path.read_bytes()) == (inode, content), kind
        assert not list(filled.root.rglob("*.bad-*"))
        assert serab(*EVAL)[0] == 0
        assert stored(filled) == expected


def test_embeddings_are_not_cleared_while_a_result_cannot_be_read(filled, serab):
    with unreadable(one_of_each(filled)["result"], errno.EACCES):
        code, _, err = serab("cache", "gc", "--yes", "--days", "0")
    assert code == 6
    assert "permission denied" in err
    assert list(filled.embeddings.glob("*/*.h5"))


def test_damage_that_may_not_be_set_aside_is_told(filled, serab, monkeypatch, quiet):
    """As in a folder with the sticky bit, where each user may rename only files of their own."""
    shard = one_of_each(filled)["shard"]
    shard.write_bytes(b"damaged")
    real = os.rename

    def refuse(old, new):
        if ".bad-" in str(new):
            raise PermissionError(errno.EPERM, "Operation not permitted")
        real(old, new)

    monkeypatch.setattr(os, "rename", refuse)
    verified = verify_home(filled, quiet)
    (damage,) = verified.damaged
    assert (damage.path, damage.aside) == (shard, False)
    assert "does not match its manifest" in damage.problem
    assert "cannot be set aside" in damage.problem
    code, out, err = serab("cache", "verify")
    assert code == 6
    assert "left in place" in out
    for path in [*filled.results.rglob("*.json"), *filled.studies.glob("*.*")]:
        path.unlink()
    code, out, err = serab(*EVAL)
    words = " ".join((out + err).split())
    assert code == 9
    assert "set aside, and it is damaged (operation not permitted)" in words
    assert "Traceback" not in words


def give_up_rights() -> None:
    """Take from this process, and from those that it starts, root's right to read, write and rename anybody's files.

    It stays the owner of the checkout and of the environment, which other users may have no right to read.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    secure_bits, no_root = (
        28,
        0b11,
    )  # linux/prctl.h, linux/securebits.h
    libc.prctl(secure_bits, no_root, 0, 0, 0)
    version, process = 0x20080522, 0  # linux/capability.h: the third form, of the calling process
    header, nothing = (ctypes.c_uint32 * 2)(version, process), (ctypes.c_uint32 * 6)()
    if libc.capset(header, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def without_rights(*words: str) -> tuple[int, str]:
    """Run a command without root's rights, and return its exit code and what it printed."""
    with tempfile.TemporaryFile("w+") as printed:
        child = os.fork()
        if child == 0:
            code = 99
            sys.stdout = sys.stderr = printed
            try:
                give_up_rights()
                code = run(list(words))
            except BaseException:
                traceback.print_exc()
            finally:
                printed.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed.seek(0)
        return code, printed.read()


@pytest.mark.skipif(sys.platform != "linux" or os.getuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize("mode", [0o777, 0o1777], ids=["all may write", "sticky"])
def test_two_users_on_one_home(filled, mode):
    """The home is another user's, who has a umask of 077; the folders are for all."""

    def share(folders: int, files: int) -> None:
        for path in (filled.root, *filled.root.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
            path.chmod(folders if path.is_dir() else files)

    share(mode, 0o600)
    before = snapshot(filled)
    for words in (("cache", "verify"), EVAL, ("cache", "gc", "--yes", "--days", "0")):
        code, printed = without_rights(*words)
        assert code == 6, printed
        assert snapshot(filled) == before, printed
    share(0o755, 0o644)
    for words in (("cache", "verify"), ("leaderboard",)):  # a user who may read everything and write nothing
        code, printed = without_rights(*words)
        assert code == 0, printed
    assert snapshot(filled) == before
    share(mode, 0o644)
    code, printed = without_rights(*EVAL)  # everything is there, and is used
    assert code == 0, printed
    assert snapshot(filled).items() >= before.items()
