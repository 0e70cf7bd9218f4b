"""`serab cache`: list, verify and clear the contents of the home, and export embeddings."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from serab_core.cli.output import find_home, print_json, show_progress, stdout
from serab_core.cli.parameters import AsJson, Extractor, Protocol, Task
from serab_core.errors import SerabError, StoreError

app = typer.Typer(no_args_is_help=True, help="List, verify and clear the contents of the home, and export embeddings.")
_DAYS = 30  # days; newer embeddings may belong to a run that is in progress or will be resumed


@app.command("ls", help="List the contents of the home, with sizes.")
def list_command(as_json: AsJson = False) -> None:
    """List the contents of the home."""
    from serab_core.report.tables import table
    from serab_core.store.identity import SHORT
    from serab_core.store.inspect import extractors_of, holdings

    home = find_home()
    entries = holdings(home, _current(extractors_of(home)))
    whole = sum(entry.size for entry in entries)
    if as_json:
        rows = [
            {
                "room": entry.room,
                "name": entry.name,
                "files": entry.files,
                "bytes": entry.size,
                "used": entry.used,
                "folder": str(entry.folder),
                "superseded": entry.superseded,
            }
            for entry in entries
        ]
        print_json({"schema": "serab.cache/1", "home": str(home.root), "bytes": whole, "holdings": rows})
        return
    listing = table("Room", "What", "Files", "MB", "Last written", right=("Files", "MB"))
    before = ""
    for entry in entries:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
        room = "" if entry.room == before else entry.room
        version = f" ({entry.folder.name[:SHORT]}, superseded)" if entry.superseded else ""
        listing.add_row(room, entry.name + version, f"{entry.files:,}", f"{entry.size / 1e6:,.1f}", when)
        before = entry.room
    if entries:
        stdout().print(listing)
    stdout().print(f"{whole / 1e6:,.1f} MB in {home.root}", soft_wrap=True)
    size = sum(entry.size for entry in entries if entry.superseded)
    if any(entry.superseded for entry in entries):
        text = f"{size / 1e6:,.1f} MB are embeddings of earlier versions: serab cache gc --superseded shows them"
        stdout().print(text, soft_wrap=True)


@app.command(
    "verify",
    help="Check every file with a checksum, and all audio in the home. Damaged files are renamed to *.bad-TIME.",
)
def verify_command(
    keep: Annotated[bool, typer.Option("--keep", help="Only report damaged files; do not rename them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Verify the home."""
    from serab_core.data.stored_audio import stored_audio_checks
    from serab_core.store.inspect import verify_home

    home = find_home()
    verified = verify_home(home, show_progress(), audio=stored_audio_checks(home), set_aside=not keep)
    damaged, unreadable = verified.damaged, verified.unreadable
    if as_json:
        rows = [{"path": str(entry.path), "what": entry.problem, "aside": entry.aside} for entry in damaged]
        document = {"schema": "serab.cache-verify/1", "home": str(home.root), "files": verified.files, "damaged": rows}
        print_json(document | {"unreadable": [{"path": error.where, "what": error.what} for error in unreadable]})
    else:
        for entry in damaged:
            status = "in quarantine; the next run that needs it computes it again" if entry.aside else "left in place"
            stdout().print(f"{entry.path} {entry.problem}: {status}", soft_wrap=True)
        for error in unreadable:
            text = f"{error.where} {error.what}: left in place. Next: {error.next_step}"
            stdout().print(text, soft_wrap=True)
        counts = f"{verified.files} files read, {len(damaged)} damaged"
        counts += f", {len(unreadable)} could not be read" if unreadable else ""
        stdout().print(counts)
    if damaged or unreadable:
        raise typer.Exit(StoreError.exit_code)


@app.command("gc", help="List files that are no longer needed. With --yes, delete them.")
def clear_command(
    yes: Annotated[bool, typer.Option("--yes", help="Delete the listed files.")] = False,
    superseded: Annotated[
        bool,
        typer.Option("--superseded", help="Include embeddings of earlier versions of extractors. Results stay."),
    ] = False,
    days: Annotated[
        int | None,
        typer.Option(
            "--days",
            min=0,
            help="Keep embeddings that are newer than this number of days. Default: 30; 0 with --superseded.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Delete files that are no longer needed."""
    from serab_core import plugins
    from serab_core.embed.fingerprint import fingerprint_digest
    from serab_core.plugins.entry_points import Group
    from serab_core.store.inspect import DAY_S, clear, waste

    home = find_home()
    current = {}
    for spec in plugins.all_specs(Group.EXTRACTORS).values():
        with suppress(SerabError):  # without its weights the extractor has no stored embeddings
            current[spec.name] = fingerprint_digest(spec)
    if days is None:
        days = 0 if superseded else _DAYS
    entries = waste(home, current, older_than_s=days * DAY_S, superseded=superseded)
    if yes:
        clear(home, entries)
    size = sum(entry.size for entry in entries)
    if as_json:
        rows = [{"path": str(entry.path), "bytes": entry.size, "why": entry.why} for entry in entries]
        print_json({"schema": "serab.cache-gc/1", "removed": yes, "bytes": size, "waste": rows})
        return
    for entry in entries:
        stdout().print(f"{entry.path}: {entry.why}", soft_wrap=True)
    count = f"{len(entries)} files or folders, {size / 1e6:,.1f} MB"
    text = f"{count} deleted" if yes else f"{count} can be deleted: add --yes"
    stdout().print(text if entries else "Nothing to delete")


@app.command("export", help="Write the embeddings of an extractor on a task into one npz file.")
def export_command(
    extractor: Extractor,
    task: Task,
    to: Annotated[Path, typer.Option("--to", "-o", help="The file to write.", dir_okay=False)],
    protocol: Protocol = None,
    as_json: AsJson = False,
) -> None:
    """Export embeddings."""
    from serab_core.data.protocols import default_protocol, find_protocol
    from serab_core.results.export_embeddings import export_embeddings
    from serab_core.run.plan import make_plan

    spec = find_protocol(protocol or default_protocol())
    home = find_home()
    plan = make_plan(home, [extractor], [task], spec, [])
    rows, dim = export_embeddings(plan, to)
    if as_json:
        print_json({"schema": "serab.cache-export/1", "file": str(to), "utterances": rows, "dim": dim})
        return
    stdout().print(f"{to}: {rows} x {dim} float32", soft_wrap=True)


def _current(names: Iterable[str]) -> dict[str, str]:
    """Return the fingerprint digests of installed extractors; models of adapters are left out."""
    from serab_core.results.stored import installed_fingerprints
    from serab_core.store.jsonio import digest

    return {name: digest(fingerprint) for name, fingerprint in installed_fingerprints(names).items()}
