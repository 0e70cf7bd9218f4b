"""The catalog of known plugins, installed or not."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serab_registry._groups import Group


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A distribution of the catalog, and the names that it provides in each group."""

    distribution: str
    summary: str
    names: dict[str, tuple[str, ...]]

    def offers(self, group: Group, name: str) -> bool:
        """Return whether the distribution provides `name` (variants such as `a/b` count as `a`)."""
        return name.partition("/")[0] in self.names.get(group.value.removeprefix("serab."), ())


@cache
def read_catalog() -> tuple[CatalogEntry, ...]:
    """Return the entries of `catalog.toml`, in its order."""
    table = tomllib.loads(files("serab_registry").joinpath("catalog.toml").read_text(encoding="utf-8"))
    return tuple(
        CatalogEntry(
            distribution=name,
            summary=entry["summary"],
            names={kind: tuple(names) for kind, names in entry["names"].items()},
        )
        for name, entry in table["plugins"].items()
    )
