"""Shell completion of names. Names come from metadata; a plugin is loaded only to list its variants."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from serab_core.cli.output import find_home

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.plugins.entry_points import Group


def extractors(incomplete: str) -> list[str]:
    """Return the names of extractors; once a name has a slash, the variants of that extractor."""
    from serab_core.plugins.entry_points import Group

    return _names(Group.EXTRACTORS, incomplete)


def classifiers(incomplete: str) -> list[str]:
    """Return the names of classifiers, for the last item of a comma-separated list."""
    from serab_core.plugins.entry_points import Group

    return _last(incomplete, lambda word: _names(Group.CLASSIFIERS, word))


def datasets(incomplete: str) -> list[str]:
    """Return the names of the datasets of installed plugins."""
    from serab_core.plugins.entry_points import Group

    return _names(Group.DATASETS, incomplete)


def tasks(incomplete: str) -> list[str]:
    """Return the names of tasks, prepared or not, for the last item of a comma-separated list."""
    from serab_core.data.prepared import prepared_names

    def matching(word: str) -> list[str]:
        names: set[str] = set(datasets(word))
        with suppress(Exception):
            names |= {name for name in prepared_names(find_home()) if name.startswith(word)}
        return sorted(names)

    return _last(incomplete, matching)


def metrics(incomplete: str) -> list[str]:
    """Return the names of metrics that rank extractors."""
    from serab_core.score.metrics import RANKING_METRICS

    return [name for name in RANKING_METRICS if name.startswith(incomplete)]


def protocols(incomplete: str) -> list[str]:
    """Return the names of the protocols."""
    from serab_core.data.protocols import PROTOCOLS

    return [name for name in PROTOCOLS if name.startswith(incomplete)]


def anything(incomplete: str) -> list[str]:
    """Return the names of extractors, datasets, classifiers and the distributions that provide them."""
    from serab_core import plugins
    from serab_core.plugins.entry_points import Group

    groups = (Group.EXTRACTORS, Group.DATASETS, Group.CLASSIFIERS)
    names = {name for group in groups for name in _names(group, incomplete)}
    with suppress(Exception):
        distributions = {record.distribution for group in groups for record in plugins.registry().records(group)}
        names |= {name for name in distributions if name.startswith(incomplete)}
    return sorted(names)


def _names(group: Group, word: str) -> list[str]:
    """Return the names that begin with a word; an empty list after any error, because the shell would print it."""
    from serab_core import plugins

    with suppress(Exception):
        registry = plugins.registry()
        if "/" not in word:
            known = plugins.extractor_names() if group.kind == "extractor" else registry.names(group)
            return sorted(name for name in known if name.startswith(word))
        items = registry.load(group, word.partition("/")[0]).items
        return sorted(name for name in items if name.startswith(word))
    return []


def _last(incomplete: str, find: Callable[[str], list[str]]) -> list[str]:
    """Complete the last item of a comma-separated list."""
    before, comma, word = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in find(word)]
