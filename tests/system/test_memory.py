"""Memory figures of processes, and the limit of this one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from serab_core.system import memory

MEGABYTE = 2**20
PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "data = bytearray(b'x') * 100_000_000; print(1, flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
input()
child.communicate(b"\\n")
"""


def test_descendants_count():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=-1, stdout=-1, text=True) as parent:
        child = int(parent.stdout.readline())
        assert set(memory.family(parent.pid)) == {parent.pid, child}
        assert 100_000_000 < memory.resident(child) < memory.resident(parent.pid) < 400 * MEGABYTE
        if sys.platform == "linux":
            assert memory.peak(parent.pid) >= memory.resident(parent.pid)
        parent.communicate("\n")
    assert memory.family(parent.pid) == []
    assert memory.resident(parent.pid) == memory.peak(parent.pid) == 0


def test_the_limit_of_a_control_group_counts(monkeypatch, tmp_path):
    machine = memory.total_memory()
    assert machine > 100 * MEGABYTE
    limits = {"memory.max": "max\n"}
    monkeypatch.setattr(memory, "Path", lambda path: tmp_path / os.path.basename(path))
    for name, text in limits.items():
        (tmp_path / name).write_text(text)
    assert memory.total_memory() >= machine
    (tmp_path / "memory.max").write_text(f"{50 * MEGABYTE}\n")
    assert memory.total_memory() == 50 * MEGABYTE


@pytest.mark.parametrize("words", [["--help"], ["eval", "--help"]])
def test_help_imports_no_library_for_memory_locks_or_versions(words):
    code = (
        "import sys; sys.argv = ['serab', *sys.argv[1:]]\n"
        "from serab_core.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('psutil', 'filelock', 'packaging') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
