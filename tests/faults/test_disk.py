"""The disk fails at the k-th call, for every k: a sentence, an exit code, and then the same bytes as without."""

from __future__ import annotations

import errno
import io
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import amount
from tests.run.test_evaluate import stored

WORDS = ("eval", "toy/corpus", "--tasks", "tones", "--classifiers", "knn", "--jobs", "1")


class Failing:
    """A file that takes half of what it is given, and then fails."""

    def __init__(self, file, error):
        self._file, self._error = file, error

    def write(self, content):
        self._file.write(content[: len(content) // 2])
        self._file.flush()
        raise self._error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


@contextmanager
def disk(root: Path, at: int, number: int):
    """Counts calls that write below `root`, and fails the `at`th with `number`."""
    count, failed = 0, []
    real = {name: getattr(os, name) for name in ("replace", "fsync", "mkdir", "rename")}
    real_open = io.open

    def due() -> bool:
        nonlocal count
        count += 1
        if count == at:
            failed.append(count)
            return True
        return False

    def error() -> OSError:
        return OSError(number, os.strerror(number))

    def guarded(name):
        def call(*arguments, **named):
            inside = name == "fsync" or str(arguments[0]).startswith(str(root))
            if inside and due():
                raise error()
            return real[name](*arguments, **named)

        return call

    def opened(file, mode="r", *arguments, **named):
        if isinstance(file, str | Path) and str(file).startswith(str(root)) and set(mode) & set("wax"):
            if due():
                raise error()
            if due():
                return Failing(real_open(file, mode, *arguments, **named), error())
        return real_open(file, mode, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in real:
            patch.setattr(os, name, guarded(name))
        patch.setattr(io, "open", opened)
        yield lambda: (count, bool(failed))


def reset(home) -> None:
    for room in (home.embeddings, home.studies, home.results, home.speed):
        shutil.rmtree(room, ignore_errors=True)


def test_every_write_may_fail(prepared_tones, serab, home, report_fault):
    home.ensure()
    reset(home)
    with disk(home.root, 0, 0) as told:
        assert serab(*WORDS)[0] == 0
    calls, _ = told()
    expected = stored(home)
    assert calls > 20
    step = max(1, calls // amount("WRITES", 8))
    injected = survived = 0
    for number in (errno.ENOSPC, errno.EIO, errno.EACCES):
        for at in range(1, calls + 1, step):
            reset(home)
            with disk(home.root, at, number) as told:
                code, out, err = serab(*WORDS)
            failed = told()[1]
            injected += failed
            assert "Traceback" not in err, err
            assert code in (0, 6, 9), (at, number, err)
            if failed and code:
                assert "Next:" in out + err, (at, out, err)
            assert serab(*WORDS)[0] == 0
            assert stored(home) == expected, (at, number)
            assert not list(home.root.rglob(".*.part-*"))
            survived += failed
    report_fault("writes that failed", calls=calls, injected=injected, survived=survived, lost=injected - survived)
