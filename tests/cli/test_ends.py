"""How the command ends: output that cannot be written, a terminal that closes, a thread that is stuck."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SERAB = "import sys; from serab_core.cli import main; sys.argv[0] = 'serab'; main()"
FULL = Path("/dev/full")


@pytest.fixture
def shell(toys, tmp_path):
    """`shell(line)` runs a line of `sh`, in which `$SERAB` is the command."""

    def call(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path), **environment}
        (tmp_path / "serab").write_text(f'#!/bin/sh\nexec {sys.executable} -c "{SERAB}" "$@"\n')
        (tmp_path / "serab").chmod(0o755)
        variables["SERAB"] = str(tmp_path / "serab")
        return subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=variables, capture_output=True, encoding="utf-8", timeout=60
        )

    return call


@pytest.mark.skipif(not FULL.exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("words", ["--version", "data nonsense --json", "eval nonsense --json"])
@pytest.mark.parametrize(("stream", "reason"), [(">/dev/full", "no space left"), (">&-", "bad file descriptor")])
def test_a_result_that_cannot_be_written(shell, words, stream, reason):
    done = shell(f"$SERAB {words} {stream}")
    assert done.returncode == 6
    assert f"standard output: cannot be written ({reason}" in done.stderr
    assert "Next: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("streams", [">&- 2>&- <&-", ">/dev/full 2>/dev/full"])
def test_both_streams_are_gone(shell, streams):
    assert shell(f"$SERAB config {streams}").returncode == 6


@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_messages_that_cannot_be_written_stop_nothing(shell, stream):
    done = shell(f"$SERAB config --json {stream}")
    assert done.returncode == 0
    assert json.loads(done.stdout)["schema"] == "serab.config/1"


def test_a_reader_that_goes_away(shell):
    done = shell("$SERAB config --schema | head -1")
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_closed_descriptor_is_no_file_of_a_plugin(shell, tmp_path):
    """What native code prints would be written into the file that got the number of a standard stream."""
    script = (
        "import os, sys\nfrom serab_core.cli.streams import prepare_streams\nprepare_streams()\n"
        "file = open('result', 'wb')\nos.write(1, b'noise'); os.write(2, b'noise'); file.close()\n"
        "os._exit(os.path.getsize('result'))"
    )
    assert shell(f'{sys.executable} -c "{script}" >&- 2>&- <&-').returncode == 0


STUCK = """
import atexit, sys, tempfile, threading, time
from serab_core.cli import main
atexit.register(open(sys.argv.pop(), "w").write, "done")
threading.Thread(target=time.sleep, args=(60,), name="model").start()
main()
"""


def test_what_waits_for_the_exit_is_done_though_a_thread_is_stuck(shell, tmp_path):
    (tmp_path / "stuck.py").write_text(STUCK)
    done = shell(f"{sys.executable} stuck.py --version {tmp_path}/mark")
    assert "ended although a plugin left a thread running (model)" in done.stderr
    assert (done.returncode, done.stdout[:6]) == (0, "serab ")
    assert (tmp_path / "mark").exists()


ENDS = """
import atexit, sys
from serab_core.system.lifecycle import end_process
atexit.register(print, "registered")
if sys.argv[1] == "hangs":
    import time
    atexit.register(time.sleep, 60)
if sys.argv[1] == "raises":
    atexit.register(sys.exit, 3)
print("before")
end_process(5)
"""


@pytest.mark.parametrize("how", ["well", "raises", "hangs"])
def test_the_end_of_a_process(shell, how):
    begin = time.monotonic()
    done = shell(f"{sys.executable} -c '{ENDS}' {how}")
    assert done.returncode == 5
    assert done.stdout.split() == ["before", *([] if how == "hangs" else ["registered"])]
    assert time.monotonic() - begin < 20


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
@pytest.mark.parametrize("number", ["SIGHUP", "SIGTERM"])
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_terminal_that_closes(prepared_tones, tmp_path, number, jobs):
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    words = ["eval", "toy-bad/slow", "-t", "tones", "-c", "centroid", "-j", jobs]
    with subprocess.Popen(
        [sys.executable, "-c", SERAB, *words], env=variables, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
        encoding="utf-8", start_new_session=True,
    ) as process:  # fmt: skip
        lines = iter(process.stderr.readline, "")
        assert any("Embedding" in line for line in lines)
        time.sleep(0.5)
        (os.killpg if number == "SIGHUP" else os.kill)(process.pid, getattr(signal, number))  # as a terminal does
        rest = process.stderr.read()
        assert process.wait(30) == 130
    assert "Error (InterruptedRunError)" in rest
    assert "leaked" not in rest
    assert "resource_tracker" not in rest


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="the system has no SIGHUP")
def test_nohup_is_obeyed(shell, tmp_path):
    (tmp_path / "hup.py").write_text(
        "import os, signal, sys\nfrom serab_core.cli import main as command\n"
        "sys.modules['serab_core.cli.main'].run = lambda words: os.kill(os.getpid(), signal.SIGHUP) or 0\ncommand()\n"
    )
    assert shell(f"trap '' HUP; {sys.executable} hup.py").returncode == 0
