"""Fresh processes for checks: their output, and their memory."""

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

LIMIT_S = 600.0  # seconds; a process that takes longer is treated as a hang
_EVERY_S = 0.02  # seconds between measurements of memory


def printed(script: str, *arguments: str, **environment: str) -> str:
    """Run a script in a fresh process and return what it prints.

    Args:
        script: Python code.
        arguments: arguments of the script.
        environment: environment variables, in addition to those of this process.

    Raises:
        ConformanceError: the script fails.
    """
    try:
        completed = subprocess.run(  # noqa: S603  scripts of serab
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
        raise ConformanceError(f"it did not finish within {LIMIT_S:.0f} s in a separate process") from error
    if completed.returncode != 0:
        raise ConformanceError(f"it fails in a separate process: {_last(completed.stderr, completed.returncode)}")
    return completed.stdout


def growth(script: str, *arguments: str, limit: int) -> int:
    """Return by how many bytes the memory of a fresh process and its children grows after it prints `ready`.

    Args:
        script: Python code, which continues immediately after printing `ready`.
        arguments: arguments of the script.
        limit: memory growth in bytes at which the process is killed.

    Returns:
        the peak above the memory at `ready`, in bytes; 0 if the system does not report memory (Linux does).

    Raises:
        ConformanceError: the script fails.
    """
    begin = time.monotonic()
    with subprocess.Popen(  # noqa: S603  scripts of serab
        python_command("-c", _begin() + script, *arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env=child_environment(),
        cwd=child_folder(),
    ) as child:
        error_lines: list[str] = []
        output, errors = cast("IO[str]", child.stdout), cast("IO[str]", child.stderr)
        listening = threading.Thread(target=error_lines.extend, args=(errors,), daemon=True)
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
            raise ConformanceError(f"it did not finish within {LIMIT_S:.0f} s")
        if code != 0:
            raise ConformanceError(f"it fails in a separate process: {_last(''.join(error_lines), code)}")
    return peak - before


def _begin() -> str:
    """Return the first line of a script: in offline mode it disables the network in the process."""
    statement = "from serab_core.system import offline; offline.disable_if_requested()\n"
    return statement if offline.is_requested() else ""


def _last(text: str, code: int) -> str:
    return (text.strip().splitlines() or [f"exit code {code}"])[-1]
