"""What is known of a plugin: where it comes from and how its loading went."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serab_registry._groups import Group


class PluginState(StrEnum):
    """How far a plugin got."""

    FOUND = "found"
    """Its metadata was read; its code was not imported."""
    LOADED = "loaded"
    DISABLED = "disabled"
    """Switched off by `--no-plugins` or `SERAB_DISABLE_PLUGINS`; its code was not imported."""
    CONFLICT = "conflict"
    """Another distribution offers the same name; `dist:name` chooses."""
    INCOMPATIBLE = "incompatible"
    """Written for another version of the hook API."""
    FAILED = "failed"
    """Raised, or called `sys.exit`, while it was loaded."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """One entry point with its provenance.

    Attributes:
        group: the entry-point group.
        name: the public name, as in `serab eval NAME`.
        module: the entry point's value, a module with hook implementations.
        distribution: the distribution that installed it, normalised name; `""` when unknown.
        version: the distribution's version; `""` when unknown.
        state: how far its loading got.
        file: the module's file, once it was imported.
        error: why it failed, one line; `""` when it did not.
        items: names of what it registered, once loaded.
    """

    group: Group
    name: str
    module: str
    distribution: str
    version: str
    state: PluginState
    file: str | None = None
    error: str = ""
    items: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        """`dist:name`, which is unambiguous."""
        return f"{self.distribution}:{self.name}"

    @property
    def origin(self) -> str:
        """Distribution and version, for a message."""
        return f"{self.distribution or 'an unknown distribution'} {self.version}".strip()

    def as_json(self) -> dict[str, object]:
        """The record as plain values, in the shape that `serab plugins --json` prints."""
        return {
            "group": self.group.value,
            "name": self.name,
            "state": self.state.value,
            "distribution": self.distribution,
            "version": self.version,
            "module": self.module,
            "file": self.file,
            "items": list(self.items),
            "error": self.error,
        }
