"""The plugin registry: finds plugins by name, loads the requested plugin, and reports plugins that fail.

This is the lowest layer of the project. It uses `pluggy` and `importlib.metadata`, has no knowledge of audio, datasets
or classifiers, and imports neither the core nor any plugin before it is requested.
"""

from serab_registry._catalog import CatalogEntry as CatalogEntry
from serab_registry._catalog import read_catalog as read_catalog
from serab_registry._code import CodeIdentity as CodeIdentity
from serab_registry._code import code_identity as code_identity
from serab_registry._code import file_digest as file_digest
from serab_registry._code import module_digest as module_digest
from serab_registry._errors import ApiVersionError as ApiVersionError
from serab_registry._errors import DisabledPluginError as DisabledPluginError
from serab_registry._errors import DuplicatePluginError as DuplicatePluginError
from serab_registry._errors import PluginLoadError as PluginLoadError
from serab_registry._errors import RegistryError as RegistryError
from serab_registry._errors import UnknownPluginError as UnknownPluginError
from serab_registry._errors import UnreadableCodeError as UnreadableCodeError
from serab_registry._groups import API_VERSION as API_VERSION
from serab_registry._groups import Group as Group
from serab_registry._listeners import Listeners as Listeners
from serab_registry._records import PluginRecord as PluginRecord
from serab_registry._records import PluginState as PluginState
from serab_registry._registry import Loaded as Loaded
from serab_registry._registry import Registry as Registry
