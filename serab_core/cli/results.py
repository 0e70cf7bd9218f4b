"""`serab results`: handing results on, and taking them in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.words import split_words

if TYPE_CHECKING:
    from serab_core.types import TaskResult

app = typer.Typer(no_args_is_help=True, help="List results, export them as one file, import those of others.")
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]
_Extractors = Annotated[
    list[str] | None,
    typer.Argument(metavar="[X ...]", help="Only these; all by default.", autocompletion=complete.extractors),
]


@app.command("ls", help="List the stored results.")
def list_command(extractors: _Extractors = None, as_json: _Json = False) -> None:
    """Lists results."""
    from rich.markup import escape

    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.report.exchange import result_table
    from serab_core.report.tables import percent, table

    rows = result_table(_stored(extractors))
    if as_json:
        print_json({"schema": "serab.result-list/1", "results": rows})
        return
    if not rows:
        stderr().print("There is no result yet. Try: serab eval mfcc-stats chance", highlight=False)
        return
    made = table("Extractor", "Task", "Protocol", "Acc. %", "UAR %", "Imported", right=("Acc. %", "UAR %"))
    for row in rows:
        cells = [escape(str(row[name])) for name in ("extractor", "task", "protocol")]
        made.add_row(*cells, percent(row["accuracy"]), percent(row["uar"]), escape(row["imported"]))
    stdout().print(made)


@app.command("export", help="Write results into one file, with every prediction and where it comes from.")
def export_command(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    extractors: _Extractors = None,
    as_json: _Json = False,
) -> None:
    """Exports results."""
    from serab_core.errors import UsageError
    from serab_core.report.exchange import exchange_text
    from serab_core.store.atomic import write_bytes

    results = _stored(extractors)
    if not results:
        raise UsageError("there is no result to write", next_step="serab eval X; serab results ls shows what is there")
    write_bytes(file, exchange_text(results).encode())
    _say(as_json, file, f"Wrote {len(results)} results to {file}.", len(results))


@app.command("import", help="Take in results that somebody exported; they are marked wherever they are shown.")
def import_command(
    file: Annotated[Path, typer.Argument(help="A file that serab results export wrote.")],
    origin: Annotated[str, typer.Option("--from", help="Who they are from; the file's name by default.")] = "",
    as_json: _Json = False,
) -> None:
    """Imports results."""
    from serab_core.report.exchange import read_exchange, take_in_results
    from serab_core.store.home import find_home

    new, known = take_in_results(find_home(), read_exchange(file), origin.strip() or f"from {file.name}")
    _say(as_json, file, f"Took in {len(new)} results of {file}; {len(known)} were there already.", len(new), len(known))


@app.command("merge", help="Put several exported files into one.")
def merge_command(
    target: Annotated[Path, typer.Argument(help="The file to write.")],
    sources: Annotated[list[Path], typer.Argument(metavar="FILE ...", help="Exported files.")],
    as_json: _Json = False,
) -> None:
    """Merges exported files."""
    from serab_core.report.exchange import exchange_text, merged, read_exchange
    from serab_core.store.atomic import write_bytes

    results = merged(result for source in sources for result in read_exchange(source))
    write_bytes(target, exchange_text(results).encode())
    _say(as_json, target, f"Wrote {len(results)} results to {target}.", len(results))


@app.command("card", help="Write an extractor's scores as Markdown, for its model's page.")
def card_command(
    extractor: Annotated[str, typer.Argument(metavar="X", help="The extractor.", autocompletion=complete.extractors)],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file; prints it by default.")] = None,
    protocol: Annotated[
        str,
        typer.Option("--protocol", "-p", help="serab, serab-released or strict.", autocompletion=complete.protocols),
    ] = "serab",
) -> None:
    """Writes a card."""
    import sys

    from serab_core.report.board import gather
    from serab_core.report.card import results_card
    from serab_core.store.atomic import write_bytes
    from serab_core.store.home import find_home

    card = results_card(gather(find_home(), protocol, [extractor]))
    if output is None:
        sys.stdout.write(card)
    else:
        write_bytes(output, card.encode())


def _stored(extractors: list[str] | None) -> list[TaskResult]:
    """The best known results, of some extractors or of all; files that cannot be read are named on stderr."""
    from serab_core.cli.output import stderr
    from serab_core.store.home import find_home
    from serab_core.store.results import best_known, stored_results

    stored, errors = stored_results(find_home())
    for error in errors:
        stderr().print(f"Left out: {error}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    asked = split_words(extractors)
    return [one.result for one in best_known(stored) if not asked or one.result.extractor in asked]


def _say(as_json: bool, file: Path, words: str, written: int, known: int = 0) -> None:
    from serab_core.cli.output import print_json, stdout

    if as_json:
        print_json({"schema": "serab.exchange/1", "file": str(file), "results": written, "known": known})
    else:
        stdout().print(words, markup=False, highlight=False, soft_wrap=True)
