"""The registry as the core uses it: with the core's hook specs, and its errors in the core's tree."""

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

from serab_registry import (
    ApiVersionError,
    DisabledPluginError,
    DuplicatePluginError,
    Group,
    PluginLoadError,
    Registry,
    RegistryError,
    UnknownPluginError,
    UnreadableCodeError,
    read_catalog,
)

from serab_core import hookspecs, settings
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
from serab_core.system.session import NO_PLUGINS_VARIABLE, current_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from serab_registry import PluginRecord

    from serab_core.types import ClassifierSpec, DatasetSpec, ExtractorSpec

_T = TypeVar("_T")
_Spec = TypeVar("_Spec", "ExtractorSpec", "ClassifierSpec")
_LIST_COMMAND = {
    Group.EXTRACTORS: "serab list extractors",
    Group.DATASETS: "serab list datasets",
    Group.CLASSIFIERS: "serab list classifiers",
    Group.COMMANDS: "serab --help",
}


_local: ContextVar[Mapping[str, ExtractorSpec]] = ContextVar("local_extractors", default=MappingProxyType({}))


@contextlib.contextmanager
def local_extractors(specs: Mapping[str, ExtractorSpec]) -> Iterator[None]:
    """Offer extractors of this process, which no plugin brings and no worker process can build.

    Args:
        specs: by name; `extractor` returns them while the context is open.
    """
    token = _local.set(specs)
    try:
        yield
    finally:
        _local.reset(token)


def registry() -> Registry:
    """Return the session's registry, made from the settings at first use; workers thus see what their parent saw."""
    return current_session().cached("registry", _make_registry)


