"""`serab check`: does a plugin keep what the harness relies on?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli import complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.testing.runner import Outcome

HELP = """Check plugins, by name or by distribution.

Each check has a name, says what it protects, and how to mend what fails.

They run in a process of their own: a plugin that crashes or hangs fails that check, and the others go on.

JUnit XML for CI servers comes from pytest: pytest --serab-plugin NAME --junitxml FILE.
"""
_COLOURS = {"passed": "green", "failed": "red", "declared": "yellow", "not applicable": "dim"}


def check_command(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME ...",
            help="Extractors, as `serab eval` takes them; datasets, classifiers, or distributions.",
            autocompletion=complete.anything,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Checks plugins."""
    from serab_core import settings
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.errors import CheckFailedError
    from serab_core.report.progress import progress_on
    from serab_core.report.tables import table
    from serab_core.testing.child import run_apart
    from serab_core.testing.runner import checks_of, subjects

    found = [subject for name in names for subject in subjects(name)]
    outcomes = []
    with progress_on(stderr()).task("Checking", len(checks_of(found))) as advance:
        for outcome in run_apart(found, settings.timeout_s()):
            outcomes.append(outcome)
            advance(1)
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if as_json:
        print_json(
            {
                "schema": "serab.check/1",
                "passed": not failed,
                "checks": [outcome.as_json() for outcome in outcomes],
            }
        )
    else:
        _print(outcomes, table("Name", "Check", "Result", "What it protects"), stdout())
    if failed and as_json:  # one document says it all
        raise typer.Exit(CheckFailedError.exit_code)
    if failed:
        names_failed = ", ".join(f"{outcome.subject} {outcome.id}" for outcome in failed[:5])
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        raise CheckFailedError(
            f"{len(failed)} of {len(outcomes)} checks fail: {names_failed}{more}",
            next_step="mend them, or declare in the spec's expected_failures why one cannot hold",
        )


def _print(outcomes: Sequence[Outcome], made: object, console: object) -> None:
    from typing import Any

    from rich.text import Text

    shown: Any = made
    shown.columns[1].no_wrap = True
    out: Any = console
    before = ""
    for outcome in outcomes:
        subject = "" if outcome.subject == before else outcome.subject
        before = outcome.subject
        shown.add_row(subject, outcome.id, Text(outcome.state, style=_COLOURS[outcome.state]), outcome.protects)
    out.print(shown)
    for outcome in outcomes:
        if outcome.state == "failed":
            text = f"{outcome.subject} fails {outcome.id}: {outcome.message}\n  fix: {outcome.fix}"
            out.print(text, markup=False, highlight=False, soft_wrap=True)
        elif outcome.state == "declared":
            text = f"{outcome.subject} is declared to fail {outcome.id}: {outcome.message}"
            out.print(text, markup=False, highlight=False, soft_wrap=True)
        elif outcome.state == "not applicable":
            text = f"{outcome.id} is not applicable to {outcome.subject}: {outcome.message}"
            out.print(text, markup=False, highlight=False, soft_wrap=True)
        elif outcome.message:
            out.print(f"{outcome.subject}: {outcome.message}", markup=False, highlight=False, soft_wrap=True)
