"""The plugin registry: finds plugins by name, loads the requested plugin, and reports plugins that fail.

This is the lowest layer of the project. It uses `pluggy` and `importlib.metadata`, has no knowledge of audio, datasets
or classifiers, and imports neither the core nor any plugin before it is requested.
"""

from serab_registry._catalog import CatalogEntry, read_catalog
from serab_registry._code import CodeIdentity, code_identity, file_digest, module_digest
from serab_registry._errors import (
    ApiVersionError,
    DisabledPluginError,
    DuplicatePluginError,
    PluginLoadError,
    RegistryError,
    UnknownPluginError,
    UnreadableCodeError,
)
from serab_registry._groups import API_VERSION, Group
from serab_registry._listeners import Listeners
from serab_registry._records import PluginRecord, PluginState
from serab_registry._registry import Loaded, Registry

__all__ = [
    "API_VERSION",
    "ApiVersionError",
    "CatalogEntry",
    "CodeIdentity",
    "DisabledPluginError",
    "DuplicatePluginError",
    "Group",
    "Listeners",
    "Loaded",
    "PluginLoadError",
    "PluginRecord",
    "PluginState",
    "Registry",
    "RegistryError",
    "UnknownPluginError",
    "UnreadableCodeError",
    "code_identity",
    "file_digest",
    "module_digest",
    "read_catalog",
]
