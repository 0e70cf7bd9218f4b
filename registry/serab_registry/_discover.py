"""Reads the installed distributions' metadata into records. No plugin code is imported here."""

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

    The same as `packaging.utils.canonicalize_name`, whose import would make every start of serab slower.
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def discover() -> tuple[PluginRecord, ...]:
    """Every entry point of serab's groups on `sys.path`, sorted by group, name and distribution."""
    entry_points = metadata.entry_points()
    records = (record_of(group, entry) for group in Group for entry in entry_points.select(group=group.value))
    order = list(Group)
    unique = {(record.group, record.qualified): record for record in records}
    return tuple(sorted(unique.values(), key=lambda r: (order.index(r.group), r.name, r.distribution)))


def record_of(group: Group, entry: metadata.EntryPoint) -> PluginRecord:
    """The record of one entry point, before anything is loaded."""
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
    """The records by group and name; more than one in a list is a conflict."""
    table: dict[tuple[Group, str], list[PluginRecord]] = {}
    for record in records:
        table.setdefault((record.group, record.name), []).append(record)
    return table
