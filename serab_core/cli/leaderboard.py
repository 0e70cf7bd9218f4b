"""`serab leaderboard`, `compare`, `bias`, `optimism` and `fairness`: statistics of stored results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.csv_option import single_name, split_csv
from serab_core.cli.parameters import AsJson, Extractor, IncludedExtractors, IncludedTasks, Protocol

if TYPE_CHECKING:
    from serab_core.report.board import LeaderboardData

LEADERBOARD_HELP = """Rank extractors by stored results, with intervals and significance groups.

This command evaluates nothing; use serab eval for that.
"""
COMPARE_HELP = """Compare two extractors on the same utterances, and test whether the difference is significant."""
BIAS_HELP = """Show the subset bias: how the ranking changes on subsets of the tasks.

It shows the spread of the means over all subsets of the tasks, and how often two extractors change places.
"""
OPTIMISM_HELP = """Show the optimism: how much higher scores are when the classifier is chosen on the test split.

The released script chooses in this way.
"""
FAIRNESS_HELP = """Show the scores of an extractor by speaker, and by the sex of speakers if the corpus declares it."""

_Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        help="The metric to show, rank and test: accuracy, uar, macro_recall, macro_f1, weighted_f1 or kappa; ccc for "
        "continuous targets. Default: uar under strict, else accuracy.",
        autocompletion=complete.metrics,
    ),
]


def leaderboard_command(
    extractors: IncludedExtractors = None,
    protocol: Protocol = None,
    tasks: IncludedTasks = None,
    metric: _Metric = None,
    uar: Annotated[bool, typer.Option("--uar", help="The same as --metric uar.")] = False,
    details: Annotated[bool, typer.Option("--details", help="Show every task, even in a narrow terminal.")] = False,
    classes: Annotated[
        bool, typer.Option("--classes", help="Show the recall of each class of each task in place of one score.")
    ] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Also write the table to a CSV file.")] = None,
    latex: Annotated[Path | None, typer.Option("--latex", help="Also write the table to a LaTeX file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Rank extractors."""
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.report.board import board_document, class_board
    from serab_core.report.board_table import print_board
    from serab_core.report.board_text import as_latex, board_rows
    from serab_core.report.csv_text import as_csv
    from serab_core.score.metrics import METRICS
    from serab_core.store.atomic import write_output
    from serab_core.system.terminal import file_content

    data = _load_data(protocol, extractors, tasks, metric=_metric(uar, metric))
    shown = class_board(data, "recall of each class") if classes else data.boards[0]
    rows, marked = (board_rows(shown, mark_of, classes=classes) for mark_of in (None, data.mark))
    notices = [f"Metric: {'recall of each class, and means of ' if classes else ''}{METRICS[shown.metric].title}."]
    for path, text in ((csv, as_csv(rows)), (latex, as_latex(marked, [*notices, *data.notices]))):
        if path is not None:
            write_output(path, file_content(text))
    if (csv or latex) and len(data.boards) > 1:
        stderr().print("Continuous targets are not in these files: --metric ccc writes them.", soft_wrap=True)
    if as_json:
        print_json(board_document(data))
    else:
        print_board(stdout(), data, every_task=details, classes=classes)


def compare_command(
    first: Annotated[str, typer.Argument(metavar="A", help="An extractor.", autocompletion=complete.extractors)],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.", autocompletion=complete.extractors)],
    protocol: Protocol = None,
    tasks: IncludedTasks = None,
    metric: _Metric = None,
    as_json: AsJson = False,
) -> None:
    """Compare two extractors."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.comparisons import compare_document, print_comparison

    data = _load_data(
        protocol,
        [single_name(first, "extractor"), single_name(second, "extractor")],
        tasks,
        metric=_metric(False, metric),
    )
    document = compare_document(data, *data.asked)
    if as_json:
        print_json(document)
    else:
        print_comparison(stdout(), document)


def bias_command(
    extractors: IncludedExtractors = None,
    protocol: Protocol = None,
    as_json: AsJson = False,
) -> None:
    """Show the subset bias."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.subset_bias import bias_document, print_bias

    document = bias_document(_load_data(protocol, extractors, None))
    if as_json:
        print_json(document)
    else:
        print_bias(stdout(), document)


def optimism_command(
    extractors: IncludedExtractors = None,
    protocol: Protocol = None,
    tasks: IncludedTasks = None,
    as_json: AsJson = False,
) -> None:
    """Show the optimism."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.optimism import optimism_document, print_optimism

    document = optimism_document(_load_data(protocol, extractors, tasks))
    if as_json:
        print_json(document)
    else:
        print_optimism(stdout(), document)


def fairness_command(
    extractor: Extractor,
    protocol: Protocol = None,
    tasks: IncludedTasks = None,
    as_json: AsJson = False,
) -> None:
    """Show scores by speaker and sex."""
    from serab_core.cli.output import print_json, stdout
    from serab_core.report.fairness import fairness_document, print_fairness

    document = fairness_document(_load_data(protocol, [single_name(extractor, "extractor")], tasks))
    if as_json:
        print_json(document)
    else:
        print_fairness(stdout(), document)


def _metric(uar: bool, metric: str | None) -> str | None:
    from serab_core.errors import UsageError

    if uar and metric not in (None, "uar"):
        raise UsageError(f"--uar and --metric {metric} contradict each other", next_step="leave one of them out")
    return "uar" if uar else metric


def _load_data(
    protocol: str | None,
    extractors: list[str] | None,
    tasks: list[str] | None,
    *,
    metric: str | None = None,
) -> LeaderboardData:
    from serab_core.data.protocols import default_protocol
    from serab_core.report.board import load_leaderboard
    from serab_core.store.home import find_home

    return load_leaderboard(
        find_home(),
        protocol or default_protocol(),
        split_csv(extractors),
        split_csv(tasks),
        metric=metric,
    )
