"""`serab check`: run the conformance checks of plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serab_core.cli import complete
from serab_core.cli.output import print_json, show_progress, stdout
from serab_core.cli.parameters import AsJson
from serab_core.errors import CheckFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.testing.runner import Outcome

HELP = """Run the conformance checks of plugins, named by extractor, dataset, classifier or distribution.

Each check has a name, states what it protects, and explains how to fix a failure.

The checks run in a separate process: if a plugin crashes or hangs, that check fails and the others continue.

For JUnit XML on a CI server, use pytest: pytest --serab-plugin NAME --junitxml FILE.
"""
_COLOURS = {"passed": "green", "failed": "red", "declared": "yellow", "not applicable": "dim"}


def check_command(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME ...",
            help="Extractors, written as for `serab eval`; datasets, classifiers, or distributions.",
            autocompletion=complete.anything,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Check plugins."""
    from serab_core.report.tables import table
    from serab_core.settings import current_settings
    from serab_core.system.text import list_names
    from serab_core.testing.child import run_in_child
    from serab_core.testing.runner import checks_of, find_subjects

    subjects = [subject for name in names for subject in find_subjects(name)]
    outcomes = []
    with show_progress().task("Checking", len(checks_of(subjects))) as advance:
        for outcome in run_in_child(subjects, current_settings().patience):
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
    if failed and as_json:  # the document on stdout already contains the failures
        raise typer.Exit(CheckFailedError.exit_code)
    if failed:
        names_failed = list_names([f"{outcome.subject} {outcome.id}" for outcome in failed], 5)
        raise CheckFailedError(
            f"{len(failed)} of {len(outcomes)} checks fail: {names_failed}",
            next_step="fix them, or declare in expected_failures of the spec why a check cannot pass",
        )


def _print(outcomes: Sequence[Outcome], listing: object, console: object) -> None:
    from typing import Any

    from rich.text import Text

    shown: Any = listing
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
            out.print(text, soft_wrap=True)
        elif outcome.state == "declared":
            text = f"{outcome.subject} is declared to fail {outcome.id}: {outcome.message}"
            out.print(text, soft_wrap=True)
        elif outcome.state == "not applicable":
            text = f"{outcome.id} is not applicable to {outcome.subject}: {outcome.message}"
            out.print(text, soft_wrap=True)
        elif outcome.message:
            out.print(f"{outcome.subject}: {outcome.message}", soft_wrap=True)
