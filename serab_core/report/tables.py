"""Tables for the terminal, which fit 80 columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.data.protocols import SUITE
from serab_core.report.cautions import (
    few_speakers_statement,
    footnotes,
    mark,
    recall_statements,
    split_statements,
    task_cautions,
)
from serab_core.score.aggregate import unweighted_mean
from serab_core.score.bootstrap import task_draws
from serab_core.score.classes import class_scores_of
from serab_core.score.metrics import METRICS
from serab_core.score.released import average_recall, table_metrics
from serab_core.score.scored import scored
from serab_core.system.hints import command
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, RenderableType

    from serab_core.score.bootstrap import Interval
    from serab_core.types import Failure, GridValue, Run, TaskResult


_UNLIMITED = 10_000  # characters; wider than any table, so that measuring a table wraps nothing


class _OneLineCells(Table):
    """A table that shows line feeds in cells as codes, so that a name cannot imitate two rows."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row."""
        super().add_row(*(escape_line(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def table(*columns: str, right: Sequence[str] = (), title: str | None = None) -> Table:
    """Return an empty table in the style of serab; columns named in `right` hold numbers."""
    new_table = _OneLineCells(
        box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", title=title, title_justify="left", title_style="bold"
    )
    for column in columns:
        new_table.add_column(
            column, justify="right" if column in right else "left", overflow="fold", no_wrap=column in right
        )
    return new_table


def width_of(console: Console, shown: Table) -> int:
    """Return the width of a table without wrapping."""
    return console.measure(shown, options=console.options.update(max_width=_UNLIMITED)).maximum


def print_by_extractor(
    console: Console,
    heads: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    right: Sequence[str] = (),
    title: str | None = None,
) -> None:
    """Print a table whose first column has names of extractors, which are never cut.

    If a name leaves too little room for the other columns, each extractor gets its own table below its name.

    Args:
        console: the console.
        heads: the heads of all columns.
        rows: the cells; the first is the name of the extractor. Consecutive equal names are shown once.
        right: heads of columns that hold numbers.
        title: the title above the table.
    """
    whole = table(*heads, right=right, title=title)
    whole.columns[0].no_wrap = True
    previous = None
    for name, *cells in rows:
        whole.add_row("" if name == previous else str(name), *cells)
        previous = name
    if console.measure(whole, options=console.options.update(max_width=_UNLIMITED)).minimum <= console.width:
        console.print(whole)
        return
    if title:
        console.print(title, style="bold", highlight=False)
    for name in dict.fromkeys(str(row[0]) for row in rows):
        console.print(name, style="bold", highlight=False, soft_wrap=True)
        single = table(*heads[1:], right=right)
        for _, *cells in (row for row in rows if row[0] == name):
            single.add_row(*cells)
        console.print(single)


def interval_text(interval: Interval, metric: str = "accuracy") -> str:
    """Return the interval of a metric as tables show it."""
    shown = METRICS[metric]
    if shown.percent:
        return f"{percent(interval.low)}-{percent(interval.high)}"
    return f"{interval.low:.2f} to {interval.high:.2f}"


def percent(value: float | None) -> str:
    """Return a fraction in percent with one decimal; a dash for None."""
    return "-" if value is None else f"{100 * value:.1f}"


def probability(value: float | None) -> str:
    """Return a probability with three decimals; a dash for None."""
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def params_text(params: Mapping[str, GridValue] | None) -> str:
    """Return parameters as one short line: `C=0.01, rbf, balanced`."""
    if params is None:
        return "could not be fitted"
    texts = []
    for name, value in params.items():
        if value is None or name == "solver":
            continue
        if isinstance(value, float):
            short = f"{value:.3g}" if abs(value) >= 1e4 else f"{value:g}"
            texts.append(f"{name}={short.replace('e+0', 'e').replace('e-0', 'e-')}")
        elif isinstance(value, str) and name != "layer":
            texts.append(value)
        else:
            texts.append(f"{name}={value}")
    return ", ".join(texts)


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
    if details:
        for result in run.results:
            whole, brief = (_classifier_table(result, run.protocol.objective, most) for most in (len(METRICS), 2))
            console.print(whole if width_of(console, whole) <= console.width else brief)
            if result.target is None:
                console.print(_class_table(result))
    _print_notes(console, run, classes, continuous)


def _print_results(console: Console, results: Sequence[TaskResult]) -> None:
    recall = METRICS[average_recall(results[0].protocol)]
    heads = ("Extractor", "Task", "Lang", "Acc. %", recall.head, "Classifier")
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
                _with_params(outcome.title, params),
            )
        )
    print_by_extractor(console, heads, rows, right=("Acc. %", recall.head))


def _with_params(title: str, params: str) -> Text:
    return Text.assemble(title, (f" {params}", "dim")) if params else Text(title)


def _classifier_table(result: TaskResult, objective: str, most: int) -> Table:
    """Return a table of every classifier, with the first metrics up to a number."""
    title = f"{result.extractor} on {result.task}: every classifier ({result.counts['test']} test utterances)"
    searched = METRICS["ccc" if result.target is not None else objective]
    shown = [metric for name, metric in table_metrics(result.protocol).items() if name in result.scores][:most]
    numbers = (f"Val. {searched.head[0].lower()}{searched.head[1:]}", *(metric.head for metric in shown), "Failed")
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


def print_continuous(
    console: Console, results: Sequence[tuple[str, TaskResult, str]], groups: Mapping[str, str] | None = None
) -> None:
    """Print scores on continuous targets: concordance with its interval, correlation, and error in the target's unit.

    Args:
        console: the console.
        results: the shown name of the extractor, the result, and the signs after the task.
        groups: the significance group of each extractor, by shown name; shown if there are several.
    """
    groups = groups if groups and len(set(groups.values())) > 1 else {}
    heads = ("Extractor", "Target", "CCC", "95 %", "Pearson", "RMSE", "Regressor", *(("Group",) if groups else ()))
    rows: list[tuple[str | Text, ...]] = []
    for name, result, signs in results:
        outcome, interval = result.outcome(), task_draws(result).interval("ccc")
        rows.append(
            (
                name,
                result.task + signs,
                Text(METRICS["ccc"].text(result.scores["ccc"]), style="bold"),
                interval_text(interval, "ccc"),
                METRICS["pearson"].text(result.scores["pearson"]),
                METRICS["rmse"].text(result.scores["rmse"]),
                _with_params(outcome.title, params_text(outcome.params)),
                *((groups.get(name, "-"),) if groups else ()),
            )
        )
    print_by_extractor(console, heads, rows, right=("CCC", "Pearson", "RMSE"))


def _marks(results: Sequence[TaskResult]) -> dict[str, str]:
    """Return a footnote sign for each caution, in order of first appearance."""
    cautions = list(dict.fromkeys(caution for result in results for caution in result.cautions))
    signs = "*†‡§¶"
    return {caution: signs[i] if i < len(signs) else f"({i})" for i, caution in enumerate(cautions)}


def _print_notes(console: Console, run: Run, classes: Sequence[TaskResult], continuous: Sequence[TaskResult]) -> None:
    def line(text: str, style: str | None = None) -> None:
        for wrapped in textwrap.wrap(text, max(20, console.width - 1), subsequent_indent="  ", break_long_words=False):
            console.print(wrapped, style=style, markup=False, highlight=False, soft_wrap=True)

    for caution, sign in _marks(classes).items():
        line(f"{sign} {caution}")
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
