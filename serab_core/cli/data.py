"""`serab data`: prepare, verify and list corpora."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli import complete, data_add, data_fetch
from serab_core.cli.output import find_home, print_json, show_progress, stdout
from serab_core.cli.parameters import AsJson, Copy, PreparedDataset
from serab_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

MAX_SKIPPED = 5  # lines about skipped files; more would hide the counts above them
app = typer.Typer(no_args_is_help=True, help="Prepare corpora, and list, show and verify them.")
app.command("add", help=data_add.ADD_HELP)(data_add.add_command)
app.command("fetch", help=data_fetch.FETCH_HELP)(data_fetch.fetch_command)
app.command("remove", help=data_add.REMOVE_HELP)(data_add.remove_command)


@app.command("prepare", help="Prepare a corpus from files that you downloaded.")
def prepare_command(
    name: Annotated[str, typer.Argument(help="The dataset; see: serab data list", autocompletion=complete.datasets)],
    sources: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH ...", help="Zip files, tar files, or folders (their files are used in place)."),
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Prepare an incomplete corpus. Every result on it is marked.")
    ] = False,
    copy: Copy = False,
    folder: Annotated[
        str,
        typer.Option("--folder", help="Folder to use if an utterance has several recordings. The top folder is: ."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Prepare a corpus."""
    from serab_core import plugins
    from serab_core.data.prepare import prepare
    from serab_core.results.stored import stored_on_other_data

    spec = plugins.dataset(name)
    progress, home = show_progress(), find_home()
    prepared = prepare(spec, sources or [], home, progress, allow_partial=allow_partial, copy=copy, folder=folder)
    summary = prepared.summary()
    stored = stored_on_other_data(home, prepared.name)
    if as_json:
        print_json({"schema": "serab.dataset-summary/1", **summary, "results_on_other_data": stored})
        return
    print_summary(stdout(), summary)
    for sentence in stored:
        stdout().print(f"  results: {sentence}", soft_wrap=True, style="yellow")


def print_summary(console: Console, summary: dict[str, Any]) -> None:
    """Print the counts of a prepared corpus, its skipped files, its notes and its notices."""
    splits = ", ".join(f"{split} {count}" for split, count in summary["splits"].items())
    labels = ", ".join(f"{label} {count}" for label, count in summary["labels"].items())
    lines = [
        f"{summary['title']} is prepared: {summary['utterances']} utterances, {len(summary['labels'])} labels, "
        f"{summary['speakers']} speakers, {summary['hours']:.2f} h",
        f"  counts  {splits}",
        f"  labels  {labels}",
        f"  stored in {summary['folder']}",
    ]
    for line in lines:
        console.print(line, soft_wrap=True)
    for line in _skipped_lines(summary["skipped"]):
        console.print(f"  skipped {line}", soft_wrap=True)
    console.print(f"  splits  {summary['split_rule']}", soft_wrap=True)
    for note in summary["notes"]:
        console.print(f"  note: {note}", style="dim", soft_wrap=True)
    for notice in summary["notices"]:
        style = {"fault": "bold red", "caution": "yellow"}.get(notice["severity"], "dim")
        mark = {"fault": "FAULT: ", "caution": "caution: "}.get(notice["severity"], "note: ")
        console.print(f"  {mark}{notice['text']}", style=style, soft_wrap=True)
    if summary["partial"]:
        text = f"  PARTIAL: {len(summary['missing'])} missing ({', '.join(summary['missing'][:5])}, ...)"
        console.print(text, style="yellow", soft_wrap=True)


