"""The entry-point registry: finds plugins by name, loads the one that is asked for, reports the ones that fail.

Ground floor of the project. It knows `pluggy` and `importlib.metadata`; it knows nothing of audio, datasets or
classifiers, and imports neither the core nor any plugin of its own accord.
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
