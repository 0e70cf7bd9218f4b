"""`serab plugins`: list plugins with their states, and isolate plugins in environments."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.output import print_json, show_progress, stdout
from serab_core.cli.parameters import AsJson

_COLOURS = {
    "found": "default",
    "loaded": "green",
    "disabled": "dim",
    "conflict": "red",
    "incompatible": "red",
    "failed": "red",
}
HELP = """List every installed plugin, its distribution and its state.

The command imports each plugin to see whether it works; with --no-load it only reads metadata.
"""
ISOLATE_HELP = (
    "Install a plugin in its own environment, and run it in its own process.\n\n"
    "Use it for plugins whose libraries are incompatible. The plugin need not be installed in this environment. If it "
    "is, `serab eval X --isolate` uses its own environment."
)

app = typer.Typer(help=HELP, invoke_without_command=True)


@app.callback()
def plugins_command(
    context: typer.Context,
    available: Annotated[bool, typer.Option("--available", help="List all known plugins, installed or not.")] = False,
    load: Annotated[bool, typer.Option("--load/--no-load", help="Import the plugins to see whether they work.")] = True,
    as_json: AsJson = False,
) -> None:
    """List plugins."""
    if context.invoked_subcommand is not None:
        return
    from itertools import groupby

    from rich.table import Table
    from rich.text import Text

    from serab_core.isolation.environments import environments
    from serab_core.plugins.entry_points import API_VERSION, Group, read_catalog, registry
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
        listing = table("Distribution", "Installed", "Summary")
        for entry, row in zip(read_catalog(), rows, strict=True):
            listing.add_row(entry.distribution, "yes" if row["installed"] else "", entry.summary)
        console.print(listing)
        console.print("Install one with: pip install DISTRIBUTION", style="dim")
        return
    if load:
        for group in (Group.EXTRACTORS, Group.DATASETS, Group.CLASSIFIERS):
            installed.load_all(group)
        installed.probe_commands()
        installed.listeners()
    records = installed.records()
    if as_json:
        plain = [record.as_json() for record in records]
        isolated = [environment.as_json() for environment in environments()]
        print_json({"schema": "serab.plugins/1", "api_version": API_VERSION, "plugins": plain, "isolated": isolated})
        return
    if not records and not environments():
        console.print("No plugins are installed. See: serab plugins --available")
        return
    for origin, members in groupby(sorted(records, key=lambda record: record.origin), key=lambda record: record.origin):
        console.print(origin, style="bold")
        lines = Table.grid(padding=(0, 2))
        for record in members:
            state = Text(record.state.value, style=_COLOURS[record.state])
            description = record.error or ", ".join(record.items)
            lines.add_row("", record.group.kind, record.name, state, description)
        console.print(lines)
    for environment in environments():
        origin = f"{environment.name} {environment.version}".strip()
        console.print(Text.assemble((origin, "bold"), ", in its own environment"))
        state = Text("failed", "red") if environment.error else Text("isolated", "green")
        lines = Table.grid(padding=(0, 2))
        for name in environment.extractors or ("",):
            lines.add_row("", "extractor", name, state, environment.error)
        console.print(lines)


@app.command("isolate", help=ISOLATE_HELP)
def isolate_command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="X",
            help="An extractor, or a distribution in the syntax of `pip install`.",
            autocompletion=complete.extractors,
        ),
    ],
    python: Annotated[
        Path | None,
        typer.Option(
            "--python",
            help="Use the environment of this interpreter, which already contains the plugin.",
            dir_okay=False,
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the environment.")] = False,
    as_json: AsJson = False,
) -> None:
    """Isolate a plugin, or remove its environment."""
    from serab_core.plugins import install

    environment = install.remove(name) if remove else install.isolate(name, show_progress(), python)
    if as_json:
        print_json({"schema": "serab.environment/1", **environment.as_json(), "removed": remove})
        return
    if remove:
        stdout().print(f"Removed: {environment.name}")
        return
    stdout().print(
        f"{environment.name} {environment.version} is installed in its own environment: {environment.folder}",
        soft_wrap=True,
    )
    stdout().print(f"Try: serab eval {environment.extractors[0]} --isolate", style="dim")
