"""Folds in leaderboards and reports: the spread of their scores, and the score on the one split of another protocol."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.data.protocols import find_protocol, with_seed
from serab_core.score.folds import fold_summaries
from serab_core.store.identity import DataIdentity, Version
from serab_core.store.results import search_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serab_core.types import ProtocolSpec, TaskResult

OneSplit = dict[tuple[Any, ...], "TaskResult"]
"""Results on one split, by everything in which they and their counterparts with folds are equal."""


def protocol_with_one_split(protocol: ProtocolSpec) -> str:
    """Return the name of the protocol with one split, and with the normalisation and seed of a protocol with folds."""
    name = "serab" if protocol.normalisation == "speaker" else "strict"
    return with_seed(find_protocol(name), protocol.seed).name


def one_split_results(results: Iterable[TaskResult], protocol: ProtocolSpec) -> OneSplit:
    """Return the results under the protocol with one split that a protocol with folds is compared to; {} without folds.

    Args:
        results: results of any protocol; of equal ones the last is used.
        protocol: the protocol of the leaderboard.
    """
    if not protocol.has_folds:
        return {}
    name = protocol_with_one_split(protocol)
    return {_identity(result): result for result in results if result.protocol == name}


def one_split_score(one_split: Mapping[Any, TaskResult], result: TaskResult, metric: str) -> float | None:
    """Return the score with one split: of the same extractor version, audio and search; None if there is none."""
    other = one_split.get(_identity(result))
    return None if other is None else other.scores.get(metric)


def _identity(result: TaskResult) -> tuple[Any, ...]:
    return Version.of(result), result.task, DataIdentity.of(result).audio_digest, search_of(result)


def folds_document(result: TaskResult, metric: str, one_split: Mapping[Any, TaskResult]) -> dict[str, Any]:
    """Return the folds of a cell as JSON: the scores of each fold, their spread, and the score with one split."""
    if not result.folds:
        return {}
    return {
        "folds": {fold.name: dict(fold.scores) for fold in result.folds},
        "over_folds": {name: asdict(summary) for name, summary in fold_summaries(result).items()},
        "one_split": one_split_score(one_split, result, metric),
    }
