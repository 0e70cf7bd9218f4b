"""The catalog says what our own distributions really bring."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from serab_registry import read_catalog

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.mark.parametrize("folder", sorted(PLUGINS.glob("serab-plugin-*")), ids=lambda p: p.name)
def test_entry_points(folder):
    declared = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    entry = next(entry for entry in read_catalog() if entry.distribution == declared["name"])
    groups = {group.removeprefix("serab."): sorted(names) for group, names in declared["entry-points"].items()}
    assert groups == {kind: sorted(names) for kind, names in entry.names.items()}
    assert (folder / "README.md").read_text().startswith(f"# {declared['name']}")
