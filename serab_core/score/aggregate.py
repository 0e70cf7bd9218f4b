"""Means over tasks, which always say over how many."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import numpy as np

from serab_core.score.bootstrap import Interval, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.bootstrap import Draws, Method
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


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over tasks, with its interval.

    Attributes:
        kind: `UM`, the plain mean; `WM`, weighted by test utterances; `GM`, the geometric mean.
        value: in [0, 1].
        interval: that of the tasks' own draws, as if tasks were fixed: it says nothing of other tasks.
        weights: of each task, summing to 1.
    """

    kind: Literal["UM", "WM", "GM"]
    value: float
    interval: Interval
    weights: Mapping[str, float]


def enters(result: TaskResult) -> bool:
    """Whether a result may enter a mean: neither on a synthetic nor on a partial corpus."""
    return not result.synthetic and not result.partial


def is_guess(result: TaskResult) -> bool:
    """Whether the extractor brings its own classifiers, as what is no embedding does: `chance` guesses."""
    return bool(result.provenance.get("protocol", {}).get("classifiers_by") == "extractor")


def unweighted_mean(extractor: str, results: Sequence[TaskResult], suite: Sequence[str]) -> Aggregate:
    """UM over the suite (arXiv:2110.03414, section 3); synthetic and partial corpora, and other tasks, do not enter."""
    entered = {result.task: result for result in results if result.extractor == extractor and enters(result)}
    tasks = tuple(task for task in suite if task in entered)
    return Aggregate(
        extractor=extractor,
        tasks=tasks,
        missing=tuple(task for task in suite if task not in entered),
        accuracy=fmean(entered[task].accuracy for task in tasks) if tasks else None,
        uar=fmean(entered[task].uar for task in tasks) if tasks else None,
    )


def means(
    scores: Mapping[str, float],
    draws: Mapping[str, Draws],
    sizes: Mapping[str, int],
    metric: Literal["accuracy", "uar"],
) -> tuple[Mean, ...]:
    """UM, WM and GM over tasks.

    The paper names all three and defines the first alone. Here WM weights a task by its test utterances, and GM is the
    n-th root of the product.

    Args:
        scores: in [0, 1], by task; at least one.
        draws: of each task.
        sizes: test utterances of each task.
        metric: whose draws to take.
    """
    tasks = list(scores)
    values = np.array([scores[task] for task in tasks])
    spread = np.stack([getattr(draws[task], metric) for task in tasks])
    groups = sum(draws[task].groups for task in tasks)
    methods = {draws[task].method for task in tasks}
    method: Method = methods.pop() if len(methods) == 1 else "bootstrap and beta-binomial"
    whole = sum(sizes[task] for task in tasks)
    even = np.full(len(tasks), 1 / len(tasks))
    by_size = np.array([sizes[task] / whole for task in tasks])
    results = []
    for kind, weights in (("UM", even), ("WM", by_size), ("GM", even)):
        if kind == "GM":
            value = float(np.exp(weights @ np.log(np.maximum(values, 1e-12))))
            drawn = np.exp(weights @ np.log(np.clip(spread, 1e-12, 1.0)))
        else:
            value, drawn = float(weights @ values), weights @ spread
        task_weights = dict(zip(tasks, weights.tolist(), strict=True))
        limits = interval(drawn, "speakers", groups, method=method)
        limits = replace(limits, low=min(limits.low, value), high=max(limits.high, value))
        results.append(Mean(kind, value, limits, task_weights))  # type: ignore[arg-type]
    return tuple(results)
