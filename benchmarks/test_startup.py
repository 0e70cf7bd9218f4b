"""Cold start of the command, against a Python process that does nothing. Each round is a new process.

tox run -e bench -- benchmarks/test_startup.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SERAB = str(Path(sys.executable).with_name("serab"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "serab --version": [SERAB, "--version"],
    "serab --help": [SERAB, "--help"],
    "serab list extractors": [SERAB, "list", "extractors"],
    "serab plugins --no-load": [SERAB, "plugins", "--no-load"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.benchmark(group="start-up")
def test_start(benchmark, command):
    def call() -> None:
        subprocess.run(COMMANDS[command], check=True, stdout=subprocess.DEVNULL)

    benchmark.pedantic(call, rounds=15, warmup_rounds=2)