def _make_registry() -> Registry:
    return Registry(
        hookspecs,
        disabled=settings.value_list("disabled-plugins"),
        enabled=current_session().plugins and os.environ.get(NO_PLUGINS_VARIABLE, "") in ("", "0"),
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
    """The extractor called `name`.

    Args:
        name: `entry`, `entry/variant`, `dist:entry`, `entry:argument`, or the path of a folder that says what it is;
            all but a folder may be followed by options, `+option` or `+option=value`.

    Raises:
        UnknownNameError: nothing is called that, or has such an option.
        UsageError: an option's value does not fit, or the folder is no extractor.
        PluginError: its plugin fails.
    """
    if name in _local.get():
        return _local.get()[name]
    if not environments.is_isolated_child():
        environment = environment_of(name)
        here = is_installed(name)
        if (environment and not here) or (environments.is_requested() and (environment or here)):
            from serab_core.isolation.proxy import Place, described

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
        registered: ExtractorSpec = translated(lambda: registry().get(Group.EXTRACTORS, plain))
    except UnknownNameError:
        if os.path.isfile(name):  # noqa: PTH113  Path.is_file fails for a name that is too long
            raise file_error(settings.absolute_path(name)) from None
        raise
    return identified(with_options(registered, options) if options else registered, Group.EXTRACTORS, plain)


def identified(spec: _Spec, group: Group, name: str) -> _Spec:
    """The spec with the identity of the code behind it.

    Where several distributions offer the name, the spec is called `distribution:name`, in caches and tables too.

    Args:
        spec: as its plugin registered or made it.
        group: its group.
        name: its plugin's, as the registry takes it.
    """
    record = translated(lambda: registry().record(group, name))
    known = asdict(translated(lambda: registry().code(record)))
    called = f"{record.distribution}:{spec.name}" if registry().is_shared(record) else spec.name
    return replace(spec, code=known, name=called)


def environment_of(name: str) -> environments.Environment | None:
    """The environment of its own that an extractor has.

    Raises:
        PluginError: several environments have one of that name.
    """
    for distribution, entry in _entries(name):
        matches = environments.find(entry, distribution)
        if len(matches) > 1:
            choices = " or ".join(f"{environment.name}:{entry}" for environment in matches)
            raise PluginError(f"several environments have {entry}", where=name, next_step=f"say which: {choices}")
        if matches:
            return matches[0]
    return None


def extractor_names() -> list[str]:
    """The names of extractors' entry points, installed here or in environments of their own. Imports nothing."""
    elsewhere = [
        name for environment in environments.environments() for name in environment.extractors if not environment.error
    ]
    return list(dict.fromkeys([*registry().names(Group.EXTRACTORS), *elsewhere]))


def is_installed(name: str) -> bool:
    """Whether an extractor's plugin is installed in this environment. Imports nothing."""
    known = {(record.distribution, record.name) for record in registry().records(Group.EXTRACTORS)}
    known |= {("", entry) for _, entry in known}
    return any(pair in known for pair in _entries(name))


def _entries(name: str) -> list[tuple[str, str]]:
    """What a name may mean: distributions ("" for any) and entry points."""
    if is_path(name):
        return [("", folder_entry(settings.absolute_path(name)))]
    left, colon, right = name.partition(":")
    plain = (right if colon else left).partition("+")[0].partition("/")[0]
    # Distributions have one normal form (PEP 503), in which the registry and the environments keep their names.
    return [(re.sub(r"[-_.]+", "-", left).lower(), plain), ("", left)] if colon else [("", plain)]


def is_path(name: str) -> bool:
    """Whether an extractor's name is the path of a folder; `./folder` always is.

    A folder called like an extractor that is installed, or that the catalog has, is meant only where it is written so.
    """
    if is_written_as_path(name):
        return True
    if not os.path.isfile(os.path.join(name, FOLDER_FILE)):  # noqa: PTH113, PTH118  Path fails for too long a name
        return False
    entry = name.partition("/")[0]
    return entry not in extractor_names() and not any(known.offers(Group.EXTRACTORS, entry) for known in read_catalog())


def is_from_user(name: str) -> bool:
    """Whether an extractor's name leads to the user's model: a folder, or an argument of an entry point.

    `hear:./my_model.py` and `hf:./my-model` are such names, `my-distribution:my-extractor` is none.
    """
    entry, _, argument = name.partition(":")
    return is_path(name) or bool(argument and entry in registry().names(Group.EXTRACTORS))


def advice(name: str) -> str:
    """The next step for a user whose extractor raised: only code of others has an author to report to."""
    if name in _local.get():
        return f"check the object {name}, which this program made"
    if is_from_user(name):
        return f"check the code and the files that {name.partition('+')[0]} stands for"
    if any(
        _is_editable(record.distribution) for record in registry().records(Group.EXTRACTORS) if _is_of(record, name)
    ):
        return "check its code, which is installed from a folder on this machine; `serab plugins` says where"
    return "report it to the plugin's author; `serab plugins` says where it comes from"


def _is_of(record: PluginRecord, name: str) -> bool:
    return (record.distribution, record.name) in _entries(name) or ("", record.name) in _entries(name)


def _is_editable(distribution: str) -> bool:
    """Whether a distribution is an editable install (PEP 610: direct_url.json)."""
    try:
        record = json.loads(metadata.distribution(distribution).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return bool(record.get("dir_info", {}).get("editable", False))


def _make(entry: str, argument: str) -> ExtractorSpec:
    spec: ExtractorSpec = translated(lambda: registry().make(Group.EXTRACTORS, entry, argument, SerabError))
    return spec


def canonical_name(name: str) -> str:
    """Return the name that the results of an extractor carry, as far as that is known without its plugin.

    Paths become canonical, and options are put in their order: `hear:./m.py` is `hear:~/models/m.py` there.

    Raises:
        UsageError: it holds a relative path, and the working folder is deleted.
        UnknownNameError: it holds the home of a user who is not known.
    """
    if is_path(name):
        return canonical_path(name)
    entry, _, argument = name.partition(":")
    if not argument or entry not in registry().names(Group.EXTRACTORS):
        return name
    argument, options = split_options(argument)
    return "+".join([f"{entry}:{argument_paths(argument)[1]}", *sorted(options)])


def add_options(names: Sequence[str], options: Mapping[str, str | None]) -> list[str]:
    """Names of extractors with options added where they have them.

    Args:
        names: as `extractor` takes them.
        options: by name; None for one that was not asked for.

    Raises:
        UsageError: none of the extractors has an option that was asked for.
    """
    asked = {option: value for option, value in options.items() if value is not None}
    if not asked:
        return list(names)
    options_of = {name: extractor(name).options for name in names}
    for option in asked:
        if not any(option in available for available in options_of.values()):
            raise UsageError(f"none of {', '.join(names)} has the option {option}", next_step=f"leave --{option} out")
    return [
        name + "".join(f"+{option}={value}" for option, value in asked.items() if option in available)
        for name, available in options_of.items()
    ]


def dataset(name: str) -> DatasetSpec:
    """The dataset called `name`. Raises UnknownNameError or PluginError."""
    spec: DatasetSpec = translated(lambda: registry().get(Group.DATASETS, name))
    return spec


def dataset_or_none(name: str) -> DatasetSpec | None:
    """The dataset called `name`, or None where no plugin brings it: a prepared corpus outlives its plugin.

    Raises PluginError for a plugin that fails.
    """
    try:
        return dataset(name)
    except UnknownNameError:
        return None


def dataset_code(name: str) -> dict[str, str]:
    """The distribution, version and digest of the plugin that brings a dataset; empty where none does."""
    try:
        return asdict(registry().code(registry().record(Group.DATASETS, name)))
    except RegistryError:
        return {}


def classifier(name: str) -> ClassifierSpec:
    """The classifier called `name`. Raises UnknownNameError or PluginError."""
    spec: ClassifierSpec = translated(lambda: registry().get(Group.CLASSIFIERS, name))
    return identified(spec, Group.CLASSIFIERS, name)


def all_specs(group: Group) -> dict[str, Any]:
    """Every spec that the group's working plugins register, by name.

    Ambiguous names are left out, and so are plugins whose files cannot be read.
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
    """Those that plugins in environments of their own register; the ones that fail are left out."""
    specs: dict[str, ExtractorSpec] = {}
    for environment in environments.environments():
        if not environment.error:
            from serab_core.isolation.proxy import Place, all_described

            with contextlib.suppress(SerabError):
                specs |= all_described(Place.of(environment))
    return specs


def translated(call: Callable[[], _T]) -> _T:
    """Runs a call into the registry and raises its errors as the core's."""
    try:
        return call()
    except PluginLoadError as error:
        raise to_serab_error(error) from error  # with the traceback of the plugin
    except RegistryError as error:
        raise to_serab_error(error) from None


def _brings_prefix(error: UnknownPluginError) -> list[str]:
    """Distributions of the catalog whose extractors take an argument, such as `hf:ORG/NAME`, and are not installed."""
    prefix, colon, _ = error.name.partition(":")
    if not colon or error.group is not Group.EXTRACTORS or prefix in registry().names(Group.EXTRACTORS):
        return []
    return [entry.distribution for entry in read_catalog() if entry.offers(Group.EXTRACTORS, prefix)]


def to_serab_error(error: RegistryError) -> SerabError:
    """The same error in the core's tree, with the next step."""
    if isinstance(error, UnknownPluginError):
        steps = []
        if error.near:
            steps.append(f"nearest: {', '.join(error.near)}")
        steps += [f"install it with: pip install {name}" for name in error.install or _brings_prefix(error)]
        if not error.install and not _brings_prefix(error):
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
    if isinstance(error, UnreadableCodeError):
        return PluginError(str(error), next_step="make it readable, or reinstall the plugin")
    assert isinstance(error, PluginLoadError)
    record = error.record
    step = (
        f"reinstall or update it (pip install -U {record.distribution}), report it to its author, "
        f"or switch it off with SERAB_DISABLE_PLUGINS={record.name}"
    )
    return PluginError(str(error), where=record.module, next_step=step)
