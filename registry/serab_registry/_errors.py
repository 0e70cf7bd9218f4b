"""What can go wrong in the registry. The core turns these into its own tree, which adds exit codes.

RegistryError
├── UnknownPluginError     no entry point has that name
├── DisabledPluginError    it is there but switched off
├── DuplicatePluginError   two distributions offer the name
├── ApiVersionError        written for another hook API
├── PluginLoadError        raised, exited or registered nonsense while loading
└── UnreadableCodeError    one of its files cannot be read
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_registry._groups import Group
    from serab_registry._records import PluginRecord


class RegistryError(Exception):
    """Base of the registry's errors: `str(error)` says what happened and to which plugin."""


class UnknownPluginError(RegistryError):
    """No entry point of the group has that name.

    Attributes:
        near: installed names that look alike, best first.
        install: distributions of the catalog that would bring the name.
    """

    def __init__(self, group: Group, name: str, near: Sequence[str], install: Sequence[str]) -> None:
        super().__init__(f"no {group.kind} is called {name!r}")
        self.group, self.name, self.near, self.install = group, name, tuple(near), tuple(install)


class DisabledPluginError(RegistryError):
    """The name is installed but switched off.

    Attributes:
        switch: what switched it off, such as `--no-plugins`.
    """

    def __init__(self, record: PluginRecord, switch: str) -> None:
        super().__init__(f"{record.group.kind} {record.name!r} (from {record.origin}) is switched off by {switch}")
        self.record, self.switch = record, switch


class DuplicatePluginError(RegistryError):
    """Two or more distributions offer the same name in one group."""

    def __init__(self, records: Sequence[PluginRecord]) -> None:
        first = records[0]
        owners = " and ".join(record.origin for record in records)
        super().__init__(f"{first.group.kind} {first.name!r} is offered by {owners}")
        self.records = tuple(records)


class ApiVersionError(RegistryError):
    """The plugin states a version of the hook API that this registry does not speak."""

    def __init__(self, record: PluginRecord, wanted: object, spoken: int) -> None:
        super().__init__(
            f"{record.group.kind} {record.name!r} (from {record.origin}) was written for hook API {wanted!r}; "
            f"this serab speaks {spoken}"
        )
        self.record, self.wanted, self.spoken = record, wanted, spoken


class PluginLoadError(RegistryError):
    """The plugin's module raised, called `sys.exit` or registered something that is not valid."""

    def __init__(self, record: PluginRecord, reason: str) -> None:
        super().__init__(f"{record.group.kind} {record.name!r} (from {record.origin}) failed to load: {reason}")
        self.record, self.reason = record, reason


class UnreadableCodeError(RegistryError):
    """A file or folder of a plugin cannot be read, so that its code has no identity.

    Attributes:
        path: the file or folder.
    """

    def __init__(self, record: PluginRecord, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        super().__init__(
            f"{record.group.kind} {record.name!r} (from {record.origin}): {error.filename} cannot be read ({reason})"
        )
        self.record, self.path = record, str(error.filename)
