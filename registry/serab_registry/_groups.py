"""The entry-point groups, and the hook that each group's modules implement."""

from __future__ import annotations

from enum import StrEnum

API_VERSION = 1
"""The hook API of this release. A plugin declares the version that it was written for as `SERAB_API_VERSION`."""


class Group(StrEnum):
    """An entry-point group; the value is the group's name in a plugin's `pyproject.toml`."""

    EXTRACTORS = "serab.extractors"
    DATASETS = "serab.datasets"
    CLASSIFIERS = "serab.classifiers"
    COMMANDS = "serab.commands"
    TRACKERS = "serab.trackers"

    @property
    def kind(self) -> str:
        """The noun for a member of the group: `extractor`, `dataset`, ..."""
        return self.value.removeprefix("serab.").removesuffix("s")

    @property
    def hook(self) -> str | None:
        """The hook that registers the group's items; None for trackers, which register none."""
        return None if self is Group.TRACKERS else f"serab_register_{self.value.removeprefix('serab.')}"
