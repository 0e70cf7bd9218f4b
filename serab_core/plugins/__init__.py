"""Extractors, datasets and classifiers by name: from installed plugins, folders and isolated environments."""

from __future__ import annotations

import contextlib
import json
import os
import re
from contextvars import ContextVar
from dataclasses import asdict, replace
from importlib import metadata
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from serab_core import settings
from serab_core.errors import PluginError, SerabError, UnknownNameError, UsageError
from serab_core.isolation import environments
from serab_core.names import (
    FOLDER_FILE,
    argument_paths,
    canonical_path,
    file_error,
    folder_entry,
    is_written_as_path,
    split_options,
)
from serab_core.options import with_options
from serab_core.plugins.entry_points import Group, read_catalog
from serab_core.plugins.entry_points import registry as registry
from serab_core.system.hints import command, option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from serab_core.plugins.entry_points import PluginRecord
    from serab_core.types import ClassifierSpec, DatasetSpec, ExtractorSpec

_Spec = TypeVar("_Spec", "ExtractorSpec", "ClassifierSpec")
_local: ContextVar[Mapping[str, ExtractorSpec]] = ContextVar("local_extractors", default=MappingProxyType({}))


@contextlib.contextmanager
def local_extractors(specs: Mapping[str, ExtractorSpec]) -> Iterator[None]:
    """Provide extractors that exist only in this process, without a plugin; worker processes cannot create them.

    Args:
        specs: the specs by name; `extractor` returns them while the context is open.
    """
    token = _local.set(specs)
    try:
        yield
    finally:
        _local.reset(token)


def extractor(name: str) -> ExtractorSpec:
    """Return the extractor called `name`.

    Args:
        name: `entry`, `entry/variant`, `dist:entry`, `entry:argument`, or the path of an extractor's folder. All
            except a folder may have options, `+option` or `+option=value`.

    Raises:
        UnknownNameError: there is no such extractor, or it has no such option.
        UsageError: the value of an option is invalid, or the folder is not an extractor.
        PluginError: its plugin fails.
    """
    if name in _local.get():
        return _local.get()[name]
    if not environments.is_isolated_child():
        environment = environment_of(name)
        here = is_installed(name)
        if (environment and not here) or (environments.is_requested() and (environment or here)):
            from serab_core.plugins.proxy import Place, described

            return described(name, Place.of(environment))
    if is_path(name):
        folder = settings.absolute_path(name)
        entry = folder_entry(folder)
        spec = _make(entry, str(folder))
        return identified(replace(spec, name=spec.name or canonical_path(name)), Group.EXTRACTORS, entry)
    entry, _, argument = name.partition(":")
    if argument and entry in registry().names(Group.EXTRACTORS):
        argument, options = split_options(argument)
        absolute, canonical = argument_paths(argument)
        spec = _make(entry, absolute)
        spec = replace(spec, name=f"{entry}:{canonical}") if canonical != argument or not spec.name else spec
        return identified(with_options(spec, options) if options else spec, Group.EXTRACTORS, entry)
    plain, *options = name.split("+")
    try:
        registered: ExtractorSpec = registry().get(Group.EXTRACTORS, plain)
    except UnknownNameError:
        if os.path.isfile(name):  # noqa: PTH113  Path.is_file fails for a name that is too long
            raise file_error(settings.absolute_path(name)) from None
        raise
    return identified(with_options(registered, options) if options else registered, Group.EXTRACTORS, plain)


def identified(spec: _Spec, group: Group, name: str) -> _Spec:
    """Return the spec with the identity of its plugin's code.

    If several distributions provide the name, the spec is called `distribution:name`, also in caches and tables.

    Args:
        spec: the spec from the plugin.
        group: its group.
        name: the name of the plugin, as the registry accepts it.
    """
    record = registry().record(group, name)
    known = asdict(registry().code(record))
    called = f"{record.distribution}:{spec.name}" if registry().is_shared(record) else spec.name
    return replace(spec, code=known, name=called)


def environment_of(name: str) -> environments.Environment | None:
    """Return the isolated environment of an extractor; None if it has none.

    Raises:
        PluginError: several environments have an extractor of this name.
    """
    for distribution, entry in _entries(name):
        matches = environments.find(entry, distribution)
        if len(matches) > 1:
            choices = " or ".join(f"{environment.name}:{entry}" for environment in matches)
            raise PluginError(f"several environments have {entry}", where=name, next_step=f"choose one: {choices}")
        if matches:
            return matches[0]
    return None


def extractor_names() -> list[str]:
    """Return the entry points of extractors, here and in isolated environments, without importing plugins."""
    elsewhere = [
        name for environment in environments.environments() for name in environment.extractors if not environment.error
    ]
    return list(dict.fromkeys([*registry().names(Group.EXTRACTORS), *elsewhere]))


def is_installed(name: str) -> bool:
    """Return whether an extractor's plugin is installed in this environment, without importing it."""
    known = {(record.distribution, record.name) for record in registry().records(Group.EXTRACTORS)}
    known |= {("", entry) for _, entry in known}
    return any(pair in known for pair in _entries(name))


def _entries(name: str) -> list[tuple[str, str]]:
    """Return the possible meanings of a name: pairs of a distribution ("" for any) and an entry point."""
    if is_path(name):
        return [("", folder_entry(settings.absolute_path(name)))]
    left, colon, right = name.partition(":")
    plain = (right if colon else left).partition("+")[0].partition("/")[0]
    # The registry and the environments store the names of distributions in their normal form (PEP 503).
    return [(re.sub(r"[-_.]+", "-", left).lower(), plain), ("", left)] if colon else [("", plain)]


