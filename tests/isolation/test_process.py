"""Embedding functions in processes of their own: what they return, raise, print, and how they die."""

from __future__ import annotations

import numpy as np
import pytest

from serab_core.isolation.process import Process

CHILD = """
import os, signal, sys
import numpy as np
from serab_core.isolation.server import serve

def embed(waveforms):
    print("chatter")
    os.write(1, b"more chatter")
    if waveforms[0].shape[1] == 1:
        raise ValueError("too\\nshort")
    if waveforms[0].shape[1] == 2:
        print("last words", file=sys.stderr)
        os._exit(3)
    if waveforms[0].shape[1] == 3 and len(waveforms) == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    return np.stack([[len(w), w.shape[1], w.sum()] for w in waveforms])

serve(embed)
"""


@pytest.fixture
def process(tmp_path, monkeypatch):
    (tmp_path / "child_module.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(tmp_path))
    made = Process("the child", "child_module", [])
    yield made
    made.close()
    assert made._child.returncode is not None


def test_arrays_there_and_back(process):
    for _ in range(2):
        got = process.embed([np.ones((2, 3), np.float32), np.full((1, 70_000), 0.5, np.float64)])
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, [[2, 3, 6], [1, 70_000, 35_000]])


def test_what_it_raises_is_told_and_it_goes_on(process):
    with pytest.raises(RuntimeError, match="^ValueError: too short$"):
        process.embed([np.ones((1, 1))])
    assert process.embed([np.ones((1, 4))]).tolist() == [[1, 4, 4]]


def test_its_death_is_told(process):
    with pytest.raises(RuntimeError, match="the child's process died: .*last words"):
        process.embed([np.ones((1, 2))])
    with pytest.raises(RuntimeError, match="the child's process died"):
        process.embed([np.ones((1, 4))])


def test_where_it_crashed_is_told(process):
    with pytest.raises(
        RuntimeError, match=r'died: SIGSEGV; last line of its output: File ".*child_module.py", line 15 in embed$'
    ):
        process.embed([np.ones((1, 3))] * 3)


def test_a_module_that_is_not_there():
    process = Process("nothing", "serab_no_such_module", [])
    with pytest.raises(RuntimeError, match=r"nothing's process died: .*No module named serab_no_such_module"):
        process.embed([np.ones((1, 4))])
    process.close()
