"""`serab leaderboard`, `compare`, `bias`, `optimism` and `fairness`: what stored results say, without computing any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.csv_option import single_word, split_words

if TYPE_CHECKING:
    from serab_core.report.board import Gathered, Metric

LEADERBOARD_HELP = """Rank extractors by stored results, with intervals and significance groups.

Nothing is computed anew; extractors are evaluated with serab eval.
"""
COMPARE_HELP = """Compare two extractors on the same utterances: which is better, and is the difference significant?"""
BIAS_HELP = """Show how the ranking changes on subsets of the tasks.

How far means spread over all subsets of the tasks, and how often two extractors change places.
"""
OPTIMISM_HELP = """Show what choosing the classifier on the test set would have claimed, as the released script does."""
FAIRNESS_HELP = """Show whom an extractor serves worse: by speaker, and by speaker sex where the corpus declares it."""

_Protocol = Annotated[
    str | None,
    typer.Option(
        "--protocol", "-p", help="serab, the default; serab-released; or strict.", autocompletion=complete.protocols
    ),
]
_Tasks = Annotated[
    list[str] | None,
    typer.Option("--tasks", "-t", help="Only these, by commas; all by default.", autocompletion=complete.tasks),
]
_Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        help="accuracy or uar: what is shown, ranked and tested; by default UAR under strict, else accuracy.",
    ),
]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def leaderboard_command(
    extractors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[X ...]", help="Only these; all by default.", autocompletion=complete.extractors),
    ] = None,
    protocol: _Protocol = None,
    tasks: _Tasks = None,
    metric: _Metric = None,
    uar: Annotated[bool, typer.Option("--uar", help="The same as --metric uar.")] = False,
    details: Annotated[bool, typer.Option("--details", help="Show every task, however narrow the terminal.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the table to a file, too.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", help="Write it as LaTeX, too.")] = None,
    as_json: _Json = False,
) -> None:
    """Ranks extractors."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.board import as_latex, board_document, board_rows
    from serab_core.report.board_table import print_board
    from serab_core.report.csv_text import as_csv
    from serab_core.store.atomic import write_output
    from serab_core.system.terminal import file_content

    gathered = _gathered(protocol, extractors, tasks, metric=_metric(uar, metric), continuous_alone=True)
    shown = gathered.board.metric
    rows, marked = board_rows(gathered.board, shown), board_rows(gathered.board, shown, marked=True)
    for path, text in ((csv, as_csv(rows)), (latex, as_latex(marked, gathered.notices))):
        if path is not None:
            write_output(path, file_content(text))
    if as_json:
        print_json(board_document(gathered))
    else:
        print_board(stdout(), gathered, shown, every_task=details)


def compare_command(
    first: Annotated[str, typer.Argument(metavar="A", help="An extractor.", autocompletion=complete.extractors)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.", autocompletion=complete.extractors)],
    protocol: _Protocol = None,
    tasks: _Tasks = None,
    metric: _Metric = None,
    as_json: _Json = False,
) -> None:
    """Compares two extractors."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.verdicts import compare_document, print_comparison

    gathered = _gathered(
        protocol,
        [single_word(first, "extractor"), single_word(second, "extractor")],
        tasks,
        metric=_metric(False, metric),
    )
    document = compare_document(gathered, *gathered.asked)
    if as_json:
        print_json(document)
    else:
        print_comparison(stdout(), document)


def bias_command(
    extractors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[X ...]", help="Only these; all by default.", autocompletion=complete.extractors),
    ] = None,
    protocol: _Protocol = None,
    as_json: _Json = False,
) -> None:
    """Shows the bias of subsets."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.verdicts import bias_document, print_bias

    document = bias_document(_gathered(protocol, extractors, None))
    if as_json:
        print_json(document)
    else:
        print_bias(stdout(), document)


def optimism_command(
    extractors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[X ...]", help="Only these; all by default.", autocompletion=complete.extractors),
    ] = None,
    protocol: _Protocol = None,
    tasks: _Tasks = None,
    as_json: _Json = False,
) -> None:
    """Shows what choosing on test would have claimed."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.verdicts import optimism_document, print_optimism

    document = optimism_document(_gathered(protocol, extractors, tasks))
    if as_json:
        print_json(document)
    else:
        print_optimism(stdout(), document)


def fairness_command(
    extractor: Annotated[str, typer.Argument(metavar="X", help="The extractor.", autocompletion=complete.extractors)],
    protocol: _Protocol = None,
    tasks: _Tasks = None,
    as_json: _Json = False,
) -> None:
    """Shows scores by speaker and sex."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.verdicts import fairness_document, print_fairness

    document = fairness_document(_gathered(protocol, [single_word(extractor, "extractor")], tasks))
    if as_json:
        print_json(document)
    else:
        print_fairness(stdout(), document)


def _metric(uar: bool, metric: str | None) -> Metric | None:
    from serab_core.errors import UsageError

    if uar and metric not in (None, "uar"):
        raise UsageError(f"--uar and --metric {metric} do not fit together", next_step="leave one of them out")
    if uar or metric == "uar":
        return "uar"
    if metric in (None, "accuracy"):
        return None if metric is None else "accuracy"
    raise UsageError(f"there is no ranking by {metric!r}", next_step="--metric accuracy, or --metric uar")


def _gathered(
    protocol: str | None,
    extractors: list[str] | None,
    tasks: list[str] | None,
    *,
    metric: Metric | None = None,
    continuous_alone: bool = False,
) -> Gathered:
    from serab_core.data.protocols import default_protocol
    from serab_core.report.board import gather
    from serab_core.store.home import find_home

    return gather(
        find_home(),
        protocol or default_protocol(),
        split_words(extractors),
        split_words(tasks),
        metric=metric,
        continuous_alone=continuous_alone,
    )
