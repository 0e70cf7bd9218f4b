"""Measurements as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from serab_core.report.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from serab_core.bench.history import Change, Moment
    from serab_core.bench.measure import Figure, Measured


def print_measured(console: Console, measured: Sequence[Measured]) -> None:
    """Prints speed, latency by length, and what loading takes, as three tables."""
    heads: tuple[str, ...] = ("Extractor", "Threads", "x real time", "Clips/s", "Ratio")
    made = table(*heads, right=heads[1:])
    for one in measured:
        single, batch = _typical(one), list(one.figures.values())[-1]
        made.add_row(
            one.extractor, str(one.threads), f"{1 / single.realtime_factor:,.0f}", f"{batch.clips_per_s:,.1f}",
            f"{single.ratio:.3g}",
        )  # fmt: skip
    console.print(made)
    heads = ("Extractor", "At a time", "p50 ms", "p95 ms", "p99 ms", "Ratio", "± %")
    made = table(*heads, right=heads[2:])
    before = ("", 0)
    for one in measured:
        for figure in one.figures.values():
            own = (one.extractor, one.threads)
            times = [f"{1000 * figure.samples.quantile(share):,.1f}" for share in (0.5, 0.95, 0.99)]
            name = "" if own == before else one.extractor
            made.add_row(
                name, f"{figure.clips} x {figure.clip_s:g} s", *times, f"{figure.ratio:.3g}",
                f"{200 * figure.samples.error:.0f}",
            )  # fmt: skip
            before = own
    console.print(made)
    heads = ("Extractor", "Load s", "First s", "Peak MB", "Disk MB", "Parameters", "Dim")
    made = table(*heads, right=heads[1:])
    for one in measured:
        made.add_row(
            one.extractor, f"{one.load_s:.2f}", f"{one.first_s:.2f}",
            f"{one.peak_bytes / 1e6:,.0f}" if one.peak_bytes else "-",
            "-" if one.weights_bytes is None else f"{one.weights_bytes / 1e6:.1f}",
            "-" if one.parameters is None else f"{one.parameters:,}", f"{one.dim:,}",
        )  # fmt: skip
    console.print(made)
    for line in (
        "x real time: seconds of audio in a second, one clip of 3 s at a time. Clips/s: 3 s each, a batch at a time.",
        "Ratio: what a second of audio costs, in runs of a reference workload measured beside it; machines and "
        "versions are compared by it. ±: how far it may be off (95 %).",
        "First: of the first clip. Peak: memory of the process. Disk: its weights.",
    ):
        console.print(line, style="dim", highlight=False)


def print_changes(console: Console, found: Sequence[Change], name: str) -> None:
    """Prints what has changed since a kept run."""
    made = table("Figure", "Then", "Now", "Factor", right=("Then", "Now", "Factor"), title=f"Ratios since {name}")
    for change in found:
        colour = "red" if change.factor > 1.25 else "green" if change.factor < 0.8 else "default"
        made.add_row(
            change.name, f"{change.before:.3g}", f"{change.now:.3g}", Text(f"{change.factor:.2f}", style=colour)
        )
    console.print(made)


def print_past(console: Console, moments: Sequence[Moment]) -> None:
    """Prints kept runs, and each extractor's ratio in them beside its first."""
    made = table("Extractor", "When", "Version", "Ratio", "Of first", "Processor", right=("Ratio", "Of first"))
    first: dict[tuple[str, int], float] = {}
    for own in sorted(moments, key=lambda one: (one.extractor, one.threads, one.when)):
        known = (own.extractor, own.threads) in first
        factor = own.ratio / first.setdefault((own.extractor, own.threads), own.ratio)
        name = own.extractor if own.threads == 1 else f"{own.extractor} ({own.threads} threads)"
        when = own.when[:16].replace("T", " ")
        made.add_row("" if known else name, when, own.version, f"{own.ratio:.3g}", f"{factor:.2f}",
                     own.machine)  # fmt: skip
    console.print(made)


def _typical(one: Measured) -> Figure:
    """The figure of one clip whose length is nearest to that of an utterance."""
    singles = [figure for figure in one.figures.values() if figure.clips == 1]
    return min(singles, key=lambda figure: abs(figure.clip_s - 3.0))
