"""`serab config`: what is set, and where."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = """Show the settings that are in force, and where each comes from.

They stand in serab.toml, here or above, or in a pyproject.toml as [tool.serab]; in the user's own serab.toml; or in the
environment, which goes first. What the command line says goes before all of them.
"""


def config_command(
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of serab.toml.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Shows settings."""
    from serab_core import settings
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.tables import table

    if schema:
        print_json(settings.json_schema())
        return
    files = [str(path) for path in settings.config_files()]
    found = settings.in_force().values()
    if as_json:
        rows = {
            each.setting.key: {
                "value": list(each.value) if isinstance(each.value, tuple) else each.value,
                "from": each.origin or "default",
                "default": each.setting.default,
                "variable": each.setting.variable,
            }
            for each in found
        }
        rows["home"]["value"] = str(settings.home())
        print_json({"schema": "serab.config/1", "files": files, "settings": rows})
        return
    made = table("Setting", "In force", "From", "Variable")
    for each in found:
        value = ", ".join(each.value) if isinstance(each.value, tuple) else each.value
        shown = str(settings.home()) if each.setting.key == "home" else str(value) if value else each.setting.default
        made.add_row(each.setting.key, shown, each.origin or "default", each.setting.variable)
    stdout().print(made)
    read = ", ".join(files) if files else "none; a serab.toml here, or above, would be"
    stdout().print(f"Files read: {read}.", markup=False, highlight=False, soft_wrap=True)
