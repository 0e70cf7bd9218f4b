"""Imports the module of a plugin and calls its hooks; every failure becomes a registry error."""

from __future__ import annotations

import contextlib
import importlib
import sys
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


def import_module(record: PluginRecord) -> ModuleType:
    """Import the module of a record and check its hook-API version.

    The output of the module goes to stderr, so that it cannot corrupt the `--json` output on stdout.

    Raises:
        PluginLoadError: the import raised an error or called `sys.exit`.
        ApiVersionError: the module declares another `SERAB_API_VERSION`; the default is 1.
    """
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module(record.module.partition(":")[0].strip())
    except (Exception, SystemExit) as error:
        raise PluginLoadError(record, describe(error)) from error
    wanted = getattr(module, "SERAB_API_VERSION", 1)
    if wanted != API_VERSION:
        raise ApiVersionError(record, wanted, API_VERSION)
    return module


def manager_for(record: PluginRecord, module: ModuleType, hookspecs: ModuleType) -> pluggy.PluginManager:
    """Return a plugin manager with this plugin only, and check its hooks against the specs.

    Each plugin has its own manager, so that a hook call reaches no other plugin, and several names may share a module.

    Raises:
        PluginLoadError: a hook has an argument that is not in the spec, or there is no hook of that name.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(module, name=record.qualified)
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