def is_path(name: str) -> bool:
    """Return whether an extractor's name is the path of a folder; `./folder` always is one.

    A folder with the name of an extractor, installed or in the catalog, must be written as `./folder`.
    """
    if is_written_as_path(name):
        return True
    if not os.path.isfile(os.path.join(name, FOLDER_FILE)):  # noqa: PTH113, PTH118  Path fails for too long a name
        return False
    entry = name.partition("/")[0]
    return entry not in extractor_names() and not any(known.offers(Group.EXTRACTORS, entry) for known in read_catalog())


def is_from_user(name: str) -> bool:
    """Return whether an extractor's name refers to a model of the user: a folder, or an argument of an entry point.

    `hear:./my_model.py` and `hf:./my-model` are such names; `my-distribution:my-extractor` is not.
    """
    entry, _, argument = name.partition(":")
    return is_path(name) or bool(argument and entry in registry().names(Group.EXTRACTORS))


def advice(name: str) -> str:
    """Return the next step for a user whose extractor raised an error."""
    if name in _local.get():
        return f"check the object {name}, which this program created"
    if is_from_user(name):
        return f"check the code and the files of {name.partition('+')[0]}"
    records = registry().records(Group.EXTRACTORS)
    if any(_is_editable(record.distribution) for record in records if _is_of(record, name)):
        return (
            f"check its code, which is installed from a folder on this machine; {command('plugins')} shows the folder"
        )
    return f"report it to the plugin's author; {command('plugins')} shows the distribution"


def _is_of(record: PluginRecord, name: str) -> bool:
    return (record.distribution, record.name) in _entries(name) or ("", record.name) in _entries(name)


def _is_editable(distribution: str) -> bool:
    """Return whether a distribution is an editable install (PEP 610: direct_url.json)."""
    try:
        record = json.loads(metadata.distribution(distribution).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return bool(record.get("dir_info", {}).get("editable", False))


def _make(entry: str, argument: str) -> ExtractorSpec:
    spec: ExtractorSpec = registry().make(Group.EXTRACTORS, entry, argument, SerabError)
    return spec


def canonical_name(name: str) -> str:
    """Return the name of an extractor in its results, as far as it is known without its plugin.

    Paths become canonical, such as `hear:~/models/m.py` for `hear:./m.py`, and options are sorted.

    Raises:
        UsageError: it contains a relative path, and the working folder is deleted.
        UnknownNameError: it contains the home of an unknown user.
    """
    if is_path(name):
        return canonical_path(name)
    entry, _, argument = name.partition(":")
    if not argument or entry not in registry().names(Group.EXTRACTORS):
        return name
    argument, options = split_options(argument)
    return "+".join([f"{entry}:{argument_paths(argument)[1]}", *sorted(options)])


def add_options(names: Sequence[str], options: Mapping[str, str | None]) -> list[str]:
    """Return names of extractors, with options added to the extractors that have them.

    Args:
        names: names, as `extractor` accepts them.
        options: the values of options by name; None for an option that was not requested.

    Raises:
        UsageError: no extractor has a requested option.
    """
    requested = {key: value for key, value in options.items() if value is not None}
    if not requested:
        return list(names)
    options_of = {name: extractor(name).options for name in names}
    for key in requested:
        if not any(key in available for available in options_of.values()):
            raise UsageError(f"none of {', '.join(names)} has the option {key}", next_step=f"leave out {option(key)}")
    return [
        name + "".join(f"+{key}={value}" for key, value in requested.items() if key in available)
        for name, available in options_of.items()
    ]


def dataset(name: str) -> DatasetSpec:
    """Return the dataset called `name`. Raises UnknownNameError or PluginError."""
    spec: DatasetSpec = registry().get(Group.DATASETS, name)
    return spec


def dataset_or_none(name: str) -> DatasetSpec | None:
    """Return the dataset called `name`; None if no plugin provides it, as for a corpus whose plugin was removed.

    Raises PluginError for a plugin that fails.
    """
    try:
        return dataset(name)
    except UnknownNameError:
        return None


def dataset_code(name: str) -> dict[str, str]:
    """Return the distribution, version and digest of the plugin that provides a dataset; empty without a plugin."""
    try:
        return asdict(registry().code(registry().record(Group.DATASETS, name)))
    except SerabError:
        return {}


def classifier(name: str) -> ClassifierSpec:
    """Return the classifier called `name`. Raises UnknownNameError or PluginError."""
    spec: ClassifierSpec = registry().get(Group.CLASSIFIERS, name)
    return identified(spec, Group.CLASSIFIERS, name)


def all_specs(group: Group) -> dict[str, Any]:
    """Return every spec that the working plugins of a group register, by name.

    Ambiguous names, and plugins whose files cannot be read, are left out.
    """
    specs = {}
    for loaded in registry().load_all(group):
        with contextlib.suppress(PluginError):
            for name, item in loaded.items.items():
                specs[name] = item if group is Group.DATASETS else identified(item, group, loaded.record.qualified)
    if group is not Group.EXTRACTORS or environments.is_isolated_child():
        return specs
    return {**_isolated_specs(), **specs}


def _isolated_specs() -> dict[str, ExtractorSpec]:
    """Return the extractors of isolated environments, by name; environments that fail are left out."""
    specs: dict[str, ExtractorSpec] = {}
    for environment in environments.environments():
        if not environment.error:
            from serab_core.plugins.proxy import Place, all_described

            with contextlib.suppress(SerabError):
                specs |= all_described(Place.of(environment))
    return specs
