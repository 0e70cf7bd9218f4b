"""`serab eval --reproduce RESULT.json`: reproduce a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from serab_core.cli.output import find_home, print_json, show_progress, stderr, stdout
from serab_core.errors import JobsFailedError, RepeatError

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.results.reproduce import Reproduction


def repeat_result(path: Path, engine_name: str, jobs: int | None, *, as_json: bool) -> None:
    """Reproduce the result of a file in a scratch home, and print the differences.

    Raises:
        RepeatError: the new result differs from the stored one.
    """
    from serab_core.engine.executors import find_engine
    from serab_core.report.run_tables import failure_text
    from serab_core.results.reproduce import classifiers_of, compared, protocol_of, read_lock, scratch_home
    from serab_core.run.evaluate import evaluate
    from serab_core.run.plan import make_plan, prepare_generated

    then = read_lock(path)
    progress = show_progress()
    with scratch_home(find_home()) as home:
        prepare_generated(home, [then.extractor], [then.task], progress)
        plan = make_plan(home, [then.extractor], [then.task], protocol_of(then), classifiers_of(then))
        run = evaluate(plan, progress, find_engine(engine_name, jobs))
    for failure in run.failures:
        stderr().print(failure_text(failure), style="red", soft_wrap=True)
    if run.failures:
        raise typer.Exit(JobsFailedError.exit_code)
    repeated = compared(then, run.results[0])
    if as_json:
        print_json(_document(path, repeated))
    else:
        _print(repeated)
    if not repeated.same:
        raise RepeatError(
            f"was not reproduced: {repeated.equal} of {repeated.utterances} predictions are the same",
            where=path,
            next_step="see the listed differences, and install the versions that computed the result",
        )


def _document(path: Path, repeated: Reproduction) -> dict[str, object]:
    from dataclasses import asdict

    return {
        "schema": "serab.locked/1",
        "file": str(path),
        "extractor": repeated.then.extractor,
        "task": repeated.then.task,
        "protocol": repeated.then.protocol,
        "same": repeated.same,
        "equal_predictions": repeated.equal,
        "utterances": repeated.utterances,
        "chosen": {"then": repeated.then.chosen, "now": repeated.now.chosen},
        "differences": [asdict(difference) for difference in repeated.differences],
    }


def _print(repeated: Reproduction) -> None:

    from serab_core.report.tables import table

    if repeated.differences:
        listing = table("Difference", "Then", "Now")
        for difference in repeated.differences:
            listing.add_row(difference.part, difference.then or "-", difference.now or "-")
        stdout().print(listing)
    then, now = repeated.then, repeated.now
    same = f"{repeated.equal} of {repeated.utterances} predictions are the same"
    line = f"{then.extractor} on {then.task}, {then.protocol}: {same}"
    chosen = "" if then.chosen == now.chosen else f"; {then.chosen} was chosen then, {now.chosen} now"
    stdout().print(f"{line}{chosen}.", soft_wrap=True)
