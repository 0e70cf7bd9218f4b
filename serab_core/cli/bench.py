"""`serab bench`: what extractors cost."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from serab_core.cli import complete
from serab_core.cli.words import split_words
from serab_core.errors import UsageError

if TYPE_CHECKING:
    from serab_core.bench.history import Moment
    from serab_core.store.home import Home

_Number = TypeVar("_Number", int, float)
HELP = """Time extractors: speed, latency by length, loading, memory.

Each is measured in a process of its own, beside a reference workload; ratios to it hold between machines.
"""


def bench_command(
    extractors: Annotated[
        list[str] | None,
        typer.Argument(metavar="X [Y ...]", help="Extractors.", autocompletion=complete.extractors),
    ] = None,
    lengths: Annotated[
        list[str] | None, typer.Option("--lengths", help="Seconds of clips, by commas; 1,3,10,60 by default.")
    ] = None,
    batch: Annotated[int, typer.Option("--batch", min=0, help="Clips at a time; what each likes by default.")] = 0,
    threads: Annotated[
        list[str] | None, typer.Option("--threads", help="Numbers of threads, by commas; one by default.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="Of extractors that can choose: cpu, cuda or cuda:1.")
    ] = None,
    budget: Annotated[float, typer.Option("--budget", min=0.05, help="Seconds for each figure.")] = 2.0,
    compare: Annotated[
        str | None,
        typer.Option("--compare", help="Show what changed since a run: last, a kept one's name, a version, or a file."),
    ] = None,
    history: Annotated[bool, typer.Option("--history", help="Measure nothing; show kept runs.")] = False,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the kept runs into a file, .svg or .png.", dir_okay=False)
    ] = None,
    save: Annotated[bool, typer.Option("--save/--no-save", help="Keep the run in the home.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, in pytest-benchmark's format.")] = False,
) -> None:
    """Times extractors."""
    from serab_core import plugins
    from serab_core.bench.clips import LENGTHS_S
    from serab_core.bench.history import changes, find_run, keep, past, read_run
    from serab_core.bench.measure import document, measure
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.report.bench import print_changes, print_measured
    from serab_core.report.progress import progress_on
    from serab_core.store.home import find_home

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
    names = plugins.with_asked(extractors, {"device": device})
    measured = []
    with progress_on(stderr()).stage("Measuring", len(names) * len(counts)) as advance:
        for name in names:
            for count in counts:
                measured.append(measure(name, lengths=seconds, batch=batch, threads=count, budget_s=budget))
                advance(1)
    run = document(measured)
    kept: Path | None = keep(home, run) if save else None
    if as_json:
        print_json(run)
        return
    print_measured(stdout(), measured)
    if then is not None and before is not None:
        print_changes(stdout(), changes(before, run), then.stem)
    if plot is not None:
        _draw(past(home, names)[0], plot)
    if kept is not None:
        stdout().print(f"Kept as {kept.stem}.", style="dim", markup=False, highlight=False, soft_wrap=True)


def _show_past(home: Home, names: list[str], plot: Path | None, *, as_json: bool) -> None:
    from serab_core.bench.history import past
    from serab_core.cli.output import print_json, stderr, stdout
    from serab_core.report.bench import print_past

    moments, errors = past(home, names)
    for error in errors:
        stderr().print(str(error), style="yellow", markup=False, highlight=False, soft_wrap=True)
    if not moments:
        raise UsageError(
            "no run is kept" + (f" of {', '.join(names)}" if names else ""),
            where=home.speed / "runs",
            next_step=f"serab bench {' '.join(names) or 'opensmile'}",
        )
    if as_json:
        print_json({"schema": "serab.bench-history/1", "moments": [asdict(own) for own in moments]})
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


def _numbers(words: list[str] | None, kind: type[_Number], option: str) -> list[_Number]:
    try:
        return [kind(word) for word in split_words(words)]
    except ValueError as error:
        raise UsageError(f"{option} takes numbers by commas ({error})", next_step=f"{option} 1,2") from error
