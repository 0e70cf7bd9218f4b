"""`serab data fetch`: download corpora from their publishers, and prepare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli import complete
from serab_core.cli.output import find_home, print_json, show_progress, stderr, stdout
from serab_core.cli.parameters import AsJson
from serab_core.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from serab_core.store.home import Home
    from serab_core.types import DatasetSpec

FETCH_HELP = (
    "Download corpora from their publishers, and prepare them. The same command resumes an interrupted download."
)


def fetch_command(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME [...]", help="Datasets; see: serab data list", autocompletion=complete.datasets),
    ],
    accept: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licences without a question; they are still shown.")
    ] = False,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Keep the downloaded files in DIR.")] = None,
    no_prepare: Annotated[bool, typer.Option("--no-prepare", help="Only download. The files are kept.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show licence, size and source, and download nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Fetch corpora."""
    from dataclasses import asdict

    from serab_core import plugins
    from serab_core.data.fetch import fetch, prepared_before, require_acceptance, require_fetchable
    from serab_core.results.stored import stored_on_other_data

    specs = list({spec.name: spec for spec in map(plugins.dataset, names)}.values())
    require_fetchable(specs)
    home = find_home()
    before = {spec.name: None if no_prepare else prepared_before(spec, home) for spec in specs}
    missing = [spec for spec in specs if before[spec.name] is None]
    for spec in missing:
        _print_offer(
            stdout() if dry_run and not as_json else stderr(), spec, _row(spec, home, to), prepares=not no_prepare
        )
    if missing and not dry_run:
        require_acceptance(missing, accept or _ask(missing))
    rows = []
    for spec in specs:
        row, prepared = _row(spec, home, to), before[spec.name]
        if prepared is None and not dry_run:
            files, prepared = fetch(spec, home, show_progress(), to=to, prepares=not no_prepare)
            row["files"] = [{**asdict(file), "path": str(file.path)} for file in files]
        row["prepared"] = prepared.summary() if prepared is not None else None
        rows.append(row)
        if not as_json and (row["files"] or row["prepared"]):
            _print_row(stdout(), row, stored_on_other_data(home, spec.name))
    if as_json:
        print_json({"schema": "serab.fetch/1", "dry_run": dry_run, "corpora": rows})


def source_rows(spec: DatasetSpec) -> list[dict[str, Any]]:
    """Return the sources of a corpus, the manual one last, for documents."""
    rows = [{"kind": source.kind, "text": str(source)} for source in spec.downloads]
    return rows if spec.access == "generated" else [*rows, {"kind": "manual", "text": spec.manual}]


def _row(spec: DatasetSpec, home: Home, to: Path | None) -> dict[str, Any]:
    from serab_core.data.fetch import download_folder, prepared_size

    return {
        "name": spec.name,
        "title": spec.title,
        "licence": spec.licence,
        "download_bytes": spec.download_bytes,
        "prepared_bytes": prepared_size(spec),
        "sources": source_rows(spec),
        "folder": str(download_folder(spec, home, to)),
        "files": [],
        "prepared": None,
    }


def _print_offer(console: Console, spec: DatasetSpec, row: dict[str, Any], *, prepares: bool) -> None:
    """Print what a download costs and on which terms, before it starts."""
    size = f"{row['download_bytes'] / 1e6:,.0f} MB" if row["download_bytes"] else "stated by the publisher"
    lines = [f"{spec.name}: {spec.title}", f"  licence  {spec.licence}", f"  size     {size}"]
    if prepares and row["prepared_bytes"]:
        lines[-1] += f"; prepared about {row['prepared_bytes'] / 1e6:,.0f} MB"
    lines += [f"  {'or' if number else 'source':<8} {source}" for number, source in enumerate(spec.downloads)]
    lines.append(f"  to       {row['folder']}")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False, markup=False)


def _ask(specs: list[DatasetSpec]) -> bool:
    """Ask the user to accept the licences. Without a terminal, return False."""
    import sys

    if not sys.stdin.isatty():
        return False
    question = "Do you accept the licence?" if len(specs) == 1 else f"Do you accept the {len(specs)} licences?"
    if not typer.confirm(question, err=True):
        raise UsageError("the licence was not accepted, so nothing was downloaded")
    return True


def _print_row(console: Console, row: dict[str, Any], stored: list[str]) -> None:
    """Print what was fetched, and what to type next."""
    from serab_core.cli.data import print_summary
    from serab_core.system.hints import command

    name = row["name"]
    if not row["files"]:
        console.print(f"{name} is prepared already: {row['prepared']['folder']}", soft_wrap=True)
    elif row["prepared"] is not None:
        print_summary(console, row["prepared"])
        for sentence in stored:
            console.print(f"  results: {sentence}", soft_wrap=True, style="yellow")
    else:
        for file in row["files"]:
            console.print(f"{file['path']}\n  {file['size']:,} bytes, sha256 {file['sha256']}", soft_wrap=True)
        paths = [file["path"] for file in row["files"]]
        console.print(f"  next: {command('data prepare', name, *paths)}", soft_wrap=True)
        return
    if not all(file["pinned"] for file in row["files"]):
        console.print(
            f"  the publisher alone states the checksum: {command('data verify', name)} compares the audio with the "
            "published corpus",
            soft_wrap=True,
        )
    console.print(f"  next: {command('eval', 'opensmile', tasks=name)}", soft_wrap=True)
