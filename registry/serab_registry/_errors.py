"""The errors of the registry. The core translates them to its own errors, which have exit codes.

RegistryError
├── UnknownPluginError     no entry point has that name
├── DisabledPluginError    the plugin is installed but disabled
├── DuplicatePluginError   two distributions provide the name
├── ApiVersionError        the plugin was written for another hook API
├── PluginLoadError        the plugin raised an error, exited or registered an invalid item
└── UnreadableCodeError    a file of the plugin cannot be read
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_registry._groups import Group
    from serab_registry._records import PluginRecord


class RegistryError(Exception):
    """Base of the registry's errors: `str(error)` describes the problem and names the plugin."""


class UnknownPluginError(RegistryError):
    """No entry point of the group has that name.

    Attributes:
        near: similar installed names, the most similar first.
        install: distributions of the catalog that provide the name.
    """

    def __init__(self, group: Group, name: str, near: Sequence[str], install: Sequence[str]) -> None:
        super().__init__(f"no {group.kind} is called {name!r}")
        self.group, self.name, self.near, self.install = group, name, tuple(near), tuple(install)


class DisabledPluginError(RegistryError):
    """The plugin is installed but disabled.

    Attributes:
        variable: the environment variable that disables it; "" if the registry loads no plugins at all.
    """

    def __init__(self, record: PluginRecord, variable: str) -> None:
        reason = f"{variable} names it" if variable else "no plugins are loaded"
        super().__init__(f"{record.group.kind} {record.name!r} (from {record.origin}) is disabled: {reason}")
        self.record, self.variable = record, variable


class DuplicatePluginError(RegistryError):
    """Two or more distributions provide the same name in one group."""

    def __init__(self, records: Sequence[PluginRecord]) -> None:
        first = records[0]
        owners = " and ".join(record.origin for record in records)
        super().__init__(f"{first.group.kind} {first.name!r} is offered by {owners}")
        self.records = tuple(records)


class ApiVersionError(RegistryError):
    """The plugin declares a version of the hook API that this registry does not support."""

    def __init__(self, record: PluginRecord, wanted: object, spoken: int) -> None:
        super().__init__(
            f"{record.group.kind} {record.name!r} (from {record.origin}) was written for hook API {wanted!r}; "
            f"this serab speaks {spoken}"
        )
        self.record, self.wanted, self.spoken = record, wanted, spoken


class PluginLoadError(RegistryError):
    """The plugin's module raised an error, called `sys.exit` or registered an invalid item."""

    def __init__(self, record: PluginRecord, reason: str) -> None:
        super().__init__(f"{record.group.kind} {record.name!r} (from {record.origin}) failed to load: {reason}")
        self.record, self.reason = record, reason


class UnreadableCodeError(RegistryError):
    """A file or folder of a plugin cannot be read, so its code has no identity.

    Attributes:
        path: the file or folder.
    """

    def __init__(self, record: PluginRecord, error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        path = str(error.filename or record.module)  # an error of the disk while reading does not name the file
        super().__init__(
            f"{record.group.kind} {record.name!r} (from {record.origin}): {path} cannot be read ({reason})"
        )
        self.record, self.path = record, path
