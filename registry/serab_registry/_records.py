"""Records of plugins: the origin of a plugin and the state of its loading."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serab_registry._groups import Group


class PluginState(StrEnum):
    """The state of a plugin."""

    FOUND = "found"
    """The metadata was read; the code was not imported."""
    LOADED = "loaded"
    DISABLED = "disabled"
    """Disabled by `--no-plugins` or `SERAB_DISABLE_PLUGINS`; the code was not imported."""
    CONFLICT = "conflict"
    """Another distribution provides the same name; `dist:name` selects one."""
    INCOMPATIBLE = "incompatible"
    """Written for another version of the hook API."""
    FAILED = "failed"
    """Raised an error, or called `sys.exit`, while it was loaded."""


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """An entry point with its origin.

    Attributes:
        group: the entry-point group.
        name: the public name, as in `serab eval NAME`.
        module: the entry point's value, a module with hook implementations.
        distribution: the normalised name of the distribution that installed it; `""` if unknown.
        version: the version of the distribution; `""` if unknown.
        state: the state of its loading.
        file: the file of the module, once it was imported.
        error: the reason of a failure, one line; `""` without a failure.
        items: the names of the registered items, once loaded.
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
        """Distribution and version, for messages."""
        return f"{self.distribution or 'an unknown distribution'} {self.version}".strip()

    def as_json(self) -> dict[str, object]:
        """Return the record as plain values, as `serab plugins --json` prints it."""
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
