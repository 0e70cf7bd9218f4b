"""Statements about the tasks of a table: how their splits were drawn, and the limits of their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from serab_core.types import ContinuousResult, TaskResult


def split_statements(results: Iterable[TaskResult | ContinuousResult]) -> list[str]:
    """Return a line for each way to split: "Splits: the paper's splits on true speakers (emodb, emovo)."."""
    tasks: dict[str, list[str]] = {}
    for result in results:
        statement = result.splits or "not recorded by the version of serab that made the result"
        _add(tasks.setdefault(statement, []), result.task)
    return [f"Splits: {statement} ({', '.join(names)})." for statement, names in tasks.items()]


def task_cautions(results: Iterable[TaskResult | ContinuousResult], without: Collection[str] = ()) -> list[str]:
    """Return a line for each caution with its tasks, except the cautions in `without`."""
    tasks: dict[str, list[str]] = {}
    for result in results:
        for caution in result.cautions:
            if caution not in without:
                _add(tasks.setdefault(caution, []), result.task)
    return [f"Caution ({', '.join(names)}): {caution}." for caution, names in tasks.items()]


FOOTNOTES = {
    "*": "* synthetic or partial corpus: in no mean",
    "†": "† the corpus has a fault that makes scores wrong, or is another build: see its caution",
}


def mark(result: TaskResult | ContinuousResult) -> str:
    """Return the signs after a score on a synthetic, partial or faulty corpus; `FOOTNOTES` explains them."""
    return ("*" if result.synthetic or result.partial else "") + ("†" if result.faulty else "")


def footnotes(results: Iterable[TaskResult | ContinuousResult]) -> list[str]:
    """Return the explanations of the signs after these scores."""
    signs = "".join(mark(result) for result in results)
    return [text for sign, text in FOOTNOTES.items() if sign in signs]


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
