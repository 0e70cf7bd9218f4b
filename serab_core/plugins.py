"""The registry as the core uses it: with the core's hook specs, and its errors in the core's tree."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from serab_registry import (
    ApiVersionError,
    DisabledPluginError,
    DuplicatePluginError,
    Group,
    PluginLoadError,
    Registry,
    RegistryError,
    UnknownPluginError,
)

from serab_core import hookspecs
from serab_core.errors import PluginError, SerabError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.types import ClassifierSpec, DatasetSpec, ExtractorSpec

_T = TypeVar("_T")
_LIST_COMMAND = {
    Group.EXTRACTORS: "serab list extractors",
    Group.DATASETS: "serab list datasets",
    Group.CLASSIFIERS: "serab list classifiers",
    Group.COMMANDS: "serab --help",
}
NO_PLUGINS_VARIABLE = "SERAB_NO_PLUGINS"


@cache
def registry() -> Registry:
    """The process's registry, made from the environment at first use; workers thus see what their parent saw."""
    return Registry(
        hookspecs,
        disabled=os.environ.get("SERAB_DISABLE_PLUGINS", "").split(","),
        enabled=os.environ.get(NO_PLUGINS_VARIABLE, "") in ("", "0"),
        item_type=_spec_class,
    )


def _spec_class(group: Group) -> type:
    from serab_core import types  # numpy with it, which `serab --help` does without

    kinds: dict[Group, type] = {
        Group.EXTRACTORS: types.ExtractorSpec,
        Group.DATASETS: types.DatasetSpec,
        Group.CLASSIFIERS: types.ClassifierSpec,
    }
    return kinds[group]


def extractor(name: str) -> ExtractorSpec:
    """The extractor called `name`. Raises UnknownNameError or PluginError."""
    found: ExtractorSpec = translated(lambda: registry().get(Group.EXTRACTORS, name))
    return found


def dataset(name: str) -> DatasetSpec:
    """The dataset called `name`. Raises UnknownNameError or PluginError."""
    found: DatasetSpec = translated(lambda: registry().get(Group.DATASETS, name))
    return found


def dataset_or_none(name: str) -> DatasetSpec | None:
    """The dataset called `name`, or None where no plugin brings it: a prepared corpus outlives its plugin.

    Raises PluginError for a plugin that fails.
    """
    try:
        return dataset(name)
    except UnknownNameError:
        return None


def classifier(name: str) -> ClassifierSpec:
    """The classifier called `name`. Raises UnknownNameError or PluginError."""
    found: ClassifierSpec = translated(lambda: registry().get(Group.CLASSIFIERS, name))
    return found


def all_specs(group: Group) -> dict[str, Any]:
    """Every spec that the group's working plugins register, by name; ambiguous names are left out."""
    return {name: item for loaded in registry().load_all(group) for name, item in loaded.items.items()}


def translated(call: Callable[[], _T]) -> _T:
    """Runs a call into the registry and raises its errors as the core's."""
    try:
        return call()
    except RegistryError as error:
        raise to_serab_error(error) from error


def to_serab_error(error: RegistryError) -> SerabError:
    """The same error in the core's tree, with the next step."""
    if isinstance(error, UnknownPluginError):
        steps = []
        if error.near:
            steps.append(f"nearest: {', '.join(error.near)}")
        steps += [f"install it with: pip install {name}" for name in error.install]
        if not error.install:
            steps.append(
                f"`{_LIST_COMMAND[error.group]}` shows what is installed, `serab plugins --available` what could be"
            )
        return UnknownNameError(str(error), next_step="; ".join(steps))
    if isinstance(error, DisabledPluginError):
        return PluginError(str(error), next_step=f"run without {error.switch} to use it")
    if isinstance(error, DuplicatePluginError):
        choices = " or ".join(record.qualified for record in error.records)
        return PluginError(str(error), next_step=f"say which: {choices}")
    if isinstance(error, ApiVersionError):
        dist = error.record.distribution
        return PluginError(str(error), next_step=f"bring both up to date: pip install -U serab-core {dist}")
    assert isinstance(error, PluginLoadError)
    record = error.record
    step = (
        f"reinstall or update it (pip install -U {record.distribution}), report it to its author, "
        f"or switch it off with SERAB_DISABLE_PLUGINS={record.name}"
    )
    return PluginError(str(error), where=record.module, next_step=step)
