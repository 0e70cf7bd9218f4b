"""Subset bias: the ranking of extractors on subsets of the tasks (arXiv:2110.03414, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Size:
    """All subsets of one size.

    Attributes:
        tasks: number of tasks of a subset.
        subsets: number of subsets.
        lowest, highest: the lowest and highest plain mean over the subsets, by extractor.
        deviation: standard deviation of the plain mean over the subsets, by extractor.
        flips: the fraction of subsets that reverse the order of a pair of extractors, by pair.
    """

    tasks: int
    subsets: int
    lowest: Mapping[str, float]
    highest: Mapping[str, float]
    deviation: Mapping[str, float]
    flips: Mapping[tuple[str, str], float]

    @property
    def mean_flips(self) -> float:
        """The mean of `flips` over all pairs; 0 without pairs."""
        return float(np.mean(list(self.flips.values()))) if self.flips else 0.0


def equal_flips(count: int, tasks: int) -> float:
    """Return the expected fraction of subsets that reverse the order of two equal extractors, in [0, 0.5].

    The differences of equal extractors are symmetric around 0. The mean over `count` of `tasks` differences correlates
    with the mean over all of them by sqrt(count / tasks), and two normal variables with that correlation differ in sign
    with probability arccos(sqrt(count / tasks)) / pi (Sheppard, 1899).
    """
    return float(np.arccos(np.sqrt(count / tasks)) / np.pi)


def subset_bias(scores: Mapping[str, Mapping[str, float]], tasks: Sequence[str]) -> tuple[Size, ...]:
    """Return the means over all subsets of the tasks, by size, and the fractions of subsets that reverse pairs.

    A pair with equal means over all tasks is not counted; equal means on a subset count as half a reversal.

    Args:
        scores: the score of each extractor on each task, in [0, 1].
        tasks: at least one and at most about fifteen, because there are 2^n subsets.
    """
    names = list(scores)
    table = np.array([[scores[name][task] for task in tasks] for name in names])
    whole = table.mean(axis=1)
    pairs = [(a, b) for a, b in combinations(range(len(names)), 2) if abs(whole[a] - whole[b]) > 1e-12]
    sizes = []
    for count in range(1, len(tasks) + 1):
        chosen = np.array(list(combinations(range(len(tasks)), count)))
        means = table[:, chosen].mean(axis=2)
        flips = {}
        for a, b in pairs:
            signs = np.sign(np.round(means[a] - means[b], 12)) * np.sign(whole[a] - whole[b])
            flips[names[a], names[b]] = float(np.mean(np.where(signs < 0, 1.0, np.where(signs == 0, 0.5, 0.0))))
        sizes.append(
            Size(
                count,
                len(chosen),
                dict(zip(names, means.min(axis=1).tolist(), strict=True)),
                dict(zip(names, means.max(axis=1).tolist(), strict=True)),
                dict(zip(names, means.std(axis=1).tolist(), strict=True)),
                flips,
            )
        )
    return tuple(sizes)
