"""The registry: names from metadata, one plugin's code on demand, and a memory of how each loading went."""

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
from serab_registry._loader import call_hook, implements, import_module, manager_for
from serab_registry._records import PluginRecord, PluginState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    import pluggy

DISABLE_VARIABLE = "SERAB_DISABLE_PLUGINS"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plugin that loaded: its record, what it registered by name, and which of these the bare name means."""

    record: PluginRecord
    items: dict[str, Any]
    default: str

    def pick(self, name: str) -> Any | None:
        """The item called `name`, or the default for the plugin's bare name; None where there is none."""
        return self.items.get(self.default if name == self.record.name else name)


class Registry:
    """Finds plugins over the entry-point groups, lazily and by name.

    Args:
        hookspecs: the module that holds the hook specs, marked for pluggy's project `serab`.
        disabled: names, distributions or `dist:name`s that are switched off.
        enabled: False switches every plugin off, before anything is imported.
        item_type: the class that a group's items must be of; asked when a plugin is loaded, so that it may import.
        find: gives the records; the installed distributions' metadata unless a test says otherwise.
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
        # A distribution may be written in any form that pip takes; the name of an entry point has one form only.
        forms = [f"{normalise(left)}{colon}{name}" for left, colon, name in (entry.partition(":") for entry in names)]
        self._disabled = frozenset([*names, *forms])
        self._item_type = item_type
        self._find = find
        self._outcomes: dict[tuple[Group, str], Loaded | RegistryError] = {}
        self._codes: dict[tuple[Group, str], CodeIdentity] = {}

    @cached_property
    def _found(self) -> tuple[PluginRecord, ...]:
        return self._find()

    @cached_property
    def _owners(self) -> dict[tuple[Group, str], list[PluginRecord]]:
        return owners(self._found)

    def records(self, group: Group | None = None) -> tuple[PluginRecord, ...]:
        """What is installed, with the state each plugin has reached so far. Imports nothing."""
        return tuple(self._state_of(record) for record in self._found if group in (None, record.group))

    def names(self, group: Group) -> tuple[str, ...]:
        """The public names of one group that are not switched off. Imports nothing."""
        return tuple(dict.fromkeys(r.name for r in self._found if r.group is group and not self._switch(r)))

    def record(self, group: Group, name: str) -> PluginRecord:
        """The one plugin behind `name`, as `load` takes it, whose code is not imported. Raises as `load` does."""
        return self._choose(group, name)

    def code(self, record: PluginRecord) -> CodeIdentity:
        """Return the identity of a plugin's code as this registry first saw it; what is imported does not change.

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
        """Whether several distributions that are not switched off offer the record's name."""
        return sum(not self._switch(owner) for owner in self._owners[record.group, record.name]) > 1

    def load(self, group: Group, name: str) -> Loaded:
        """Imports the one plugin behind `name` (`a`, `a/variant`, `dist:a` or `dist:a/variant`) and no other.

        Raises:
            UnknownPluginError: nothing is called that.
            DisabledPluginError: it is switched off.
            DuplicatePluginError: several distributions offer the name and none was chosen.
            ApiVersionError: it was written for another hook API.
            PluginLoadError: it raised, exited or registered something invalid.
        """
        return self._load(self._choose(group, name))

    def get(self, group: Group, name: str) -> Any:
        """The item called `name`, loading its plugin if need be. Raises as `load` does."""
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
        """Loads every plugin of one group; those that fail are left out and remembered in `records`."""
        loaded = []
        for record in self._found:
            if record.group is group and self._state_of(record).state in (PluginState.FOUND, PluginState.LOADED):
                try:
                    loaded.append(self._load(record))
                except RegistryError:
                    continue
        return tuple(loaded)

    def call(self, group: Group, name: str, **arguments: Any) -> PluginRecord:
        """Calls the group's hook of one plugin with other arguments than `register`. Raises as `load` does."""
        record = self._choose(group, name)
        try:
            module = import_module(record)
            hook = group.hook
            assert hook is not None, "trackers are called through listeners()"
            call_hook(record, manager_for(record, module, self._hookspecs), hook, **arguments)
        except RegistryError as error:
            self._outcomes[group, record.qualified] = error
            raise
        return self._remember(record, module)

    def make(self, group: Group, name: str, argument: str, passing: type[Exception]) -> Any:
        """What one plugin makes of a word that only it understands, by its hook `serab_make_<kind>`.

        Args:
            group: the group.
            name: the plugin's, as `load` takes it.
            argument: the word.
            passing: errors that are the word's fault, and are raised as they are.

        Raises as `load` does; PluginLoadError also for a plugin without the hook, or one that makes something else.
        """
        record = self._choose(group, name)
        module = import_module(record)
        manager = manager_for(record, module, self._hookspecs)
        try:
            item = call_hook(record, manager, f"serab_make_{group.kind}", argument=argument)
        except PluginLoadError as error:
            if isinstance(error.__cause__, passing):
                raise error.__cause__ from None
            raise
        if not isinstance(item, self._item_type(group)):
            raise PluginLoadError(record, f"made {type(item).__name__} of {argument!r}")
        return item

    def probe_commands(self) -> None:
        """Imports every command plugin without adding its commands; what fails is remembered in `records`."""
        self._probe(Group.COMMANDS)

    def listeners(self) -> Listeners:
        """Loads every tracker that is not switched off; one that fails is left out and remembered in `records`."""
        return Listeners(self._probe(Group.TRACKERS))

    def _probe(self, group: Group) -> list[tuple[PluginRecord, pluggy.PluginManager]]:
        working = []
        for record in self._found:
            if record.group is not group or self._switch(record):
                continue
            try:
                module = import_module(record)
                working.append((record, manager_for(record, module, self._hookspecs)))
                self._remember(record, module)
            except RegistryError as error:
                self._outcomes[group, record.qualified] = error
        return working

    def _remember(self, record: PluginRecord, module: ModuleType) -> PluginRecord:
        loaded = replace(record, state=PluginState.LOADED, file=getattr(module, "__file__", None))
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
        usable = [record for record in candidates if not self._switch(record)]
        if not usable:
            raise DisabledPluginError(candidates[0], self._switch(candidates[0]))
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
        collector = Collector(record, self._item_type(record.group))
        try:
            module = import_module(record)
            manager = manager_for(record, module, self._hookspecs)
            if implements(manager, f"serab_make_{record.group.kind}") and not implements(manager, hook):
                collector.default = record.name  # all that it has comes by argument
            else:
                call_hook(record, manager, hook, register=collector)
                collector.finish()
        except RegistryError as error:
            return error
        assert collector.default is not None
        loaded = replace(
            record,
            state=PluginState.LOADED,
            file=getattr(module, "__file__", None),
            items=tuple(collector.items),
        )
        return Loaded(loaded, collector.items, collector.default)

    def _state_of(self, record: PluginRecord) -> PluginRecord:
        if self._switch(record):
            return replace(record, state=PluginState.DISABLED, error=f"switched off by {self._switch(record)}")
        outcome = self._outcomes.get((record.group, record.qualified))
        if isinstance(outcome, Loaded):
            return outcome.record
        if isinstance(outcome, ApiVersionError):
            return replace(record, state=PluginState.INCOMPATIBLE, error=str(outcome))
        if isinstance(outcome, PluginLoadError):
            return replace(record, state=PluginState.FAILED, error=outcome.reason)
        sharing = [r for r in self._owners[record.group, record.name] if not self._switch(r)]
        if len(sharing) > 1:
            others = ", ".join(r.origin for r in sharing if r is not record)
            return replace(record, state=PluginState.CONFLICT, error=f"{others} offers the same name")
        return record

    def _switch(self, record: PluginRecord) -> str:
        if not self._enabled:
            return "--no-plugins"
        if self._disabled & {record.name, record.distribution, record.qualified}:
            return DISABLE_VARIABLE
        return ""

    def _near(self, group: Group, name: str) -> list[str]:
        by_lower = {known.lower(): known for known in self.names(group)}
        return [by_lower[match] for match in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]

    def _install(self, group: Group, name: str) -> list[str]:
        installed = {record.distribution for record in self._found}
        return [
            entry.distribution
            for entry in read_catalog()
            if entry.distribution not in installed and entry.offers(group, name)
        ]
