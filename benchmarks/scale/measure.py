"""Runs a serab command, and takes its time and the most memory that it and its workers held."""

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

EVERY_S = 0.05


@dataclass(frozen=True)
class Measured:
    """What a command cost, and what it printed as JSON.

    Attributes:
        peak_bytes: resident memory, summed over processes: what they share counts in each.
    """

    seconds: float
    peak_bytes: int
    document: dict

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage over all results."""
        total: dict[str, float] = {}
        for result in self.document.get("results", []):
            for name, seconds in result.get("profile", {}).get("seconds", {}).items():
                total[name] = total.get(name, 0.0) + seconds
        return total


def serab(*arguments: str, home: Path, site: Path) -> Measured:
    """Runs `serab WORDS --json`; a failure ends the study with its message."""
    command = [str(Path(sys.executable).with_name("serab")), *arguments, "--json"]
    paths = os.pathsep.join(path for path in (str(site), os.environ.get("PYTHONPATH", "")) if path)
    environment = {**os.environ, "SERAB_HOME": str(home), "PYTHONPATH": paths}
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    most = 0

    def watch() -> None:
        nonlocal most
        while process.poll() is None:
            most = max(most, memory.resident(process.pid))
            time.sleep(EVERY_S)

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, err = process.communicate()
    watcher.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}\n{err}\n{out}")
    return Measured(time.perf_counter() - begin, most, json.loads(out))
