"""Collects the items that a plugin registers, and checks their names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serab_registry._errors import PluginLoadError

if TYPE_CHECKING:
    from serab_registry._records import PluginRecord


@dataclass(slots=True)
class Collector:
    """The `register` argument of the hooks. If the plugin fails, none of its items count.

    A plugin owns its entry point's name and the variants below it: `byol-s`, `byol-s/512`, `byol-s/2048`. Several entry
    points of a distribution may share a module, which registers the items of all of them; each gets its own items.

    Attributes:
        record: the record of the plugin.
        item_type: the class of the items.
        sharing: the names of the entry points that share the module.
        items, default: the items of this entry point by name, and the name of the default.
    """

    record: PluginRecord
    item_type: type = object
    sharing: frozenset[str] = frozenset()
    items: dict[str, Any] = field(default_factory=dict)
    default: str | None = None

    def __call__(self, item: Any, *, default: bool = False) -> None:
        """Register an item, which has a `name`; with `default`, the bare name stands for this variant.

        Raises:
            PluginLoadError: the item has another class than the group's, no name, a name that does not belong to the
                plugin, or the name of another item; or it is a second default.
        """
        name = getattr(item, "name", None)
        entry_name = self.record.name
        if not isinstance(item, self.item_type):
            reason = f"registered {type(item).__name__} {name!r}, which is not of class {self.item_type.__name__}"
            raise PluginLoadError(self.record, reason)
        if not isinstance(name, str):
            raise PluginLoadError(self.record, f"registered {type(item).__name__}, which has no name")
        entry, _, variant = name.partition("/")
        if entry != entry_name and entry in self.sharing and (variant or entry == name):
            return
        if name != entry_name and not (name.startswith(f"{entry_name}/") and len(name) > len(entry_name) + 1):
            raise PluginLoadError(
                self.record, f"registered {name!r}, which is neither {entry_name!r} nor '{entry_name}/...'"
            )
        if name in self.items:
            raise PluginLoadError(self.record, f"registered {name!r} twice")
        if default and self.default is not None:
            raise PluginLoadError(self.record, f"declares two defaults, {self.default!r} and {name!r}")
        self.items[name] = item
        if default:
            self.default = name

    def finish(self) -> None:
        """Determine the item that the bare name stands for.

        Raises:
            PluginLoadError: nothing was registered, or several variants without a default.
        """
        if not self.items:
            raise PluginLoadError(self.record, "registered nothing")
        entry_name = self.record.name
        if entry_name in self.items:
            if self.default not in (None, entry_name):
                raise PluginLoadError(self.record, f"registered {entry_name!r} and made {self.default!r} the default")
            self.default = entry_name
        elif self.default is None:
            if len(self.items) > 1:
                names = ", ".join(self.items)
                raise PluginLoadError(self.record, f"registered {names} and none of them as the default")
            self.default = next(iter(self.items))
