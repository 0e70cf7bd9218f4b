"""`serab config`: show settings and their origins, and trust project files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli.parameters import AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

HELP = (
    "Show the settings that are in force, and the origin of each.\n\n"
    "Settings come from, in order of precedence: the command line; environment variables; a project file, which is "
    "serab.toml or the table tool.serab of pyproject.toml, in the working folder or above; and the serab.toml of the "
    "user. A project file can set home and engine only after serab config trust."
)
TRUST_HELP = (
    "Allow a project file to set home and engine.\n\n"
    "The home decides which plugin environments run, and the scheduler of an engine can run code on this machine. "
    "Serab therefore ignores both settings of a project file until you trust it. Trust covers the current values only: "
    "after a change, serab ignores the new value."
)
UNTRUST_HELP = "Revoke serab config trust for a folder."

app = typer.Typer(help=HELP, invoke_without_command=True)


@app.callback()
def config_command(
    context: typer.Context,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of serab.toml.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show settings."""
    if context.invoked_subcommand is not None:
        return
    from serab_core import settings
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.tables import table

    if schema:
        print_json(settings.json_schema())
        return
    files = [str(path) for path in settings.config_files()]
    effective, ignored = settings.effective_values(), settings.ignored_settings()
    if as_json:
        rows: dict[str, dict[str, Any]] = {}
        for key, setting in settings.SETTINGS.items():
            value, origin = effective[key]
            rows[key] = {"value": value, "from": origin, "default": setting.default, "variable": setting.variable}
        skipped = [
            {"file": str(each.file), "setting": each.key or None, "reason": each.reason, "next_step": each.next_step}
            for each in ignored
        ]
        print_json({"schema": "serab.config/1", "files": files, "settings": rows, "ignored": skipped})
        return
    shown = table("Setting", "In force", "From", "Variable")
    for key, setting in settings.SETTINGS.items():
        value, origin = effective[key]
        text = ", ".join(value) if isinstance(value, tuple) else str(value)
        if not text or (origin == "default" and key != "home"):
            text = setting.default
        shown.add_row(key, text, origin, setting.variable)
    stdout().print(shown)
    read = ", ".join(files) if files else "none; serab reads a serab.toml in this folder or above"
    lines = [f"Files read: {read}.", *(f"Ignored: {each}" for each in ignored)]
    for line in lines:
        stdout().print(line, markup=False, highlight=False, soft_wrap=True)


@app.command("trust", help=TRUST_HELP)
def trust_command(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[FOLDER]", help="Folder with the file. Default: the working folder or above."),
    ] = None,
    show: Annotated[bool, typer.Option("--list", help="Show the trusted folders.")] = False,
    as_json: AsJson = False,
) -> None:
    """Trust a folder."""
    import os

    from serab_core import settings
    from serab_core.cli.output import print_json, stdout
    from serab_core.trust import read_trusted, write_trusted

    trusted = read_trusted(settings.trust_file())
    if not show:
        path = _project_file(folder)
        values = settings.values_to_trust(settings.read_settings(path))
        key = os.path.realpath(path.parent)
        trusted.pop(key, None)
        if values:
            trusted[key] = values
        write_trusted(settings.trust_file(), trusted)
        if not as_json:
            text = f"{path}: trusted: {_assignments(values)}." if values else f"{path}: no setting needs trust."
            stdout().print(text, markup=False, highlight=False, soft_wrap=True)
    if as_json:
        print_json({"schema": "serab.trusted/1", "folders": trusted})
    elif show:
        for name, values in sorted(trusted.items()):
            stdout().print(f"{name}: {_assignments(values)}", markup=False, highlight=False, soft_wrap=True)
        if not trusted:
            stdout().print("No folder is trusted.", highlight=False)


@app.command("untrust", help=UNTRUST_HELP)
def untrust_command(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="A trusted folder. Default: the working folder.")
    ] = None,
) -> None:
    """Revoke trust."""
    import os

    from serab_core import settings
    from serab_core.cli.output import stdout
    from serab_core.errors import UnknownNameError
    from serab_core.trust import read_trusted, write_trusted

    trusted = read_trusted(settings.trust_file())
    key = os.path.realpath(settings.absolute_path(folder or "."))
    if trusted.pop(key, None) is None:
        raise UnknownNameError("is not trusted", where=key, next_step="see: serab config trust --list")
    write_trusted(settings.trust_file(), trusted)
    stdout().print(f"{key}: trusted no longer.", markup=False, highlight=False, soft_wrap=True)


def _project_file(folder: Path | None) -> Path:
    """Return the file to trust.

    Raises:
        ConfigError: there is no file, or other users can write it.
    """
    import os

    from serab_core import settings
    from serab_core.errors import ConfigError
    from serab_core.project_file import find_project_file

    here = Path(os.path.realpath(settings.absolute_path(folder or ".")))
    path, ignored = find_project_file(here)
    refused = [entry for entry in ignored if folder is None or entry.file.parent == here]
    if path is None or (folder is not None and path.parent != here) or (refused and refused[0].file.parent == here):
        if refused:
            raise ConfigError(
                f"cannot be trusted: it {refused[0].reason}", where=refused[0].file, next_step=refused[0].next_step
            )
        raise ConfigError(
            "has no serab.toml, and no pyproject.toml with [tool.serab]",
            where=here,
            next_step="name the folder of the file: serab config trust FOLDER",
        )
    return path


def _assignments(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value!r}" for key, value in values.items())
