"""Fresh processes that checks look into."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from serab_core.memory import family, resident

if TYPE_CHECKING:
    from collections.abc import Sequence

LIMIT_S = 600.0
_EVERY_S = 0.02


def printed(script: str, *words: str, **environment: str) -> str:
    """What a fresh process prints.

    Args:
        script: Python.
        words: its arguments.
        environment: variables beside those of this process.

    Raises:
        AssertionError: it fails.
    """
    try:
        done = subprocess.run(  # noqa: S603  our own scripts
            _command(script, words),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
            env=_environment(environment),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"it is not done after {LIMIT_S:.0f} s in a process of its own") from error
    assert done.returncode == 0, f"it fails in a process of its own: {_last(done.stderr, done.returncode)}"
    return done.stdout


def growth(script: str, *words: str, limit: int) -> int:
    """How much memory a fresh process, and those that it starts, take on after it printed `ready`, in bytes.

    Args:
        script: Python; goes on at once after `ready`.
        words: its arguments.
        limit: it is ended as soon as it has taken on so much.

    Returns:
        bytes at the peak, above those at `ready`; 0 where the system does not tell (it does on Linux).

    Raises:
        AssertionError: it fails.
    """
    begin = time.monotonic()
    with subprocess.Popen(  # noqa: S603  our own scripts
        _command(script, words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment({}),
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        said: list[str] = []
        listening = threading.Thread(target=said.extend, args=(child.stderr,), daemon=True)
        listening.start()
        while (line := child.stdout.readline()) and line.strip() != "ready":
            pass
        before = peak = resident(child.pid)
        threading.Thread(target=child.stdout.read, daemon=True).start()
        while child.poll() is None:
            peak = max(peak, resident(child.pid))
            if peak - before > limit or time.monotonic() - begin > LIMIT_S:
                for process in reversed(family(child.pid)):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, 9)
                break
            time.sleep(_EVERY_S)
        code = child.wait()
        listening.join(5)
    if peak - before <= limit:
        assert time.monotonic() - begin <= LIMIT_S, f"it is not done after {LIMIT_S:.0f} s"
        assert code == 0, f"it fails in a process of its own: {_last(''.join(said), code)}"
    return peak - before


def _command(script: str, words: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", script, *words]


def _environment(changed: dict[str, str]) -> dict[str, str]:
    paths = os.pathsep.join(path if path else str(Path.cwd()) for path in sys.path)
    return {**os.environ, "PYTHONPATH": paths, **changed}


def _last(text: str, code: int) -> str:
    return (text.strip().splitlines() or [f"exit code {code}"])[-1]
