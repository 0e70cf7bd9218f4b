"""`serab plugins`: every plugin with its state."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = """Show every installed plugin, where it comes from and whether it works.

Each is imported to find out; --no-load reads metadata only.
"""


def plugins_command(
    available: Annotated[bool, typer.Option("--available", help="Show the known plugins, installed or not.")] = False,
    load: Annotated[bool, typer.Option("--load/--no-load", help="Import the plugins to see whether they work.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Shows plugins."""
    from rich.markup import escape
    from serab_registry import API_VERSION, Group, PluginState, read_catalog

    from serab_core.cli.output import print_json, stdout
    from serab_core.plugins import registry
    from serab_core.report.tables import table

    installed = registry()
    console = stdout()
    if available:
        there = {record.distribution for record in installed.records()}
        rows = [
            {
                "distribution": entry.distribution,
                "installed": entry.distribution in there,
                "summary": entry.summary,
                "names": {kind: list(names) for kind, names in entry.names.items()},
            }
            for entry in read_catalog()
        ]
        if as_json:
            print_json({"schema": "serab.catalog/1", "plugins": rows})
            return
        made = table("Distribution", "Installed", "What it brings")
        for entry, row in zip(read_catalog(), rows, strict=True):
            made.add_row(entry.distribution, "yes" if row["installed"] else "", escape(entry.summary))
        console.print(made)
        console.print("Install one with: pip install DISTRIBUTION", highlight=False, style="dim")
        return
    if load:
        for group in (Group.EXTRACTORS, Group.DATASETS, Group.CLASSIFIERS):
            installed.load_all(group)
        installed.probe_commands()
        installed.listeners()
    records = installed.records()
    if as_json:
        plain = [record.as_json() for record in records]
        print_json({"schema": "serab.plugins/1", "api_version": API_VERSION, "plugins": plain})
        return
    if not records:
        console.print("No plugins are installed. See: serab plugins --available", highlight=False)
        return
    made = table("Name", "Kind", "State", "Distribution", "Registers, or what is wrong")
    colours = {PluginState.LOADED: "green", PluginState.FOUND: "", PluginState.DISABLED: "dim"}
    for record in records:
        colour = colours.get(record.state, "red")
        state = f"[{colour}]{record.state.value}[/{colour}]" if colour else record.state.value
        made.add_row(
            escape(record.name),
            record.group.kind,
            state,
            escape(record.origin),
            escape(record.error or ", ".join(record.items)),
        )
    console.print(made)
