"""`serab studies`: list studies with their progress, and show their points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli.output import find_home, print_json, stderr, stdout
from serab_core.cli.parameters import AsJson

if TYPE_CHECKING:
    from collections.abc import Mapping

app = typer.Typer(no_args_is_help=True, help="List and show studies, the searches for the parameters of classifiers.")


@app.command("ls", help="List the studies, finished or not.")
def list_command(as_json: AsJson = False) -> None:
    """List studies."""
    from rich.text import Text

    from serab_core.report.tables import table
    from serab_core.tune.studies import list_studies

    states = list_studies(find_home())
    if as_json:
        print_json({"schema": "serab.studies/1", "studies": [state.summary() for state in states]})
        return
    if not states:
        stderr().print("Nothing was tuned yet. Try: serab eval opensmile")
        return
    listing = table(
        "Study", "Extractor", "Task", "Protocol", "Classifier", "Points", "Validation", right=("Validation",)
    )
    for state in states:
        record = state.record
        points = f"{record.points}" if state.outcome else Text(f"{state.trials} of {record.points}", style="yellow")
        best = state.outcome.validation if state.outcome else None
        listing.add_row(
            record.study[:8],
            record.extractor,
            record.task,
            record.where,
            f"{record.classifier}, {record.tuner}",
            points,
            "" if best is None else f"{100 * best:.1f}",
        )
    stdout().print(listing)


@app.command("show", help="Show every point of a study, best first.")
def show_command(
    study: Annotated[
        str, typer.Argument(help="The first letters of the study's name, as shown by `serab studies ls`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show a study."""
    from dataclasses import asdict

    from rich.text import Text

    from serab_core.report.tables import table
    from serab_core.tune.studies import find_study

    state = find_study(find_home(), study)
    points = state.outcome.points if state.outcome else ()
    if as_json:
        plain = [asdict(point) for point in points]
        print_json({"schema": "serab.study-points/1", **state.summary(), "all_points": plain})
        return
    record = state.record
    console = stdout()
    console.print(
        Text.assemble(
            (record.classifier, "bold"),
            f" for {record.extractor} on {record.task}, protocol {record.where}, {record.tuner}",
        ),
    )
    if not state.outcome:
        console.print(
            f"Not finished: {state.trials} of {record.points} points. The same `serab eval` continues it.",
        )
        return
    listing = table("Validation", "Parameters", "", right=("Validation",))
    chosen = state.outcome.params
    for point in sorted(points, key=lambda p: -1.0 if p.score is None else p.score, reverse=True):
        score = "" if point.score is None else f"{100 * point.score:.1f}"
        mark = "chosen" if point.params == chosen else point.reason
        chosen = None if mark == "chosen" else chosen
        listing.add_row(score, _params_text(point.params), mark)
    console.print(listing)


def _params_text(params: Mapping[str, object]) -> str:
    texts = (f"{value:.3g}" if isinstance(value, float) else str(value) for value in params.values())
    return ", ".join(f"{name} {text}" for name, text in zip(params, texts, strict=True))
