"""The tables of a run: its results, every classifier and class, the folds, and what a reader must know."""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text

from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.data.protocols import SUITE
from serab_core.report.cautions import (
    PROBE_HEAD,
    few_speakers_statement,
    footnotes,
    mark,
    probe_statement,
    recall_statements,
    split_statements,
    task_cautions,
)
from serab_core.report.choices import CLOSE, CLOSE_FOOTNOTE, choice_text, seeds_text
from serab_core.report.tables import (
    interval_text,
    params_text,
    percent,
    print_by_extractor,
    print_continuous,
    table,
    width_of,
    with_params,
)
from serab_core.score.aggregate import unweighted_mean
from serab_core.score.bootstrap import task_draws
from serab_core.score.classes import class_scores_of
from serab_core.score.folds import fold_summary
from serab_core.score.margins import is_close
from serab_core.score.metrics import METRICS
from serab_core.score.probe import probe_score, shows_probe
from serab_core.score.released import average_recall, table_metrics
from serab_core.score.scored import scored
from serab_core.score.seeds import seed_summary
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from serab_core.types import Failure, Run, TaskResult


def print_run(console: Console, run: Run, *, details: bool = False) -> None:
    """Print a run: its results, cautions, notices and failures."""
    classes = [result for result in run.results if result.target is None]
    continuous = [result for result in run.results if result.target is not None]
    if classes:
        console.print()
        _print_results(console, classes)
    if continuous:
        console.print()
        print_continuous(console, [(result.extractor, result, mark(result)) for result in continuous])
    folded = [result for result in run.results if result.folds]
    if folded:
        _print_folds(console, folded)
    if details:
        for result in run.results:
            if result.folds:
                console.print(_fold_table(result))
            whole, brief = (_classifier_table(result, run.protocol.objective, most) for most in (len(METRICS), 2))
            console.print(whole if width_of(console, whole) <= console.width else brief)
            if text := choice_text(result):
                _print_wrapped(console, f"Choice: {text}")
            if result.target is None:
                console.print(_class_table(result))
    _print_notes(console, run, classes, continuous)


def _print_results(console: Console, results: Sequence[TaskResult]) -> None:
    recall = METRICS[average_recall(results[0].protocol)]
    probe = (PROBE_HEAD,) if any(map(shows_probe, results)) else ()
    heads = ("Extractor", "Task", "Lang", "Acc. %", recall.head, *probe, "Classifier")
    marks = _marks(results)
    rows: list[tuple[str | Text, ...]] = []
    for result in results:
        outcome = result.outcome()
        signs = "".join(marks[caution] for caution in result.cautions)
        params = params_text(outcome.params)
        rows.append(
            (
                result.extractor,
                result.task + signs,
                result.language,
                Text(percent(result.scores["accuracy"]), style="bold"),
                recall.text(result.scores[recall.name]),
                *((percent(probe_score(result)),) if probe else ()),
                with_params(outcome.title + (CLOSE if is_close(result) else ""), params),
            )
        )
    print_by_extractor(console, heads, rows, right=("Acc. %", recall.head, *probe))


def _print_folds(console: Console, results: Sequence[TaskResult]) -> None:
    """Print intervals over all speakers, and the mean and spread of the scores of the folds."""
    heads = ("Extractor", "Task", "Metric", "All", "95 %", "Folds", "Mean", "SD", "SE", "Min", "Max")
    rows: list[tuple[str | Text, ...]] = []
    for result in results:
        draws = task_draws(result)
        for name in ("accuracy", "uar") if result.target is None else ("ccc",):
            metric, summary = METRICS[name], fold_summary(result, name)
            if summary is None:
                continue
            rows.append(
                (
                    result.extractor,
                    result.task,
                    metric.head,
                    metric.text(result.scores[name]),
                    interval_text(draws.interval(name), name),
                    str(summary.folds),
                    metric.text(summary.mean),
                    *("-" if value is None else metric.text(value) for value in (summary.deviation, summary.error)),
                    metric.text(summary.low),
                    metric.text(summary.high),
                )
            )
    title = "All folds together, with the interval for other speakers; mean and spread of the folds"
    print_by_extractor(console, heads, rows, right=heads[3:], title=title)


def _fold_table(result: TaskResult) -> Table:
    """Return a table of every fold."""
    names = ("accuracy", "uar") if result.target is None else ("ccc",)
    numbers = ("Utterances", *(METRICS[name].head for name in names))
    title = f"{result.extractor} on {result.task}: every fold"
    listing = table("Fold", "Test speakers", "Classifier", "Chosen point", *numbers, right=numbers, title=title)
    for fold in result.folds:
        speakers = ", ".join(fold.test_speakers)
        listing.add_row(
            fold.name,
            "" if speakers == fold.name else speakers,
            fold.chosen,
            params_text(fold.params[fold.chosen]),
            str(fold.counts.get("test", len(fold.test))),
            *(METRICS[name].text(fold.scores.get(name)) for name in names),
        )
    return listing


