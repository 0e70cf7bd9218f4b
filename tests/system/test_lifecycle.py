"""The working folder is no place to import from, unless an installed package lies there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from serab_core.system.lifecycle import leave_working_folder

LIBRARY = str(Path(os.__file__).parent)
SITE = "/opt/venv/lib/python3.11/site-packages"


@pytest.fixture
def left(tmp_path, monkeypatch):
    """`left(path)` is the path for imports after the working folder was left; "HERE" stands for that folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSAFEPATH", "1")

    def run(*path: str, pythonpath: str = "") -> list[str]:
        here = str(tmp_path)
        monkeypatch.setenv("PYTHONPATH", pythonpath.replace("HERE", here))
        monkeypatch.setattr(sys, "path", [here if item == "HERE" else item for item in path])
        leave_working_folder()
        return ["HERE" if item == here else item for item in sys.path]

    return run


def test_what_python_put_first_is_taken_off(left):
    for first in ("", "HERE"):
        assert left(first, LIBRARY, SITE) == [LIBRARY, SITE]
    assert left("/bin", "", LIBRARY, SITE, pythonpath=f":{LIBRARY}") == ["/bin", LIBRARY, SITE]


def test_the_folder_of_an_editable_install_stays(left):
    """Its `.pth` file puts it behind the installed packages; somebody who works on a plugin runs serab there."""
    for first in ("", "HERE", "/bin"):
        kept = [] if first in ("", "HERE") else [first]
        assert left(first, LIBRARY, SITE, "HERE") == [*kept, LIBRARY, SITE, "HERE"]
    assert left("", LIBRARY, SITE, "HERE", "") == [LIBRARY, SITE, "HERE"]


def test_a_folder_that_pythonpath_names_stays(left):
    assert left("HERE", LIBRARY, SITE, pythonpath="HERE") == ["HERE", LIBRARY, SITE]


def test_without_installed_packages_only_the_rest_stays(left):
    assert left("", LIBRARY, "HERE") == [LIBRARY]
