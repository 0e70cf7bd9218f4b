"""`serab bench`: measure the cost of extractors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from serab_core.cli.csv_option import split_csv
from serab_core.cli.output import find_home, print_json, show_progress, stderr, stdout
from serab_core.cli.parameters import Device, Extractors
from serab_core.errors import ExtractorError, JobsFailedError, UsageError

if TYPE_CHECKING:
    from serab_core.bench.history import Moment
    from serab_core.store.home import Home

_Number = TypeVar("_Number", int, float)
HELP = (
    "Measure the speed, the latency, the loading time and the memory of extractors.\n\n"
    "Each extractor runs in its own process, next to a reference workload. Ratios to that workload can be compared "
    "between machines."
)


_Lengths = Annotated[
    list[str] | None,
    typer.Option("--lengths", help="Clip lengths in seconds, separated by commas. Default: 1,3,10,60."),
]
_Batch = Annotated[
    int, typer.Option("--batch", min=0, help="Clips in a batch. Default: the batch size of each extractor.")
]
_Threads = Annotated[
    list[str] | None, typer.Option("--threads", help="Numbers of threads, separated by commas. Default: 1.")
]
_Compare = Annotated[
    str | None,
    typer.Option("--compare", help="Show changes since a run: last, the name of a saved run, a version, or a file."),
]


def bench_command(
    extractors: Extractors = None,
    lengths: _Lengths = None,
    batch: _Batch = 0,
    threads: _Threads = None,
    device: Device = None,
    budget: Annotated[float, typer.Option("--budget", min=0.05, help="Seconds to spend on each measurement.")] = 2.0,
    compare: _Compare = None,
    history: Annotated[bool, typer.Option("--history", help="Show saved runs without measuring anything.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the saved runs into a file, .svg or .png.", dir_okay=False)
    ] = None,
    save: Annotated[bool, typer.Option("--save/--no-save", help="Save the run in the home.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in the format of pytest-benchmark.")] = False,
) -> None:
    """Measure extractors."""
    from serab_core import plugins
    from serab_core.bench.clips import LENGTHS_S
    from serab_core.bench.history import changes, find_run, keep, past, read_run
    from serab_core.bench.measure import document, measure
    from serab_core.report.bench import print_changes, print_measured
    from serab_core.store.weights import require_weights

    home = find_home()
    if history:
        _show_past(home, extractors or [], plot, as_json=as_json)
        return
    if not extractors:
        raise UsageError("no extractor is named", next_step="try: serab bench opensmile")
    then = find_run(home, compare) if compare is not None else None
    before = read_run(then) if then is not None else None
    seconds = _numbers(lengths, float, "--lengths") or list(LENGTHS_S)
    counts: list[int | None] = [*_numbers(threads, int, "--threads")] or [None]
    names = plugins.add_options(extractors, {"device": device})
    for name in names:  # before anything is measured
        spec = plugins.extractor(name)
        require_weights(home, spec.name, spec.weights)
    measured, failed = [], []
    with show_progress().task("Measuring", len(names) * len(counts)) as advance:
        for name in names:
            for count in counts:
                try:
                    measured.append(measure(name, lengths=seconds, batch=batch, threads=count, budget_s=budget))
                except ExtractorError as error:
                    failed.append(error)
                advance(1)
    if failed and not measured:
        raise failed[0]
    run = document(measured) | ({"failures": [error.as_json() for error in failed]} if failed else {})
    saved: Path | None = keep(home, run) if save else None
    if as_json:
        print_json(run)
    else:
        print_measured(stdout(), measured)
        if then is not None and before is not None:
            print_changes(stdout(), changes(before, run), then.stem)
        if saved is not None:
            stdout().print(f"Saved as {saved.stem}.", style="dim", soft_wrap=True)
    if plot is not None:
        _draw(past(home, names)[0], plot)
    if failed and as_json:  # the document on stdout already contains the errors
        raise typer.Exit(JobsFailedError.exit_code)
    if failed:
        raise JobsFailedError(
            f"{len(failed)} of {len(failed) + len(measured)} could not be measured: "
            + "; ".join(f"{error.where}: {error.what}" for error in failed),
            next_step=f"serab check {failed[0].where}",
        )


def _show_past(home: Home, names: list[str], plot: Path | None, *, as_json: bool) -> None:
    from serab_core.bench.history import past
    from serab_core.report.bench import print_past

    moments, errors = past(home, names)
    for error in errors:
        stderr().print(str(error), style="yellow", soft_wrap=True)
    if not moments:
        raise UsageError(
            "there is no saved run" + (f" of {', '.join(names)}" if names else ""),
            where=home.speed / "runs",
            next_step=f"serab bench {' '.join(names) or 'opensmile'}",
        )
    if as_json:
        print_json({"schema": "serab.bench-history/1", "moments": [asdict(moment) for moment in moments]})
    else:
        print_past(stdout(), moments)
    if plot is not None:
        _draw(moments, plot)


def _draw(moments: list[Moment], plot: Path) -> None:
    from serab_core.report.figures.files import write_drawing
    from serab_core.report.figures.history import history_plot
    from serab_core.report.figures.svg import PAPER

    if moments:
        write_drawing(history_plot(moments, PAPER), plot)


def _numbers(values: list[str] | None, kind: type[_Number], option: str) -> list[_Number]:
    try:
        return [kind(value) for value in split_csv(values)]
    except ValueError as error:
        raise UsageError(
            f"{option} takes numbers separated by commas ({error})", next_step=f"write for example {option} 1,2"
        ) from error
