"""`serab plugins`: every plugin with its state."""

from __future__ import annotations

from typing import Annotated

import typer

_COLOURS = {
    "found": "default",
    "loaded": "green",
    "disabled": "dim",
    "conflict": "red",
    "incompatible": "red",
    "failed": "red",
}
HELP = """Show every installed plugin, where it comes from and whether it works.

Each is imported to find out; --no-load reads metadata only.
"""


def plugins_command(
    available: Annotated[bool, typer.Option("--available", help="Show the known plugins, installed or not.")] = False,
    load: Annotated[bool, typer.Option("--load/--no-load", help="Import the plugins to see whether they work.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Shows plugins."""
    from itertools import groupby

    from rich.markup import escape
    from rich.table import Table
    from serab_registry import API_VERSION, Group, read_catalog

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
    for origin, members in groupby(sorted(records, key=lambda record: record.origin), key=lambda record: record.origin):
        console.print(f"[bold]{escape(origin)}[/bold]", highlight=False)
        lines = Table.grid(padding=(0, 2))
        for record in members:
            state = f"[{_COLOURS[record.state]}]{record.state.value}[/]"
            what = escape(record.error or ", ".join(record.items))
            lines.add_row("", record.group.kind, escape(record.name), state, what)
        console.print(lines)
