"""The public names: listed, documented with examples that are run, and light to import."""

from __future__ import annotations

import doctest
import importlib
import inspect
import json
import subprocess
import sys

import pytest

import serab
import serab_core
from serab_core import api

MODULES = sorted({"serab", *api.MODULES.values()} - {"serab_core.errors"})
MODULES += [
    "serab_core.names",
    "serab_core.score.compare",
    "serab_core.score.few_speakers",
    "serab_core.score.influence",
]


def test_the_names_are_the_listed_ones():
    assert dir(serab) == serab.__all__
    assert sorted({*api.__all__, "__version__"}) == serab.__all__
    assert sorted(api.MODULES) == api.__all__ == dir(api)
    for name in serab.__all__:
        assert getattr(serab, name) is getattr(serab_core, name)
    for module in (serab, api):
        with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
            module.nonsense  # noqa: B018


@pytest.mark.parametrize("name", api.__all__)
def test_each_name_is_documented(name):
    item = getattr(serab, name)
    assert inspect.getdoc(item)
    if inspect.isfunction(item):
        assert ">>>" in item.__doc__
    if inspect.isclass(item) and item.__module__.startswith("serab_core.api"):
        public = [member for key, member in vars(item).items() if key[0] != "_" and callable(member)]
        assert all(inspect.getdoc(member) for member in public)


@pytest.mark.standard
@pytest.mark.parametrize("module", MODULES)
def test_examples(module, tmp_path_factory, monkeypatch):
    home = tmp_path_factory.getbasetemp() / "examples-home"  # shared: what one module computed the next one finds
    monkeypatch.setenv("SERAB_HOME", str(home))
    failed, tried = doctest.testmod(importlib.import_module(module), extraglobs={"serab": serab}, report=True)
    assert failed == 0
    assert tried > 0


def test_importing_it_is_light():
    code = "import json, sys, serab; serab.evaluate; dir(serab); print(json.dumps(list(sys.modules)))"
    light = "import json, sys, serab; dir(serab); print(json.dumps(list(sys.modules)))"
    for program, heavy in (
        (light, {"numpy", "rich", "torch"}),
        (code, {"torch", "numba", "sklearn", "pandas", "optuna"}),
    ):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not heavy & set(json.loads(done.stdout))


def test_the_command_is_a_module():
    done = subprocess.run([sys.executable, "-m", "serab", "--version"], capture_output=True, text=True, check=True)
    assert serab.__version__ in done.stdout
