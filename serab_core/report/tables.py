"""Tables for the terminal, which fit 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from serab_core.score.bootstrap import task_draws
from serab_core.score.metrics import METRICS
from serab_core.system.terminal import escape_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console, RenderableType

    from serab_core.score.bootstrap import Interval
    from serab_core.types import GridValue, TaskResult


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


def with_params(title: str, params: str) -> Text:
    """Return the title of a classifier, followed by its parameters in a dim style."""
    return Text.assemble(title, (f" {params}", "dim")) if params else Text(title)


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
                with_params(outcome.title, params_text(outcome.params)),
                *((groups.get(name, "-"),) if groups else ()),
            )
        )
    print_by_extractor(console, heads, rows, right=("CCC", "Pearson", "RMSE"))
