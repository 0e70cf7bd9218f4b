"""The one way into the registry: it has the core's hook specs, and its errors are SerabErrors."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from serab_registry import (
    API_VERSION,
    ApiVersionError,
    DisabledPluginError,
    DuplicatePluginError,
    Group,
    Listeners,
    PluginLoadError,
    PluginRecord,
    PluginState,
    Registry,
    RegistryError,
    UnknownPluginError,
    UnreadableCodeError,
    read_catalog,
)

from serab_core import hookspecs, settings
from serab_core.errors import PluginError, SerabError, UnknownNameError
from serab_core.system.hints import command, option
from serab_core.system.session import NO_PLUGINS_VARIABLE, current_session

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "API_VERSION",
    "Group",
    "Listeners",
    "PluginRecord",
    "PluginRegistry",
    "PluginState",
    "read_catalog",
    "registry",
]

_T = TypeVar("_T")
_P = ParamSpec("_P")


def _translated(method: Callable[_P, _T]) -> Callable[_P, _T]:
    """Return a method of the registry that raises SerabError in place of the registry's errors."""

    def call(*arguments: _P.args, **named: _P.kwargs) -> _T:
        try:
            return method(*arguments, **named)
        except PluginLoadError as error:
            raise to_serab_error(error) from error  # with the traceback of the plugin
        except RegistryError as error:
            raise to_serab_error(error) from None

    return call


class PluginRegistry(Registry):
    """The registry, whose errors are raised as UnknownNameError and PluginError."""

    record = _translated(Registry.record)
    code = _translated(Registry.code)
    load = _translated(Registry.load)
    get = _translated(Registry.get)
    call = _translated(Registry.call)
    make = _translated(Registry.make)


def registry() -> PluginRegistry:
    """Return the registry of the session, which is created from the settings at first use."""
    return current_session().cached("registry", _make_registry)


def _make_registry() -> PluginRegistry:
    return PluginRegistry(
        hookspecs,
        disabled=settings.current_settings().disabled_plugins,
        enabled=current_session().plugins and os.environ.get(NO_PLUGINS_VARIABLE, "") in ("", "0"),
        item_type=_spec_class,
    )


def _spec_class(group: Group) -> type:
    from serab_core import types  # imported here, because it imports NumPy, which `serab --help` does not need

    kinds: dict[Group, type] = {
        Group.EXTRACTORS: types.ExtractorSpec,
        Group.DATASETS: types.DatasetSpec,
        Group.CLASSIFIERS: types.ClassifierSpec,
    }
    return kinds[group]


def _brings_prefix(error: UnknownPluginError) -> list[str]:
    """Return distributions of the catalog that provide the entry point of a name with an argument, as `hf:ORG/NAME`."""
    prefix, colon, _ = error.name.partition(":")
    if not colon or error.group is not Group.EXTRACTORS or prefix in registry().names(Group.EXTRACTORS):
        return []
    return [entry.distribution for entry in read_catalog() if entry.offers(Group.EXTRACTORS, prefix)]


def _enable_step(error: DisabledPluginError) -> str:
    if error.variable:
        return f"remove it from {error.variable} and from the setting disabled-plugins"
    if not current_session().plugins:
        return f"run without {option('no-plugins')} to use it"
    return f"unset {NO_PLUGINS_VARIABLE} to use it"


def to_serab_error(error: RegistryError) -> SerabError:
    """Return an error of the registry as a SerabError, with the next step."""
    if isinstance(error, UnknownPluginError):
        steps = [f"install it with: pip install {name}" for name in error.install or _brings_prefix(error)]
        if not error.install and not _brings_prefix(error):
            listing = command(f"list {error.group.kind}s")
            steps.append(f"{listing} lists the installed names; {command('plugins', available=True)} lists the others")
        return UnknownNameError(str(error), next_step="; ".join(steps), suggestions=error.near)
    if isinstance(error, DisabledPluginError):
        return PluginError(str(error), next_step=_enable_step(error))
    if isinstance(error, DuplicatePluginError):
        choices = " or ".join(record.qualified for record in error.records)
        return PluginError(str(error), next_step=f"choose one: {choices}")
    if isinstance(error, ApiVersionError):
        dist = error.record.distribution
        return PluginError(str(error), next_step=f"update both: pip install -U serab-core {dist}")
    if isinstance(error, UnreadableCodeError):
        return PluginError(str(error), next_step="make it readable, or reinstall the plugin")
    assert isinstance(error, PluginLoadError)
    record = error.record
    step = (
        f"reinstall or update it (pip install -U {record.distribution}), report it to its author, "
        f"or disable it with SERAB_DISABLE_PLUGINS={record.name}"
    )
    return PluginError(str(error), where=record.module, next_step=step)
