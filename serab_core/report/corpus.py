"""Tables about a prepared corpus: labels by split, speakers by split, and a histogram of durations."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from serab_core.report.tables import percent, table
from serab_core.types import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from serab_core.types import Split, Task

_BLOCKS = " ▏▎▍▌▋▊▉█"
_WIDTH = 30  # characters of the longest bar, which leave room for the columns of an 80-column terminal


def print_corpus(console: Console, task: Task) -> None:
    """Print one split variant of a corpus."""
    hours = sum(u.duration for u in task.utterances) / 3600
    marks = [mark for mark, is_so in (("synthetic", task.synthetic), ("partial", task.partial)) if is_so]
    head = f"{task.title}, splits {task.variant}: {len(task.utterances)} utterances, {hours:.2f} h"
    console.print()
    console.print(Text.assemble((head, "bold"), *([(f" ({', '.join(marks)})", "yellow")] if marks else [])))
    console.print(f"Splits: {task.splits}", style="dim", highlight=False)
    for text in filter(None, (task.note, *task.cautions)):
        console.print(text, style="yellow", highlight=False)
    counts = Counter((u.split, u.label) for u in task.utterances)
    labels = table("Label", *SPLITS, "", right=SPLITS)
    largest = max(Counter(u.label for u in task.utterances).values())
    for label in task.labels:
        row = [counts[split, label] for split in SPLITS]
        labels.add_row(label, *(str(count) for count in row), bar(sum(row) / largest))
    console.print(labels)
    speakers = table("Split", "Speakers", "Utterances", "Hours", "Who", right=("Speakers", "Utterances", "Hours"))
    for split in SPLITS:
        utterances = [u for u in task.utterances if u.split == split]
        names = sorted({u.speaker for u in utterances})
        who = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        duration = sum(u.duration for u in utterances) / 3600
        speakers.add_row(split, str(len(names)), str(len(utterances)), f"{duration:.2f}", who)
    console.print(speakers)
    level = chance_level(task)
    if level:
        console.print(
            f"Chance: {percent(level['uar'])} % UAR ({level['classes']} classes). Guessing {level['majority']}, the "
            f"most frequent class of training, has an accuracy of {percent(level['accuracy'])} % on test; the most "
            f"frequent class of test, {level['test_majority']}, has {percent(level['test_share'])} % of it.",
            highlight=False,
        )
    _print_targets(console, task)
    _print_durations(console, task)


def chance_level(task: Task) -> dict[str, Any] | None:
    """Return the scores on test of guessing the most frequent class of training; None for a task without classes.

    Returns:
        `majority`, that class (among equally frequent classes the first by name); `accuracy`, its fraction of the test
        split; and the fields of `chance_on_test`.
    """
    train = Counter(u.label for u in task.utterances if u.split == "train")
    test = Counter(u.label for u in task.utterances if u.split == "test")
    if not task.labels or not train or not test:
        return None
    majority = min(train, key=lambda label: (-train[label], label))
    return {"majority": majority, "accuracy": test[majority] / test.total(), **chance_on_test(test.elements())}


def chance_on_test(labels: Iterable[str]) -> dict[str, Any]:
    """Return the highest scores on a test split that can be expected of a guess.

    Args:
        labels: the true labels of the test split, at least one.

    Returns:
        `classes`, their number; `uar`, one divided by this number; `test_majority`, the most frequent class (among
        equally frequent classes the first by name); `test_share`, its fraction, which is the highest accuracy.
    """
    counts = Counter(labels)
    majority = min(counts, key=lambda label: (-counts[label], label))
    share = counts[majority] / counts.total()
    return {"classes": len(counts), "uar": 1 / len(counts), "test_majority": majority, "test_share": share}


def _print_targets(console: Console, task: Task) -> None:
    names = sorted({name for u in task.utterances for name in u.targets})
    if not names:
        return
    shown = table("Target", *(f"{split}, mean ± deviation" for split in SPLITS), "range")
    for name in names:
        values = {s: [u.targets[name] for u in task.utterances if u.split == s and name in u.targets] for s in SPLITS}
        every = [value for numbers in values.values() for value in numbers]
        cells = (
            f"{np.mean(numbers):.2f} ± {np.std(numbers):.2f}" if numbers else "none" for numbers in values.values()
        )
        shown.add_row(name, *cells, f"{min(every):.1f} to {max(every):.1f}")
    console.print(shown)


def _print_durations(console: Console, task: Task) -> None:
    durations = {split: np.array([u.duration for u in task.utterances if u.split == split]) for split in SPLITS}
    everything = np.concatenate(list(durations.values()))
    edges = np.histogram_bin_edges(everything, bins=10)
    if edges[0] == edges[-1] or np.ptp(everything) < 1e-3:
        console.print(f"Every utterance lasts {everything[0]:.2f} s.", highlight=False)
        return
    shown = table("Seconds", *SPLITS, "", right=SPLITS)
    histograms: dict[Split, list[int]] = {s: np.histogram(d, edges)[0].tolist() for s, d in durations.items()}
    totals = [sum(histograms[split][i] for split in SPLITS) for i in range(len(edges) - 1)]
    for i, total in enumerate(totals):
        counts = (str(histograms[split][i]) for split in SPLITS)
        shown.add_row(f"{edges[i]:.2f} to {edges[i + 1]:.2f}", *counts, bar(total / max(totals)))
    console.print(shown)


def bar(fraction: float) -> str:
    """Return a bar of up to 30 characters, with a resolution of an eighth of a character."""
    eighths = round(fraction * _WIDTH * 8)
    return "█" * (eighths // 8) + (_BLOCKS[eighths % 8] if eighths % 8 else "")
