"""The range of the reported score over seeds, with the choice between classifiers made anew for each seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.data.protocols import split_seed
from serab_core.store.identity import DataIdentity, Version
from serab_core.store.results import search_of
from serab_core.types import DEFAULT_SEED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from serab_core.types import TaskResult


@dataclass(frozen=True, slots=True)
class SeedScore:
    """The reported scores under one seed.

    Attributes:
        classifier, title: the classifier that was chosen under this seed.
        scores: its scores on test.
        key: the key of the result.
    """

    seed: int
    classifier: str
    title: str
    scores: Mapping[str, float]
    key: str


@dataclass(frozen=True, slots=True)
class SeedRange:
    """The lowest and the highest score over seeds."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SeedSummary:
    """The scores of a result under several seeds.

    Attributes:
        scores: the scores under each seed, by ascending seed; one of them is that of the result.
        ranges: the range over these seeds by metric.
    """

    scores: tuple[SeedScore, ...]
    ranges: Mapping[str, SeedRange]


def seed_summary(result: TaskResult, others: Iterable[TaskResult]) -> SeedSummary | None:
    """Return the scores of a result under the default seed, and of its counterparts under other seeds.

    Args:
        result: the result.
        others: results; those of other extractors, tasks, data, protocols, classifiers and code are ignored. Of several
            counterparts with one seed, the last one counts.

    Returns:
        None for a result under another seed, and without a counterpart.
    """
    protocol, seed = split_seed(result.protocol)
    if seed != DEFAULT_SEED:
        return None
    by_seed = {seed: result}
    for other in others:
        base, other_seed = split_seed(other.protocol)
        if base == protocol and other_seed != DEFAULT_SEED and _identity(other) == _identity(result):
            by_seed[other_seed] = other
    if len(by_seed) < 2:
        return None
    scores = tuple(
        SeedScore(seed, other.chosen, other.outcome().title, dict(other.scores), other.key)
        for seed, other in sorted(by_seed.items())
    )
    ranges = {}
    for metric in result.scores:
        values = [score.scores[metric] for score in scores if metric in score.scores]
        if len(values) == len(scores):
            ranges[metric] = SeedRange(min(values), max(values))
    return SeedSummary(scores, ranges)


def _identity(result: TaskResult) -> tuple[object, ...]:
    """Return everything in which a result and its counterparts under other seeds are equal."""
    code = [result.provenance.get(name) for name in ("serab", "classifier_code")]
    data = DataIdentity.of(result)
    return Version.of(result), result.task, data, search_of(result), code
