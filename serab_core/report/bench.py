"""Tables of measurements."""

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
    """Print three tables: speed, latency by clip length, and the cost of loading."""
    heads: tuple[str, ...] = ("Extractor", "Threads", "x real time", "Clips/s", "Ratio")
    listing = table(*heads, right=heads[1:])
    for measurement in measured:
        single, batch = _typical(measurement), list(measurement.figures.values())[-1]
        listing.add_row(
            measurement.extractor,
            str(measurement.threads),
            f"{1 / single.realtime_factor:,.0f}",
            f"{batch.clips_per_s:,.1f}",
            f"{single.ratio:.3g}",
        )
    console.print(listing)
    heads = ("Extractor", "At a time", "p50 ms", "p95 ms", "p99 ms", "Ratio", "± %")
    listing = table(*heads, right=heads[2:])
    before = ("", 0)
    for measurement in measured:
        for figure in measurement.figures.values():
            key = (measurement.extractor, measurement.threads)
            times = [f"{1000 * figure.samples.quantile(fraction):,.1f}" for fraction in (0.5, 0.95, 0.99)]
            name = "" if key == before else measurement.extractor
            listing.add_row(
                name, f"{figure.clips} x {figure.clip_s:g} s", *times, f"{figure.ratio:.3g}",
                f"{200 * figure.samples.error:.0f}",
            )  # fmt: skip
            before = key
    console.print(listing)
    heads = ("Extractor", "Load s", "First s", "Peak MB", "Disk MB", "Parameters", "Dim")
    listing = table(*heads, right=heads[1:])
    for measurement in measured:
        listing.add_row(
            measurement.extractor, f"{measurement.load_s:.2f}", f"{measurement.first_s:.2f}",
            f"{measurement.peak_bytes / 1e6:,.0f}" if measurement.peak_bytes else "-",
            "-" if measurement.weights_bytes is None else f"{measurement.weights_bytes / 1e6:.1f}",
            "-" if measurement.parameters is None else f"{measurement.parameters:,}", f"{measurement.dim:,}",
        )  # fmt: skip
    console.print(listing)
    for line in (
        "x real time: seconds of audio per second, for single clips of 3 s. Clips/s: clips of 3 s, in batches.",
        "Ratio: the cost of a second of audio, in runs of a reference workload that is measured at the same time; use "
        "it to compare machines and versions. ±: its 95 % margin of error.",
        "Load: loading the extractor. First: embedding the first clip. Peak: memory of the process. Disk: weights.",
    ):
        console.print(line, style="dim", highlight=False)


def print_changes(console: Console, changes: Sequence[Change], name: str) -> None:
    """Print the changes since a saved run."""
    listing = table("Figure", "Then", "Now", "Factor", right=("Then", "Now", "Factor"), title=f"Ratios since {name}")
    for change in changes:
        colour = "red" if change.factor > 1.25 else "green" if change.factor < 0.8 else "default"
        listing.add_row(
            change.name, f"{change.before:.3g}", f"{change.now:.3g}", Text(f"{change.factor:.2f}", style=colour)
        )
    console.print(listing)


def print_past(console: Console, moments: Sequence[Moment]) -> None:
    """Print saved runs, with each ratio of an extractor relative to its first ratio."""
    listing = table("Extractor", "When", "Version", "Ratio", "Of first", "Processor", right=("Ratio", "Of first"))
    first: dict[tuple[str, int], float] = {}
    for moment in sorted(moments, key=lambda moment: (moment.extractor, moment.threads, moment.when)):
        known = (moment.extractor, moment.threads) in first
        factor = moment.ratio / first.setdefault((moment.extractor, moment.threads), moment.ratio)
        name = moment.extractor if moment.threads == 1 else f"{moment.extractor} ({moment.threads} threads)"
        when = moment.when[:16].replace("T", " ")
        listing.add_row("" if known else name, when, moment.version, f"{moment.ratio:.3g}", f"{factor:.2f}",
                     moment.machine)  # fmt: skip
    console.print(listing)


def _typical(measurement: Measured) -> Figure:
    """Return the figure for single clips whose length is nearest to that of a typical utterance."""
    singles = [figure for figure in measurement.figures.values() if figure.clips == 1]
    return min(singles, key=lambda figure: abs(figure.clip_s - 3.0))
