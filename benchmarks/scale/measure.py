"""Run a serab command, and measure its wall time and the peak memory of the command and its workers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from serab_core.system import memory

INTERVAL_S = 0.05  # seconds between two measurements of the memory


@dataclass(frozen=True)
class Measured:
    """The cost of a command, and the JSON document that it printed.

    Attributes:
        seconds: wall time.
        peak_bytes: largest sum of resident memory over all processes. Shared pages count once in each process.
        document: the printed JSON document.
    """

    seconds: float
    peak_bytes: int
    document: dict

    @property
    def stages(self) -> dict[str, float]:
        """Seconds of each phase, summed over all results."""
        total: dict[str, float] = {}
        for result in self.document.get("results", []):
            for name, seconds in result.get("profile", {}).get("seconds", {}).items():
                total[name] = total.get(name, 0.0) + seconds
        return total


def serab(*arguments: str, home: Path, site: Path) -> Measured:
    """Run `serab ARGUMENTS --json`. If the command fails, end the study with the command's message."""
    command = [str(Path(sys.executable).with_name("serab")), *arguments, "--json"]
    paths = os.pathsep.join(path for path in (str(site), os.environ.get("PYTHONPATH", "")) if path)
    environment = {**os.environ, "SERAB_HOME": str(home), "PYTHONPATH": paths}
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0

    def watch() -> None:
        nonlocal peak
        while process.poll() is None:
            peak = max(peak, memory.resident(process.pid))
            time.sleep(INTERVAL_S)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{err}\n{out}")
    return Measured(time.perf_counter() - begin, peak, json.loads(out))
