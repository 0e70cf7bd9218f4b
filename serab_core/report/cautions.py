"""Sentences about the tasks of a table: how their splits were drawn, and what limits their scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.score.metrics import METRICS
from serab_core.system.text import list_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from serab_core.types import TaskResult

_SHOWN = 5  # results that a sentence names before it counts the others


def split_statements(results: Iterable[TaskResult]) -> list[str]:
    """Return a line for each kind of split, such as "Splits: the paper's splits on true speakers (emodb, emovo)."."""
    tasks: dict[str, list[str]] = {}
    for result in results:
        statement = result.splits or "not recorded by the version of serab that computed the result"
        _add(tasks.setdefault(statement, []), result.task)
    return [f"Splits: {statement} ({', '.join(names)})." for statement, names in tasks.items()]


def task_cautions(results: Iterable[TaskResult], without: Collection[str] = ()) -> list[str]:
    """Return a line for each caution with its tasks, except the cautions in `without`."""
    tasks: dict[str, list[str]] = {}
    for result in results:
        for caution in result.cautions:
            if caution not in without:
                _add(tasks.setdefault(caution, []), result.task)
    return [f"Caution ({', '.join(names)}): {caution}." for caution, names in tasks.items()]


def recall_statements(results: Iterable[tuple[str, TaskResult]]) -> list[str]:
    """Return the line that gives the UAR of results under `serab-released` whose macro recall differs from it.

    Args:
        results: the shown name of the extractor, and the result on classes.
    """
    from serab_core.score.metrics import METRICS  # imported here, because `serab.Result` imports this module
    from serab_core.score.released import is_released

    uar = METRICS["uar"]
    differing = [
        f"{name} on {result.task} {uar.text(result.scores['uar'])} %"
        for name, result in results
        if is_released(result.protocol) and result.scores["uar"] > result.scores["macro_recall"]
    ]
    if not differing:
        return []
    return [
        "Macro recall is the UAR of the released script: a class that is predicted, but has no test utterance, counts "
        f"as 0. Without such classes, UAR is higher: {list_names(differing, _SHOWN)}."
    ]


def few_speakers_statement(tasks: Iterable[tuple[str, int, str]]) -> list[str]:
    """Return the line that names the tasks whose intervals come from a model; none if there is no such task.

    Args:
        tasks: for each task its name, the number of its test speakers, and the method of its interval.
    """
    few = sorted({f"{name} ({speakers})" for name, speakers, method in tasks if method == "beta-binomial"})
    if not few:
        return []
    return [
        f"Few test speakers: {', '.join(few)}. Their intervals come from a model of how speakers differ "
        "(beta-binomial), and are wide for that reason."
    ]


PROBE_HEAD = "Probe %"


def probe_statement(metric: str) -> str:
    """Return the line that explains the column of the probe."""
    return f"Probe: {METRICS[metric].title} of LDA alone, without a choice between classifiers."


def grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Group pairs of extractor and task: extractors with the same tasks, and these tasks."""
    tasks: dict[str, list[str]] = {}
    for extractor, task in pairs:
        _add(tasks.setdefault(extractor, []), task)
    extractors: dict[tuple[str, ...], list[str]] = {}
    for extractor, names in tasks.items():
        extractors.setdefault(tuple(sorted(names)), []).append(extractor)
    return [(tuple(members), names) for names, members in extractors.items()]


def shared_statements(entries: Iterable[tuple[str, str, str]], singular: str, plural: str) -> list[str]:
    """Return a line for extractors and tasks with the same text, such as "X, Y on a, b were not searched: lda.".

    Args:
        entries: extractor, task and text.
        singular, plural: the verb phrase between names and text, for one pair and for several.
    """
    by_text: dict[str, list[tuple[str, str]]] = {}
    for extractor, task, text in entries:
        by_text.setdefault(text, []).append((extractor, task))
    lines = []
    for text, pairs in by_text.items():
        for extractors, tasks in grouped(pairs):
            verb = singular if len(extractors) == len(tasks) == 1 else plural
            lines.append(f"{', '.join(extractors)} on {', '.join(tasks)} {verb}: {text}.")
    return lines


FOOTNOTES = {
    "*": "* synthetic or partial corpus: in no mean",
    "†": "† the corpus has a fault that makes scores wrong, or is another build: see its caution",
    "‡": "‡ on other data than the scores of its column: in no mean, not ranked",
    "§": "§ another stored result has the same key and other content",
}


def mark(result: TaskResult) -> str:
    """Return the signs after a score on a synthetic, partial or faulty corpus; `FOOTNOTES` explains them."""
    return ("*" if result.synthetic or result.partial else "") + ("†" if result.faulty else "")


def footnotes(results: Iterable[TaskResult], signs: str = "") -> list[str]:
    """Return the footnotes of the signs of these scores, and of further signs."""
    signs += "".join(mark(result) for result in results)
    return [text for sign, text in FOOTNOTES.items() if sign in signs]


def _add(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
