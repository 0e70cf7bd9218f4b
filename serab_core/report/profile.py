"""A table of the time of results by phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.report.tables import table
from serab_core.system.timing import PHASES, sum_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from serab_core.types import TaskResult


def print_profiles(console: Console, results: Sequence[TaskResult]) -> None:
    """Print seconds by phase, with a row and a bar for each phase, summed over all results with a profile."""
    profiled = [result for result in results if result.profile]
    if not profiled:
        return
    total = sum_times(*(result.profile["seconds"] for result in profiled))
    whole = sum(total.values()) or 1.0
    listing = table("Phase", "Seconds", "Share", "", "Work", right=("Seconds", "Share"), title="Time by phase")
    for name, seconds in total.items():
        fraction = seconds / whole
        listing.add_row(name, f"{seconds:.2f}", f"{100 * fraction:.0f} %", "█" * round(16 * fraction), PHASES[name])
    console.print(listing)
    summary = f"{whole:.1f} s of work over all processes"
    if not all(result.profile["whole"] for result in profiled):
        summary += "; work that earlier runs had stored is not counted"
    console.print(f"{summary}.", style="dim", highlight=False)
