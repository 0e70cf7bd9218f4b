"""`serab results`: list, export, import and merge results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serab_core.cli.csv_option import split_csv
from serab_core.cli.parameters import AsJson, Extractor, IncludedExtractors, Protocol

if TYPE_CHECKING:
    from serab_core.types import TaskResult

app = typer.Typer(no_args_is_help=True, help="List results, export them into one file, and import results of others.")


@app.command("ls", help="List the stored results.")
def list_command(extractors: IncludedExtractors = None, as_json: AsJson = False) -> None:
    """List results."""
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.report.tables import percent, print_by_extractor
    from serab_core.results.exchange import result_table
    from serab_core.score.metrics import METRICS
    from serab_core.store.identity import SHORT

    rows = result_table(_stored(extractors))
    if as_json:
        print_json({"schema": "serab.result-list/2", "results": rows})
        return
    if not rows:
        stderr().print("There is no result yet. Try: serab eval mfcc-stats chance", highlight=False)
        return
    continuous = any(row["ccc"] is not None for row in rows)
    numbers = ("Acc. %", "UAR %", *(("CCC",) if continuous else ()))
    heads = ("Extractor", "Version", "Task", "Data", "Protocol", *numbers, "Imported")
    cells = [
        (
            row["extractor"],
            row["fingerprint"][:SHORT],
            row["task"] + ("§" if row["conflict"] else ""),
            row["dataset_digest"][:SHORT],
            row["protocol"],
            percent(row["accuracy"]),
            percent(row["uar"]),
            *((METRICS["ccc"].text(row["ccc"]),) if continuous else ()),
            row["imported"],
        )
        for row in rows
    ]
    print_by_extractor(stdout(), heads, cells, right=numbers)
    if any(row["conflict"] for row in rows):
        stdout().print("§ another stored result has the same key and other content", highlight=False)


@app.command("export", help="Write results into one file, with every prediction and the provenance.")
def export_command(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    extractors: IncludedExtractors = None,
    as_json: AsJson = False,
) -> None:
    """Export results."""
    from serab_core.errors import UsageError
    from serab_core.results.exchange import exchange_text
    from serab_core.store.atomic import write_output
    from serab_core.store.jsonio import encode

    results = _stored(extractors)
    if not results:
        raise UsageError(
            "there is no result to write", next_step="run serab eval X; serab results ls lists stored results"
        )
    write_output(file, encode(exchange_text(results)))
    document = {"results": len(results), "known": 0, "conflicts": [], "other_data": []}
    _say(as_json, file, f"Wrote {len(results)} results to {file}.", document)


@app.command("import", help="Import results that somebody exported. Every table marks imported results.")
def import_command(
    file: Annotated[Path, typer.Argument(help="A file that serab results export wrote.")],
    origin: Annotated[
        str, typer.Option("--from", help="The origin of the results. Default: the name of the file.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Import results."""
    from serab_core.results.exchange import import_results, read_exchange
    from serab_core.store.home import find_home

    report = import_results(find_home(), read_exchange(file), origin.strip() or f"from {file.name}")
    text = f"Imported {len(report.new)} results of {file}; {len(report.known)} were stored before."
    document = {
        "results": len(report.new),
        "known": len(report.known),
        "conflicts": list(report.conflicts),
        "other_data": list(report.other_data),
    }
    _say(as_json, file, text, document)


@app.command("merge", help="Merge several exported files into one.")
def merge_command(
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    sources: Annotated[list[Path], typer.Argument(metavar="FILE ...", help="Exported files.")],
    as_json: AsJson = False,
) -> None:
    """Merge exported files."""
    from serab_core.results.exchange import exchange_text, merge_results, read_exchange
    from serab_core.store.atomic import write_output
    from serab_core.store.jsonio import encode

    results, conflicts = merge_results(result for source in sources for result in read_exchange(source))
    write_output(target, encode(exchange_text(results)))
    document = {"results": len(results), "known": 0, "conflicts": conflicts, "other_data": []}
    _say(as_json, target, f"Wrote {len(results)} results to {target}.", document)


@app.command("card", help="Write the scores of an extractor as Markdown, for a model card.")
def card_command(
    extractor: Extractor,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write. Default: standard output.")
    ] = None,
    protocol: Protocol = None,
) -> None:
    """Write a card."""
    from serab_core.cli.output import print_text
    from serab_core.data.protocols import default_protocol
    from serab_core.report.board import load_leaderboard
    from serab_core.report.card import results_card
    from serab_core.store.atomic import write_output
    from serab_core.store.home import find_home
    from serab_core.system.terminal import file_content

    card = results_card(load_leaderboard(find_home(), protocol or default_protocol(), [extractor]))
    if output is None:
        print_text(card)
    else:
        write_output(output, file_content(card))


def _stored(extractors: list[str] | None) -> list[TaskResult]:
    """Return the best known results of some extractors or of all, and all results whose key has several contents.

    Damaged files are named on stderr.
    """
    from serab_core.cli.output import stderr
    from serab_core.results.stored import valid_results
    from serab_core.store.home import find_home
    from serab_core.store.results import best_known, conflicts

    stored, errors = valid_results(find_home())
    for error in errors:
        stderr().print(f"Left out: {error}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    by_path = {entry.path: entry.result for entry in best_known(stored)}
    by_path |= {entry.path: entry.result for group in conflicts(stored) for entry in group}
    asked = split_csv(extractors)
    results = [result for result in by_path.values() if not asked or result.extractor in asked]
    return sorted(results, key=lambda result: (result.extractor, result.task, result.protocol))


@app.command("schema", help="Print the JSON Schema of a document of serab. Without a name, list the documents.")
def schema_command(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="The document, such as serab.result/3.")] = "",
) -> None:
    """Print a JSON Schema."""
    from difflib import get_close_matches

    from serab_core.cli.output import stdout
    from serab_core.documents import names, schema_text
    from serab_core.errors import UnknownNameError

    if name and name not in names():
        raise UnknownNameError(
            f"no document is called {name!r}",
            next_step="`serab results schema` lists the documents",
            suggestions=get_close_matches(name, names(), 1),
        )
    text = schema_text(name) if name else "\n".join(names())
    stdout().print(text, markup=False, highlight=False, soft_wrap=True)


def _say(as_json: bool, file: Path, text: str, document: dict[str, Any]) -> None:
    """Print the result of a command; conflicts are printed to stderr, and the command then fails."""
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.errors import DataError

    if as_json:
        print_json({"schema": "serab.exchange/1", "file": str(file), **document})
    else:
        stdout().print(text, markup=False, highlight=False, soft_wrap=True)
        for sentence in document["other_data"]:
            stdout().print(sentence, markup=False, highlight=False, soft_wrap=True, style="yellow")
    for sentence in document["conflicts"]:
        stderr().print(f"Conflict: {sentence}", markup=False, highlight=False, soft_wrap=True, style="red")
    if document["conflicts"]:
        raise typer.Exit(DataError.exit_code)
