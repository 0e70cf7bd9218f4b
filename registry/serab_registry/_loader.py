"""Imports one plugin's module and calls one of its hooks, so that nothing it does wrong gets past this file."""

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
"""pluggy's project name: the markers of the hook specs carry it."""


def describe(error: BaseException) -> str:
    """The error's type and message on one line."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name


def import_module(record: PluginRecord) -> ModuleType:
    """Imports the record's module and checks its hook-API version.

    What the module prints goes to stderr, so that it cannot spoil a `--json` on stdout.

    Raises:
        PluginLoadError: the import raised or called `sys.exit`.
        ApiVersionError: the module states another `SERAB_API_VERSION`; one that states none counts as 1.
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
    """A manager that holds this one plugin, its hooks checked against the specs.

    One manager a plugin: a hook call then reaches nobody else, and the same module may stand behind several names.

    Raises:
        PluginLoadError: a hook has an argument that the spec lacks, or a name that is no hook.
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
    """Whether the one plugin that `manager` holds implements a hook; False for one that has no spec."""
    caller = getattr(manager.hook, hook, None)
    return caller is not None and bool(caller.get_hookimpls())


def call_hook(record: PluginRecord, manager: pluggy.PluginManager, hook: str, **arguments: Any) -> Any:
    """Calls one hook of the one plugin that `manager` holds, and returns what pluggy does.

    Raises:
        PluginLoadError: the module does not implement the hook, or its implementation raised or exited.
    """
    caller = getattr(manager.hook, hook)
    if not caller.get_hookimpls():
        raise PluginLoadError(record, f"{record.module} implements no hook {hook}; mark it with @hookimpl")
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return caller(**arguments)
    except PluginLoadError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginLoadError(record, describe(error)) from error
