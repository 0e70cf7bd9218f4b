"""Commands that come from plugins: listed from metadata, imported when they are called."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup


class PluginGroup(TyperGroup):
    """The top group: serab's own commands, then those of plugins by name."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Own commands first; a plugin cannot shadow one of them."""
        own = super().list_commands(ctx)
        return own + [name for name in _plugin_names() if name not in own]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command; a plugin's is a stand-in, which is enough for help texts and completion."""
        own = super().get_command(ctx, cmd_name)
        return _stand_in(cmd_name) if own is None and cmd_name in _plugin_names() else own

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Loads the plugin of the one command that is called."""
        name = args[0] if args else ""
        if super().get_command(ctx, name) is None and name in _plugin_names():
            return name, _load(name), args[1:]
        return super().resolve_command(ctx, args)


def _plugin_names() -> tuple[str, ...]:
    from serab_registry import Group

    from serab_core.plugins import registry

    return registry().names(Group.COMMANDS)


def _stand_in(name: str) -> Any:
    """A command with the plugin's name and origin, for help texts, without its code."""
    from serab_registry import Group

    from serab_core.plugins import registry

    origin = next(r.origin for r in registry().records(Group.COMMANDS) if r.name == name)
    shown = typer.Typer()
    shown.command(name, help=f"From {origin}.")(lambda: None)
    return typer.main.get_command(shown)


def _load(name: str) -> Any:
    """The command itself.

    Raises:
        PluginError: the plugin failed, or added no command of that name.
    """
    from serab_registry import Group

    from serab_core.errors import PluginError
    from serab_core.plugins import registry, translated

    host = typer.Typer()
    host.callback()(lambda: None)
    translated(lambda: registry().call(Group.COMMANDS, name, app=host))
    group = typer.main.get_group(host)
    command = group.commands.get(name)
    if command is None:
        raise PluginError(
            f"adds no command called {name!r}", where=f"plugin {name}", next_step="report it to the plugin's author"
        )
    return command
