"""Means over tasks; each mean lists its tasks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import numpy as np

from serab_core.score.bootstrap import Interval, interval
from serab_core.score.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.bootstrap import Draws, Method
    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The unweighted mean of one extractor over the suite's tasks.

    Attributes:
        tasks: the tasks in the mean.
        missing: the tasks of the suite that are not in the mean.
        accuracy, uar, macro_recall: UM (the plain mean over tasks), in [0, 1]; None if there are no tasks.
    """

    extractor: str
    tasks: tuple[str, ...]
    missing: tuple[str, ...]
    accuracy: float | None
    uar: float | None
    macro_recall: float | None


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over tasks, with its interval.

    Attributes:
        kind: `UM`, the plain mean; `WM`, weighted by test utterances; `GM`, the geometric mean.
        value: in [0, 1].
        interval: from the draws of each task, with the tasks fixed: it does not generalise to other tasks.
        weights: the weight of each task; they sum to 1.
    """

    kind: Literal["UM", "WM", "GM"]
    value: float
    interval: Interval
    weights: Mapping[str, float]


def enters(result: TaskResult) -> bool:
    """Return whether a result may enter a mean: its corpus is not synthetic or partial, its splits the protocol's."""
    return not result.synthetic and not result.partial and not is_other_variant(result)


def is_other_variant(result: TaskResult) -> bool:
    """Return whether a result is on another split variant than that of its protocol: `cafe/without_neutral`."""
    return result.target is None and result.task.endswith(f"/{result.variant}")


def is_guess(result: TaskResult) -> bool:
    """Return whether the extractor provides its own classifiers, such as `chance`, which guesses."""
    return bool(result.provenance.get("protocol", {}).get("classifiers_by") == "extractor")


def unweighted_mean(extractor: str, results: Sequence[TaskResult], suite: Sequence[str]) -> Aggregate:
    """Return UM over the suite (arXiv:2110.03414, section 3), without synthetic and partial corpora."""
    entered = {result.task: result for result in results if result.extractor == extractor and enters(result)}
    tasks = tuple(task for task in suite if task in entered)

    def mean(metric: str) -> float | None:
        return fmean(entered[task].scores[metric] for task in tasks) if tasks else None

    missing = tuple(task for task in suite if task not in entered)
    return Aggregate(extractor, tasks, missing, mean("accuracy"), mean("uar"), mean("macro_recall"))


def means(
    scores: Mapping[str, float],
    draws: Mapping[str, Draws],
    sizes: Mapping[str, int],
    metric: str,
) -> tuple[Mean, ...]:
    """Return UM, WM and GM over tasks.

    The paper names all three but defines only UM. Here WM weights a task by its test utterances, and GM is the n-th
    root of the product; a metric that can be negative, such as kappa, has no GM.

    Args:
        scores: the score of each task; at least one.
        draws: the draws of each task.
        sizes: the number of test utterances of each task.
        metric: the metric of the scores, which selects the draws.
    """
    tasks = list(scores)
    values = np.array([scores[task] for task in tasks])
    spread = np.stack([draws[task].values(metric) for task in tasks])
    groups = sum(draws[task].groups for task in tasks)
    methods = {draws[task].method for task in tasks}
    method: Method = methods.pop() if len(methods) == 1 else "bootstrap and beta-binomial"
    whole = sum(sizes[task] for task in tasks)
    even = np.full(len(tasks), 1 / len(tasks))
    by_size = np.array([sizes[task] / whole for task in tasks])
    results = []
    for kind, weights in (("UM", even), ("WM", by_size), ("GM", even)):
        if kind == "GM" and METRICS[metric].bounds[0] < 0:
            continue  # a metric with negative values has no geometric mean
        if kind == "GM":
            value = float(np.exp(weights @ np.log(np.maximum(values, 1e-12))))
            drawn = np.exp(weights @ np.log(np.clip(spread, 1e-12, 1.0)))
        else:
            value, drawn = float(weights @ values), weights @ spread
        task_weights = dict(zip(tasks, weights.tolist(), strict=True))
        limits = interval(drawn, "speakers", groups, METRICS[metric].bounds, method)
        limits = replace(limits, low=min(limits.low, value), high=max(limits.high, value))
        results.append(Mean(kind, value, limits, task_weights))  # type: ignore[arg-type]
    return tuple(results)
