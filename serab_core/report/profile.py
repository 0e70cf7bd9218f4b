"""Where the time of results went, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.report.tables import table
from serab_core.system.timing import PHASES, sum_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from serab_core.types import ContinuousResult, TaskResult


def print_profiles(console: Console, results: Sequence[TaskResult | ContinuousResult]) -> None:
    """Prints seconds by stage: a row a stage, with a bar, of all results that have a profile together."""
    profiled = [result for result in results if result.profile]
    if not profiled:
        return
    total = sum_times(*(result.profile["seconds"] for result in profiled))
    whole = sum(total.values()) or 1.0
    made = table("Stage", "Seconds", "Share", "", "What", right=("Seconds", "Share"), title="Where the time went")
    for name, seconds in total.items():
        share = seconds / whole
        made.add_row(name, f"{seconds:.2f}", f"{100 * share:.0f} %", "█" * round(16 * share), PHASES[name])
    console.print(made)
    words = f"{whole:.1f} s of work over all processes"
    if not all(result.profile["whole"] for result in profiled):
        words += "; some of it was there already and is not counted"
    console.print(f"{words}.", style="dim", highlight=False)
