"""Reads the metadata of installed distributions into records. No plugin is imported here."""

from __future__ import annotations

import re
from importlib import metadata
from typing import TYPE_CHECKING

from serab_registry._groups import Group
from serab_registry._records import PluginRecord, PluginState

if TYPE_CHECKING:
    from collections.abc import Iterable


def normalise(distribution: str) -> str:
    """Return a distribution's name in the normal form of the packaging specifications (lower case, single hyphens).

    It equals `packaging.utils.canonicalize_name`, whose import would delay every start of serab.
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def discover() -> tuple[PluginRecord, ...]:
    """Return every entry point of serab's groups on `sys.path`, sorted by group, name and distribution."""
    entry_points = metadata.entry_points()
    records = (record_of(group, entry) for group in Group for entry in entry_points.select(group=group.value))
    order = list(Group)
    unique = {(record.group, record.qualified): record for record in records}
    return tuple(sorted(unique.values(), key=lambda r: (order.index(r.group), r.name, r.distribution)))


def record_of(group: Group, entry: metadata.EntryPoint) -> PluginRecord:
    """Return the record of an entry point that is not loaded."""
    dist = entry.dist
    return PluginRecord(
        group=group,
        name=entry.name,
        module=entry.value,
        distribution=normalise(dist.name) if dist else "",
        version=dist.version if dist else "",
        state=PluginState.FOUND,
    )


def owners(records: Iterable[PluginRecord]) -> dict[tuple[Group, str], list[PluginRecord]]:
    """Return the records by group and name; a list with several records is a conflict."""
    table: dict[tuple[Group, str], list[PluginRecord]] = {}
    for record in records:
        table.setdefault((record.group, record.name), []).append(record)
    return table
