"""The result of an earlier run, if it has the same identity."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core.errors import ContentError, StoreError
from serab_core.run.assemble import cautions_of
from serab_core.score.outcome import complete_result
from serab_core.store.reading import file_exists
from serab_core.store.results import read_result, write_result
from serab_core.system.hints import option

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.run.plan import Plan
    from serab_core.types import Task, TaskResult


def reusable_result(path: Path, plan: Plan, task: Task, notices: list[str]) -> TaskResult | None:
    """Return the stored result with the current cautions and splits; None if there is none, or if it is damaged.

    Args:
        path: the file of the result.
        plan: the plan of the run, with the protocol for the task's kind of target.
        task: the task.
        notices: gets sentences about the stored result.

    Raises:
        StoreError: the file cannot be read.
    """
    try:
        if not file_exists(path):
            return None
        stored = complete_result(read_result(path))
    except ContentError as error:
        notices.append(f"{error.where} {error.what}; it is computed again.")
        return None
    cautions = cautions_of(task, plan.protocol)
    result = replace(stored, cautions=cautions, splits=task.splits, faulty=task.faulty)
    if result != stored:  # stored again, because tables read the file
        with suppress(StoreError):  # the home may be read-only
            write_result(path, result)
    if result.imported:
        notices.append(
            f"{result.extractor} on {result.task} was not computed here: the result is imported "
            f"({result.imported}). {option('fresh')} computes it here."
        )
    if plan.profile and not result.profile:
        text = f"{result.extractor} on {result.task} was stored by a run without a profile"
        notices.append(f"{text}: for a profile, compute it again, with {option('fresh')} or in another SERAB_HOME.")
    return result
