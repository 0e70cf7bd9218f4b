"""The registry with 1, 50 and 500 installed plugins: listing names and loading a plugin, against importlib.metadata.

tox run -e bench -- benchmarks/test_registry.py

Each round is a new process. The entry `nothing` is a process that only imports the registry.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

COUNTS = (1, 50, 500)
MODULE = """
import numpy as np
from serab_core import ExtractorSpec, hookimpl

@hookimpl
def serab_register_extractors(register):
    register(ExtractorSpec("{name}", lambda: None, 2, "nothing", "MIT", citation="@misc{{n}}"))
"""
_NAMES = "plugins.registry().names(Group.EXTRACTORS)"
CALLS = {
    "serab: names": f"from serab_core import plugins; from serab_registry import Group; {_NAMES}",
    "serab: one loaded": "from serab_core import plugins; plugins.extractor('many-0')",
    "importlib.metadata": "from importlib.metadata import entry_points; list(entry_points(group='serab.extractors'))",
    "nothing": "import serab_core, serab_registry",
}


@pytest.fixture(scope="module", params=COUNTS)
def site(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"site-{request.param}")
    for number in range(request.param):
        name = f"many-{number}"
        info = folder / f"serab_many_{number}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: serab-many-{number}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[serab.extractors]\n{name} = many_{number}\n")
        (folder / f"many_{number}.py").write_text(MODULE.format(name=name))
    return request.param, folder


@pytest.mark.parametrize("call", CALLS)
def test_registry(benchmark, site, call, tmp_path):
    count, folder = site
    benchmark.group = f"a process with {count} more plugins installed"
    environment = {**os.environ, "PYTHONPATH": str(folder), "SERAB_HOME": str(tmp_path)}
    command = [sys.executable, "-c", CALLS[call]]
    benchmark.pedantic(lambda: subprocess.run(command, env=environment, check=True), rounds=9, warmup_rounds=1)
