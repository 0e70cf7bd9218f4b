"""Means over tasks, which always say over how many."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The unweighted mean of one extractor over the suite's tasks.

    Attributes:
        tasks: those that entered.
        missing: those of the suite that did not.
        accuracy, uar: UM (the plain mean over tasks), in [0, 1]; None when no task entered.
    """

    extractor: str
    tasks: tuple[str, ...]
    missing: tuple[str, ...]
    accuracy: float | None
    uar: float | None


def unweighted_mean(extractor: str, results: Sequence[TaskResult], suite: Sequence[str]) -> Aggregate:
    """UM over the suite (arXiv:2110.03414, section 3); synthetic and partial corpora, and other tasks, do not enter."""
    own = {
        result.task: result
        for result in results
        if result.extractor == extractor and not result.synthetic and not result.partial
    }
    tasks = tuple(task for task in suite if task in own)
    return Aggregate(
        extractor=extractor,
        tasks=tasks,
        missing=tuple(task for task in suite if task not in own),
        accuracy=fmean(own[task].accuracy for task in tasks) if tasks else None,
        uar=fmean(own[task].uar for task in tasks) if tasks else None,
    )
