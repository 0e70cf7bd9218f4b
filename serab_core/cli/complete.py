"""What the shell offers when the user presses Tab: names out of metadata; a plugin is loaded for its variants only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_registry import Group


def extractors(incomplete: str) -> list[str]:
    """Extractors by entry point; the variants of the one that is named already."""
    from serab_registry import Group

    return _names(Group.EXTRACTORS, incomplete)


def classifiers(incomplete: str) -> list[str]:
    """Classifiers, the last of several by commas."""
    from serab_registry import Group

    return _last(incomplete, lambda word: _names(Group.CLASSIFIERS, word))


def datasets(incomplete: str) -> list[str]:
    """Datasets that plugins bring."""
    from serab_registry import Group

    return _names(Group.DATASETS, incomplete)


def tasks(incomplete: str) -> list[str]:
    """Tasks, prepared or not, the last of several by commas."""
    from serab_core.data.prepared import prepared_names
    from serab_core.store.home import find_home

    def found(word: str) -> list[str]:
        own: set[str] = set(datasets(word))
        with suppress(Exception):
            own |= {name for name in prepared_names(find_home()) if name.startswith(word)}
        return sorted(own)

    return _last(incomplete, found)


def protocols(incomplete: str) -> list[str]:
    """The three protocols."""
    from serab_core.data.protocols import PROTOCOLS

    return [name for name in PROTOCOLS if name.startswith(incomplete)]


def anything(incomplete: str) -> list[str]:
    """Extractors, datasets, classifiers and the distributions that bring them."""
    from serab_registry import Group

    from serab_core import plugins

    groups = (Group.EXTRACTORS, Group.DATASETS, Group.CLASSIFIERS)
    found = {name for group in groups for name in _names(group, incomplete)}
    with suppress(Exception):
        brought = {record.distribution for group in groups for record in plugins.registry().records(group)}
        found |= {name for name in brought if name.startswith(incomplete)}
    return sorted(found)


def _names(group: Group, word: str) -> list[str]:
    """Names that begin with a word. Whatever goes wrong, a shell must not see it."""
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
    """Completes the last of several words by commas."""
    before, comma, word = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in find(word)]
