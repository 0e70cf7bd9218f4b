"""Fresh processes that checks look into."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from typing import IO, cast

from serab_core.isolation.python import child_environment, child_folder, python_command
from serab_core.system import offline
from serab_core.system.memory import family, resident
from serab_core.testing.checks import ConformanceError

LIMIT_S = 600.0
_EVERY_S = 0.02


def printed(script: str, *arguments: str, **environment: str) -> str:
    """What a fresh process prints.

    Args:
        script: Python.
        words: its arguments.
        environment: variables beside those of this process.

    Raises:
        ConformanceError: it fails.
    """
    try:
        completed = subprocess.run(  # noqa: S603  our own scripts
            python_command("-c", _begin() + script, *arguments),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT_S,
            stdin=subprocess.DEVNULL,
            env=child_environment(**environment),
            cwd=child_folder(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConformanceError(f"it is not done after {LIMIT_S:.0f} s in a process of its own") from error
    if completed.returncode != 0:
        raise ConformanceError(f"it fails in a process of its own: {_last(completed.stderr, completed.returncode)}")
    return completed.stdout


def growth(script: str, *arguments: str, limit: int) -> int:
    """How much memory a fresh process, and those that it starts, take on after it printed `ready`, in bytes.

    Args:
        script: Python; goes on at once after `ready`.
        words: its arguments.
        limit: it is ended as soon as it has taken on so much.

    Returns:
        bytes at the peak, above those at `ready`; 0 where the system does not tell (it does on Linux).

    Raises:
        ConformanceError: it fails.
    """
    begin = time.monotonic()
    with subprocess.Popen(  # noqa: S603  our own scripts
        python_command("-c", _begin() + script, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=child_environment(),
        cwd=child_folder(),
    ) as child:
        said: list[str] = []
        output, errors = cast("IO[str]", child.stdout), cast("IO[str]", child.stderr)
        listening = threading.Thread(target=said.extend, args=(errors,), daemon=True)
        listening.start()
        while (line := output.readline()) and line.strip() != "ready":
            pass
        before = peak = resident(child.pid)
        threading.Thread(target=output.read, daemon=True).start()
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
        if not time.monotonic() - begin <= LIMIT_S:
            raise ConformanceError(f"it is not done after {LIMIT_S:.0f} s")
        if code != 0:
            raise ConformanceError(f"it fails in a process of its own: {_last(''.join(said), code)}")
    return peak - before


def _begin() -> str:
    """What a script starts with: under `--offline` the network is disabled in its process, too."""
    statement = "from serab_core.system import offline; offline.disable_if_requested()\n"
    return statement if offline.is_requested() else ""


def _last(text: str, code: int) -> str:
    return (text.strip().splitlines() or [f"exit code {code}"])[-1]
