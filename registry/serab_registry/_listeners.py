"""Trackers: plugins that receive the events of a run. The failure of a tracker affects neither the run nor others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_registry._errors import PluginLoadError
from serab_registry._loader import call_hook

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pluggy

    from serab_registry._records import PluginRecord


class Listeners:
    """The trackers of one run, in order of name.

    Attributes:
        errors: the errors of trackers so far. A tracker that failed once is not called again.
    """

    def __init__(self, members: Sequence[tuple[PluginRecord, pluggy.PluginManager]]) -> None:
        self._members = list(members)
        self.errors: list[PluginLoadError] = []

    def emit(self, hook: str, **arguments: Any) -> None:
        """Call an event hook of every tracker that implements it."""
        for member in list(self._members):
            record, manager = member
            if not getattr(manager.hook, hook).get_hookimpls():
                continue
            try:
                call_hook(record, manager, hook, **arguments)
            except PluginLoadError as error:
                self.errors.append(error)
                self._members.remove(member)

    def __len__(self) -> int:
        return len(self._members)
