"""The registry: it lists plugins from metadata, imports a plugin on demand, and stores the outcome of each import."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from serab_registry._catalog import read_catalog
from serab_registry._code import CodeIdentity, code_identity
from serab_registry._collect import Collector
from serab_registry._discover import discover, normalise, owners
from serab_registry._errors import (
    ApiVersionError,
    DisabledPluginError,
    DuplicatePluginError,
    PluginLoadError,
    RegistryError,
    UnknownPluginError,
    UnreadableCodeError,
)
from serab_registry._groups import Group
from serab_registry._listeners import Listeners
from serab_registry._loader import call_hook, implements, load_plugin, manager_for
from serab_registry._records import PluginRecord, PluginState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    import pluggy

DISABLE_VARIABLE = "SERAB_DISABLE_PLUGINS"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded plugin: its record, the registered items by name, and the item that the bare name stands for."""

    record: PluginRecord
    items: dict[str, Any]
    default: str

    def pick(self, name: str) -> Any | None:
        """Return the item called `name`, or the default for the plugin's bare name; None if there is no such item."""
        return self.items.get(self.default if name == self.record.name else name)


class Registry:
    """Finds plugins through entry points, lazily and by name.

    Args:
        hookspecs: the module with the hook specs, marked for pluggy's project `serab`.
        disabled: names, distributions or `dist:name`s of disabled plugins.
        enabled: False disables every plugin.
        item_type: returns the class of a group's items; it is called when a plugin is loaded, so it may import.
        find: returns the records; by default from the metadata of installed distributions.
    """

    def __init__(
        self,
        hookspecs: ModuleType,
        *,
        disabled: Iterable[str] = (),
        enabled: bool = True,
        item_type: Callable[[Group], type] = lambda group: object,
        find: Callable[[], tuple[PluginRecord, ...]] = discover,
    ) -> None:
        self._hookspecs = hookspecs
        self._enabled = enabled
        names = [entry.strip() for entry in disabled if entry.strip()]
        # A distribution may be written in any form that pip accepts; the name of an entry point has only one form.
        forms = [f"{normalise(left)}{colon}{name}" for left, colon, name in (entry.partition(":") for entry in names)]
        self._disabled = frozenset([*names, *forms])
        self._item_type = item_type
        self._find = find
        self._outcomes: dict[tuple[Group, str], Loaded | RegistryError] = {}
        self._codes: dict[tuple[Group, str], CodeIdentity] = {}

    @cached_property
    def _discovered(self) -> tuple[PluginRecord, ...]:
        return self._find()

    @cached_property
    def _owners(self) -> dict[tuple[Group, str], list[PluginRecord]]:
        return owners(self._discovered)

    def records(self, group: Group | None = None) -> tuple[PluginRecord, ...]:
        """Return the records of installed plugins with their current states, without importing plugins."""
        return tuple(self._state_of(record) for record in self._discovered if group in (None, record.group))

    def names(self, group: Group) -> tuple[str, ...]:
        """Return the names of a group's plugins that are not disabled, without importing plugins."""
        return tuple(dict.fromkeys(r.name for r in self._discovered if r.group is group and not self._is_disabled(r)))

    def record(self, group: Group, name: str) -> PluginRecord:
        """Return the record of the plugin for `name`, as in `load`, without importing it. Raises as `load` does."""
        return self._choose(group, name)

    def code(self, record: PluginRecord) -> CodeIdentity:
        """Return the identity of a plugin's code at the first call; later changes do not affect imported code.

        Raises:
            UnreadableCodeError: one of its files or folders cannot be read.
        """
        key = (record.group, record.qualified)
        if key not in self._codes:
            try:
                self._codes[key] = code_identity(record)
            except OSError as error:
                raise UnreadableCodeError(record, error) from error
        return self._codes[key]

    def is_shared(self, record: PluginRecord) -> bool:
        """Return whether several enabled distributions provide the record's name."""
        return sum(not self._is_disabled(owner) for owner in self._owners[record.group, record.name]) > 1

    def load(self, group: Group, name: str) -> Loaded:
        """Import the plugin for `name` (`a`, `a/variant`, `dist:a` or `dist:a/variant`) and no other.

        Raises:
            UnknownPluginError: no plugin has this name.
            DisabledPluginError: the plugin is disabled.
            DuplicatePluginError: several distributions provide the name, and the name does not select one.
            ApiVersionError: the plugin was written for another hook API.
            PluginLoadError: the plugin raised an error, exited or registered an invalid item.
        """
        return self._load(self._choose(group, name))

    def get(self, group: Group, name: str) -> Any:
        """Return the item called `name`; load its plugin if necessary. Raises as `load` does."""
        loaded = self.load(group, name)
        plain = name.rpartition(":")[2]
        item = loaded.pick(plain)
        if item is None and not loaded.items:
            raise UnknownPluginError(group, name, (f"{plain}:ARGUMENT",), ())
        if item is None:
            near = difflib.get_close_matches(plain, loaded.items, n=5, cutoff=0.0)
            raise UnknownPluginError(group, name, near, ())
        return item

    def load_all(self, group: Group) -> tuple[Loaded, ...]:
        """Load every plugin of a group; plugins that fail are left out, and `records` shows their errors."""
        loaded = []
        for record in self._discovered:
            if record.group is group and self._state_of(record).state in (PluginState.FOUND, PluginState.LOADED):
                try:
                    loaded.append(self._load(record))
                except RegistryError:
                    continue
        return tuple(loaded)

    def call(self, group: Group, name: str, **arguments: Any) -> PluginRecord:
        """Call the group's hook of a plugin with other arguments than `register`. Raises as `load` does."""
        record = self._choose(group, name)
        try:
            plugin, file = load_plugin(record)
            hook = group.hook
            assert hook is not None, "trackers are called through listeners()"
            call_hook(record, manager_for(record, plugin, self._hookspecs), hook, **arguments)
        except RegistryError as error:
            self._outcomes[group, record.qualified] = error
            raise
        return self._remember(record, file)

    def make(self, group: Group, name: str, argument: str, passing: type[Exception]) -> Any:
        """Return the item that a plugin creates for an argument, by its hook `serab_make_<kind>`.

        Args:
            group: the group.
            name: the name of the plugin, as in `load`.
            argument: the argument for the hook.
            passing: errors about the argument, which are raised unchanged.

        Raises as `load` does; PluginLoadError also for a plugin without the hook, or that returns another class.
        """
        record = self._choose(group, name)
        manager = manager_for(record, load_plugin(record)[0], self._hookspecs)
        try:
            item = call_hook(record, manager, f"serab_make_{group.kind}", argument=argument)
        except PluginLoadError as error:
            if isinstance(error.__cause__, passing):
                raise error.__cause__ from None
            raise
        if not isinstance(item, self._item_type(group)):
            raise PluginLoadError(record, f"returned {type(item).__name__} for {argument!r}")
        return item

    def probe_commands(self) -> None:
        """Import every command plugin without adding its commands; `records` shows the errors."""
        self._probe(Group.COMMANDS)

    def listeners(self) -> Listeners:
        """Load every enabled tracker; trackers that fail are left out, and `records` shows their errors."""
        return Listeners(self._probe(Group.TRACKERS))

    def _probe(self, group: Group) -> list[tuple[PluginRecord, pluggy.PluginManager]]:
        working = []
        for record in self._discovered:
            if record.group is not group or self._is_disabled(record):
                continue
            try:
                plugin, file = load_plugin(record)
                working.append((record, manager_for(record, plugin, self._hookspecs)))
                self._remember(record, file)
            except RegistryError as error:
                self._outcomes[group, record.qualified] = error
        return working

    def _remember(self, record: PluginRecord, file: str | None) -> PluginRecord:
        loaded = replace(record, state=PluginState.LOADED, file=file)
        self._outcomes[record.group, record.qualified] = Loaded(loaded, {}, record.name)
        return loaded

    def _choose(self, group: Group, name: str) -> PluginRecord:
        distribution, _, plain = name.rpartition(":")
        entry_name = plain.partition("/")[0]
        candidates = [
            record
            for record in self._owners.get((group, entry_name), ())
            if not distribution or record.distribution == normalise(distribution)
        ]
        if not candidates:
            raise UnknownPluginError(group, name, self._near(group, entry_name), self._install(group, entry_name))
        usable = [record for record in candidates if not self._is_disabled(record)]
        if not usable:
            raise DisabledPluginError(candidates[0], DISABLE_VARIABLE if self._enabled else "")
        if len(usable) > 1:
            raise DuplicatePluginError(usable)
        return usable[0]

    def _load(self, record: PluginRecord) -> Loaded:
        key = (record.group, record.qualified)
        if key not in self._outcomes:
            self._outcomes[key] = self._try(record)
        outcome = self._outcomes[key]
        if isinstance(outcome, RegistryError):
            raise outcome
        return outcome

    def _try(self, record: PluginRecord) -> Loaded | RegistryError:
        hook = record.group.hook
        assert hook is not None, "trackers are loaded by listeners()"
        group, source = record.group, (record.distribution, record.module)
        sharing = [r.name for r in self._discovered if r.group is group and (r.distribution, r.module) == source]
        collector = Collector(record, self._item_type(group), frozenset(sharing))
        try:
            plugin, file = load_plugin(record)
            manager = manager_for(record, plugin, self._hookspecs)
            if implements(manager, f"serab_make_{record.group.kind}") and not implements(manager, hook):
                collector.default = record.name  # the plugin provides items by argument only
            else:
                call_hook(record, manager, hook, register=collector)
                collector.finish()
        except RegistryError as error:
            return error
        assert collector.default is not None
        loaded = replace(record, state=PluginState.LOADED, file=file, items=tuple(collector.items))
        return Loaded(loaded, collector.items, collector.default)

    def _state_of(self, record: PluginRecord) -> PluginRecord:
        if self._is_disabled(record):
            reason = f"{DISABLE_VARIABLE} names it" if self._enabled else "no plugins are loaded"
            return replace(record, state=PluginState.DISABLED, error=f"disabled: {reason}")
        outcome = self._outcomes.get((record.group, record.qualified))
        if isinstance(outcome, Loaded):
            return outcome.record
        if isinstance(outcome, ApiVersionError):
            return replace(record, state=PluginState.INCOMPATIBLE, error=str(outcome))
        if isinstance(outcome, PluginLoadError):
            return replace(record, state=PluginState.FAILED, error=outcome.reason)
        sharing = [r for r in self._owners[record.group, record.name] if not self._is_disabled(r)]
        if len(sharing) > 1:
            others = ", ".join(r.origin for r in sharing if r is not record)
            return replace(record, state=PluginState.CONFLICT, error=f"{others} offers the same name")
        return record

    def _is_disabled(self, record: PluginRecord) -> bool:
        return not self._enabled or bool(self._disabled & {record.name, record.distribution, record.qualified})

    def _near(self, group: Group, name: str) -> list[str]:
        by_lower = {known.lower(): known for known in self.names(group)}
        return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]

    def _install(self, group: Group, name: str) -> list[str]:
        installed = {record.distribution for record in self._discovered}
        return [
            entry.distribution
            for entry in read_catalog()
            if entry.distribution not in installed and entry.offers(group, name)
        ]
