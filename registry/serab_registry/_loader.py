"""Loads the object that an entry point names, and calls its hooks; every failure becomes a registry error."""

from __future__ import annotations

import contextlib
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pluggy

from serab_registry._errors import ApiVersionError, PluginLoadError
from serab_registry._groups import API_VERSION

if TYPE_CHECKING:
    from types import ModuleType

    from serab_registry._records import PluginRecord

PROJECT = "serab"
"""Project name for pluggy, which the markers of the hook specs contain."""


def describe(error: BaseException) -> str:
    """Return the type and the message of an error on one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def load_plugin(record: PluginRecord) -> tuple[object, str | None]:
    """Import the module of a record and check its hook-API version.

    The output of the module goes to stderr, so that it cannot corrupt the `--json` output on stdout.

    Returns:
        the plugin and the module's file. The plugin is the module, or the attribute that the entry point names, as
        `module:attribute`: an object, class or module with the hook implementations.

    Raises:
        PluginLoadError: the import raised an error or called `sys.exit`, or there is no such attribute.
        ApiVersionError: the plugin or its module declares another `SERAB_API_VERSION`; the default is 1.
    """
    entry_point = metadata.EntryPoint(record.name, record.module, record.group)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            plugin = entry_point.load()
            module = sys.modules[entry_point.module]
            wanted = getattr(plugin, "SERAB_API_VERSION", getattr(module, "SERAB_API_VERSION", 1))
    except (Exception, SystemExit) as error:
        raise PluginLoadError(record, describe(error)) from error
    if wanted != API_VERSION:
        raise ApiVersionError(record, wanted, API_VERSION)
    return plugin, getattr(module, "__file__", None)


def manager_for(record: PluginRecord, plugin: object, hookspecs: ModuleType) -> pluggy.PluginManager:
    """Return a plugin manager with this plugin only, and check its hooks against the specs.

    Each plugin has its own manager, so that a hook call reaches no other plugin, and several names may share a module.

    Raises:
        PluginLoadError: a hook has an argument that is not in the spec, or there is no hook of that name.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name=record.qualified)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginLoadError(record, describe(error)) from error
    return manager


def implements(manager: pluggy.PluginManager, hook: str) -> bool:
    """Return whether the plugin of `manager` implements a hook; False for a hook without a spec."""
    caller = getattr(manager.hook, hook, None)
    return caller is not None and bool(caller.get_hookimpls())


def call_hook(record: PluginRecord, manager: pluggy.PluginManager, hook: str, **arguments: Any) -> Any:
    """Call a hook of the plugin of `manager`, and return the result from pluggy.

    Raises:
        PluginLoadError: the module does not implement the hook, or the hook raised an error or exited.
    """
    caller = getattr(manager.hook, hook)
    if not caller.get_hookimpls():
        raise PluginLoadError(record, f"{record.module} does not implement the hook {hook}; mark it with @hookimpl")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return caller(**arguments)
    except PluginLoadError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginLoadError(record, describe(error)) from error