def _classifier_table(result: TaskResult, objective: str, most: int) -> Table:
    """Return a table of every classifier, with the first metrics up to a number."""
    title = f"{result.extractor} on {result.task}: every classifier ({result.counts['test']} test utterances)"
    searched = METRICS["ccc" if result.target is not None else objective]
    shown = [metric for name, metric in table_metrics(result.protocol).items() if name in result.scores][:most]
    numbers = (f"Val. {searched.head}", *(metric.head for metric in shown), "Failed")
    listing = table("", "Classifier", *numbers[:-1], "Chosen point", "Failed", right=numbers, title=title)
    for outcome in result.outcomes:
        failed = sum(point.failed for point in outcome.points)
        listing.add_row(
            "*" if outcome.classifier == result.chosen else "",
            outcome.title,
            searched.text(outcome.validation),
            *(metric.text(outcome.scores.get(metric.name)) for metric in shown),
            params_text(outcome.params),
            f"{failed}/{len(outcome.points)}" if failed else "",
        )
    return listing


def _class_table(result: TaskResult) -> Table:
    """Return a table of the scores of each class, by the chosen classifier."""
    title = f"{result.extractor} on {result.task}: every class, {result.outcome().title}"
    heads = ("Class", "Recall %", "95 %", "Precision %", "F1 %", "Utterances")
    listing = table(*heads, right=[head for head in heads if head not in ("Class", "95 %")], title=title)
    for label, scores in class_scores_of(scored(result)).items():
        interval = "" if scores.interval is None else interval_text(scores.interval)
        numbers = (percent(scores.precision), percent(scores.f1), str(scores.utterances))
        listing.add_row(label, percent(scores.recall), interval, *numbers)
    return listing


def _marks(results: Sequence[TaskResult]) -> dict[str, str]:
    """Return a footnote sign for each caution, in order of first appearance."""
    cautions = list(dict.fromkeys(caution for result in results for caution in result.cautions))
    signs = "*†‡§¶"
    return {caution: signs[i] if i < len(signs) else f"({i})" for i, caution in enumerate(cautions)}


def _print_wrapped(console: Console, text: str, style: str | None = None) -> None:
    """Print a sentence whose further lines are indented."""
    for wrapped in textwrap.wrap(text, max(20, console.width - 1), subsequent_indent="  ", break_long_words=False):
        console.print(wrapped, style=style, markup=False, highlight=False, soft_wrap=True)


def _print_notes(console: Console, run: Run, classes: Sequence[TaskResult], continuous: Sequence[TaskResult]) -> None:
    line = partial(_print_wrapped, console)
    for caution, sign in _marks(classes).items():
        line(f"{sign} {caution}")
    if any(is_close(result) for result in classes):
        line(CLOSE_FOOTNOTE)
    for result in run.results:
        if summary := seed_summary(result, run.seeds):
            line(f"Seeds, {result.extractor} on {result.task}: {seeds_text(result, summary)}.")
    if any(map(shows_probe, classes)):
        line(probe_statement("uar" if run.protocol.objective == "uar" else "accuracy"), "dim")
    if classes:
        line(f"Protocol {run.protocol.name}: {run.protocol.summary}.", "dim")
    recalls = recall_statements((result.extractor, result) for result in classes)
    for statement in (*recalls, *split_statements(run.results)):
        line(statement, "dim")
    for caution in task_cautions(continuous, (SYNTHETIC, PARTIAL)):
        line(caution)
    if continuous:
        line(
            "Continuous targets: the regressor is chosen by concordance (CCC) on validation, under every protocol.",
            "dim",
        )
        draws = [(result.task, task_draws(result)) for result in continuous]
        for statement in few_speakers_statement((task, drawn.groups, drawn.method) for task, drawn in draws):
            line(statement, "dim")
    for footnote in footnotes(continuous):
        line(footnote)
    for name in run.extractors:
        mean = unweighted_mean(name, classes, SUITE)
        count = f"{len(mean.tasks)} of {len(SUITE)} tasks"
        if mean.tasks:
            flag = f" ({run.protocol.caution})" if run.protocol.caution else ""
            recall = average_recall(run.protocol.name)
            average = f"{METRICS[recall].title} {percent(getattr(mean, recall))}"
            line(f"UM {name}: accuracy {percent(mean.accuracy)}, {average} over {count}{flag}.")
    if run.missing and classes:
        line(f"Not prepared: {', '.join(run.missing)}. See {command('data list')}.", "dim")
    for notice in run.notices:
        line(notice, "dim")
    if run.reused:
        line(f"{len(run.reused)} of {len(run.results)} results were stored before and were reused.", "dim")
    for failure in run.failures:
        line(failure_text(failure), "red")


def failure_text(failure: Failure) -> str:
    """Return a failure as one paragraph: the evaluation, the cause, and what to do next."""
    error = failure.error
    where = f"{error['where']}: " if error.get("where") else ""
    step = error.get("next_step")
    tail = f" Next: {step}." if step else ""
    return f"{failure.extractor} on {failure.task} failed: {where}{error['what']}.{tail}"
