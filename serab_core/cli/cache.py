"""`serab cache`: what the home holds, whether it is whole, what may go, and embeddings as files."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from serab_core.cli import complete
from serab_core.errors import StoreError

app = typer.Typer(no_args_is_help=True, help="See what the home holds, check it, clear it, take embeddings out.")
_DAYS = 30  # embeddings that are younger may belong to a run under way, or to one that is resumed
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.command("ls", help="List what the home holds, with sizes.")
def list_command(as_json: _Json = False) -> None:
    """Lists the home."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.tables import table
    from serab_core.store.home import find_home
    from serab_core.store.identity import SHORT
    from serab_core.store.inspect import extractors_of, holdings

    home = find_home()
    found = holdings(home, _current(extractors_of(home)))
    whole = sum(own.size for own in found)
    if as_json:
        rows = [
            {
                "room": own.room,
                "name": own.name,
                "files": own.files,
                "bytes": own.size,
                "used": own.used,
                "folder": str(own.folder),
                "superseded": own.superseded,
            }
            for own in found
        ]
        print_json({"schema": "serab.cache/1", "home": str(home.root), "bytes": whole, "holdings": rows})
        return
    made = table("Room", "What", "Files", "MB", "Last written", right=("Files", "MB"))
    before = ""
    for own in found:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(own.used))
        room = "" if own.room == before else own.room
        version = f" ({own.folder.name[:SHORT]}, superseded)" if own.superseded else ""
        made.add_row(room, own.name + version, f"{own.files:,}", f"{own.size / 1e6:,.1f}", when)
        before = own.room
    if found:
        stdout().print(made)
    stdout().print(f"{whole / 1e6:,.1f} MB in {home.root}", markup=False, highlight=False, soft_wrap=True)
    size = sum(own.size for own in found if own.superseded)
    if any(own.superseded for own in found):
        text = f"{size / 1e6:,.1f} MB are embeddings of earlier versions: serab cache gc --superseded shows them"
        stdout().print(text, markup=False, highlight=False, soft_wrap=True)


@app.command(
    "verify", help="Read everything that has a checksum, and all audio in the home; set aside what is damaged."
)
def verify_command(
    keep: Annotated[bool, typer.Option("--keep", help="Only tell; leave damaged files where they are.")] = False,
    as_json: _Json = False,
) -> None:
    """Verifies the home."""
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.data.stored_audio import stored_audio_checks
    from serab_core.report.progress import progress_on
    from serab_core.store.home import find_home
    from serab_core.store.inspect import verify_home

    home = find_home()
    verified = verify_home(home, progress_on(stderr()), audio=stored_audio_checks(home), set_aside=not keep)
    damaged, unreadable = verified.damaged, verified.unreadable
    if as_json:
        rows = [{"path": str(own.path), "what": own.problem, "aside": own.aside} for own in damaged]
        document = {"schema": "serab.cache-verify/1", "home": str(home.root), "files": verified.files, "damaged": rows}
        print_json(document | {"unreadable": [{"path": error.where, "what": error.what} for error in unreadable]})
    else:
        for own in damaged:
            told = "set aside; it is made anew by the next run that needs it" if own.aside else "left where it is"
            stdout().print(f"{own.path} {own.problem}: {told}", markup=False, highlight=False, soft_wrap=True)
        for error in unreadable:
            text = f"{error.where} {error.what}: left where it is. Next: {error.next_step}"
            stdout().print(text, markup=False, highlight=False, soft_wrap=True)
        counts = f"{verified.files} files read, {len(damaged)} damaged"
        counts += f", {len(unreadable)} could not be read" if unreadable else ""
        stdout().print(counts, highlight=False)
    if damaged or unreadable:
        raise typer.Exit(StoreError.exit_code)


@app.command("gc", help="Show what nobody needs any more; --yes removes it.")
def clear_command(
    yes: Annotated[bool, typer.Option("--yes", help="Remove it.")] = False,
    superseded: Annotated[
        bool,
        typer.Option("--superseded", help="Clear embeddings of earlier versions of extractors, too; results stay."),
    ] = False,
    days: Annotated[
        int | None,
        typer.Option(
            "--days",
            min=0,
            help="Keep embeddings that were written in the last so many days; 30 by default, 0 with --superseded.",
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Clears the home."""
    from serab_registry import Group

    from serab_core import plugins
    from serab_core.cli.output import print_json, stdout
    from serab_core.embed.fingerprint import fingerprint_digest
    from serab_core.errors import SerabError
    from serab_core.store.home import find_home
    from serab_core.store.inspect import DAY_S, clear, waste

    home = find_home()
    current = {}
    for spec in plugins.all_specs(Group.EXTRACTORS).values():
        with suppress(SerabError):  # its weights are not here, so nothing was embedded with them
            current[spec.name] = fingerprint_digest(spec)
    if days is None:
        days = 0 if superseded else _DAYS
    found = waste(home, current, older_than_s=days * DAY_S, superseded=superseded)
    if yes:
        clear(home, found)
    size = sum(own.size for own in found)
    if as_json:
        rows = [{"path": str(own.path), "bytes": own.size, "why": own.why} for own in found]
        print_json({"schema": "serab.cache-gc/1", "removed": yes, "bytes": size, "waste": rows})
        return
    for own in found:
        stdout().print(f"{own.path}: {own.why}", markup=False, highlight=False, soft_wrap=True)
    told = "removed" if yes else "could go: add --yes"
    stdout().print(
        f"{len(found)} things, {size / 1e6:,.1f} MB {told}" if found else "Nothing to clear", highlight=False
    )


@app.command("export", help="Write an extractor's embeddings of a task as one npz file.")
def export_command(
    extractor: Annotated[str, typer.Argument(metavar="X", help="The extractor.", autocompletion=complete.extractors)],
    task: Annotated[str, typer.Option("--task", "-t", help="The task.", autocompletion=complete.tasks)],
    to: Annotated[Path, typer.Option("--to", "-o", help="The file.", dir_okay=False)],
    protocol: Annotated[
        str | None,
        typer.Option(
            "--protocol",
            "-p",
            help="The protocol whose splits are written; that of the settings by default.",
            autocompletion=complete.protocols,
        ),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Takes embeddings out."""
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.data.protocols import default_protocol, find_protocol
    from serab_core.report.progress import progress_on
    from serab_core.results.export_embeddings import export_embeddings
    from serab_core.run.plan import make_plan
    from serab_core.store.home import find_home

    spec = find_protocol(protocol or default_protocol())
    plan = make_plan(find_home(), [extractor], [task], spec, [], progress_on(stderr()))
    rows, dim = export_embeddings(plan, to)
    if as_json:
        print_json({"schema": "serab.cache-export/1", "file": str(to), "utterances": rows, "dim": dim})
        return
    stdout().print(f"{to}: {rows} x {dim} float32", markup=False, highlight=False, soft_wrap=True)


def _current(names: Iterable[str]) -> dict[str, str]:
    """Digests of the fingerprints of extractors as they are installed; those of adapters' models are not looked for."""
    from serab_core.results.stored import installed_fingerprints
    from serab_core.store.jsonio import digest

    return {name: digest(fingerprint) for name, fingerprint in installed_fingerprints(names).items()}