def _skipped_lines(skipped: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each skipped file if they are few, else a line for each reason."""
    if len(skipped) <= MAX_SKIPPED:
        return [f"{file}: {reason}" for file, reason in skipped]
    kinds: dict[str, list[tuple[str, str]]] = {}
    for file, reason in skipped:
        kinds.setdefault(" ".join(reason.split()[:3]), []).append((file, reason))
    lines = [
        f"{files[0][0]}: {files[0][1]}"
        if len(files) == 1
        else f"{len(files)} files, such as {files[0][0]}: {files[0][1]}"
        for files in kinds.values()
    ]
    more = len(lines) - MAX_SKIPPED
    return [*lines[:MAX_SKIPPED], *([f"files for {more} other reasons; --json lists them"] if more > 0 else [])]


@app.command("verify", help="Verify a prepared corpus: counts, files, splits, log-mel statistics.")
def verify_command(
    name: PreparedDataset,
    as_json: AsJson = False,
) -> None:
    """Verify a corpus."""
    from dataclasses import asdict

    from rich.text import Text

    from serab_core import plugins
    from serab_core.data.prepared import load
    from serab_core.data.verify import verify
    from serab_core.report.tables import table

    spec = plugins.dataset_or_none(name)
    prepared = load(find_home(), spec.name if spec else name, spec)
    findings = verify(prepared, spec, show_progress())
    if as_json:
        plain = [asdict(finding) for finding in findings]
        print_json({"schema": "serab.verification/1", "name": name, "findings": plain})
    else:
        colours = {"pass": "green", "fail": "bold red", "known": "yellow", "caution": "yellow", "info": "cyan"}
        results = table("", "What", "Found")
        for finding in findings:
            verdict = Text(finding.verdict, style=colours[finding.verdict])
            results.add_row(verdict, finding.name, finding.text)
        stdout().print(results)
    if any(finding.verdict == "fail" for finding in findings):
        raise typer.Exit(DataError.exit_code)


@app.command("show", help="Show a prepared corpus: labels and speakers by split, and the lengths of utterances.")
def show_command(
    name: PreparedDataset,
    as_json: AsJson = False,
) -> None:
    """Show a corpus."""
    from serab_core import plugins
    from serab_core.data.prepared import load
    from serab_core.data.protocols import find_protocol
    from serab_core.report.corpus import chance_level, print_corpus

    name = name.partition("/")[0]  # `iem4/vad` comes with `iem4`
    spec = plugins.dataset_or_none(name)
    prepared = load(find_home(), spec.name if spec else name, spec)
    if as_json:
        level = chance_level(prepared.task(find_protocol("serab")))
        print_json({"schema": "serab.dataset-summary/1", **prepared.summary(), "chance": level})
        return
    protocol = find_protocol("serab")  # its cautions include those of normalisation per speaker
    for variant in prepared.variants:
        print_corpus(stdout(), prepared.task(protocol, variant=variant))


@app.command("list", help="List every known dataset: prepared, fetchable by serab, or manual; and how to get it.")
def list_command(
    as_json: AsJson = False,
) -> None:
    """List datasets."""
    from serab_core import plugins
    from serab_core.data.prepared import load, prepared_names
    from serab_core.data.protocols import SUITE
    from serab_core.plugins.entry_points import Group
    from serab_core.report.tables import table

    home = find_home()
    specs = plugins.all_specs(Group.DATASETS)
    there = prepared_names(home)
    rows: list[dict[str, Any]] = []
    for name in sorted({*specs, *there, *SUITE}):
        spec = specs.get(name)
        rows.append(
            {
                "name": name,
                "in_suite": name in SUITE,
                "installed": spec is not None,
                "language": spec.language if spec else None,
                "expected_utterances": sum(spec.expected_counts.values()) if spec else None,
                "licence": spec.licence if spec else None,
                "how_to_get": spec.how_to_get if spec else None,
                "access": spec.access if spec else None,
                "download_bytes": spec.download_bytes if spec else None,
                "sources": data_fetch.source_rows(spec) if spec else [],
                "continuous": {suffix: list(targets) for suffix, targets in spec.continuous.items()} if spec else {},
                "prepared": load(home, name).summary() if name in there else None,
            }
        )
    if as_json:
        print_json({"schema": "serab.dataset-list/1", "home": str(home.root), "datasets": rows})
        return
    listing = table("Dataset", "Lang", "State", "Licence")
    for row in rows:
        listing.add_row(row["name"], row["language"] or "", _state(row), row["licence"] or "")
        for suffix, targets in row["continuous"].items():
            state = "prepared" if row["prepared"] else row["access"] or "-"
            listing.add_row(f"{row['name']}/{suffix}", "", state, f"{', '.join(targets)} of {row['name']}")
    console = stdout()
    console.print(listing)
    for row in rows:
        if row["prepared"] is None or row["prepared"]["partial"]:  # below the table, which would wrap the address
            line = f"{row['name']}: {row['how_to_get'] or 'no installed plugin knows it yet'}"
            if row["access"] == "fetchable":
                line = f"{row['name']}: serab data fetch {row['name']}"
            console.print(line, soft_wrap=True)
    console.print(f"\nHome: {home.root}", soft_wrap=True, style="dim")


def _state(row: dict[str, Any]) -> Text:
    from rich.text import Text

    prepared = row["prepared"]
    if prepared is None:
        size = row["download_bytes"]
        return Text((row["access"] or "-") + (f", {size / 1e6:,.0f} MB" if size else ""))
    marks = [mark for mark in ("synthetic", "partial") if prepared[mark]]
    marks += ["faulty: see serab data verify"] if any(n["severity"] == "fault" for n in prepared["notices"]) else []
    count, whole = prepared["utterances"], row["expected_utterances"]
    state = Text(f"prepared, {count} of {whole}" if whole else f"prepared, {count}")
    return state.append(f" ({', '.join(marks)})", "yellow") if marks else state
