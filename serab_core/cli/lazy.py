"""Commands of plugins: listed from metadata, and imported when they are called."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from serab_core.errors import PluginError


class PluginGroup(TyperGroup):
    """The top-level group: the commands of serab, followed by those of plugins in order of name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of commands, those of serab first; a plugin cannot replace one of them."""
        names = super().list_commands(ctx)
        return names + [name for name in _plugin_names() if name not in names]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command; for a plugin a placeholder, which is sufficient for help texts and completion."""
        command = super().get_command(ctx, cmd_name)
        return _stand_in(cmd_name) if command is None and cmd_name in _plugin_names() else command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the called command, after loading its plugin."""
        name = args[0] if args else ""
        if super().get_command(ctx, name) is None and name in _plugin_names():
            return name, _load(name), args[1:]
        return super().resolve_command(ctx, args)


def _plugin_names() -> tuple[str, ...]:
    from serab_core.plugins.entry_points import Group, registry

    return registry().names(Group.COMMANDS)


def _stand_in(name: str) -> Any:
    """Return a placeholder command with the name and the origin of the plugin, without loading its code."""
    from serab_core.plugins.entry_points import Group, registry

    origin = next(r.origin for r in registry().records(Group.COMMANDS) if r.name == name)
    shown = typer.Typer()
    shown.command(name, help=f"From {origin}.")(lambda: None)
    return typer.main.get_command(shown)


def _load(name: str) -> Any:
    """Load a plugin and return its command.

    Raises:
        PluginError: the plugin failed, or added no command of that name.
    """
    from serab_core.plugins.entry_points import Group, registry

    host = typer.Typer()
    host.callback()(lambda: None)
    registry().call(Group.COMMANDS, name, app=host)
    group = typer.main.get_group(host)
    command = group.commands.get(name)
    if command is None:
        raise PluginError(
            f"adds no command called {name!r}", where=f"plugin {name}", next_step="report it to the plugin's author"
        )
    return command
