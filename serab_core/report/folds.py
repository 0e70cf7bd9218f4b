"""Folds in leaderboards and reports: the spread of their scores, and the score on the one split of another protocol."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.score.folds import fold_summary
from serab_core.store.identity import DataIdentity, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serab_core.types import ProtocolSpec, TaskResult

OneSplit = dict[tuple[Version, str, str], "TaskResult"]
"""Results on one split, by version of the extractor, task and digest of the audio."""


def protocol_with_one_split(protocol: ProtocolSpec) -> str:
    """Return the name of the protocol with one split that normalises features as a protocol with folds does."""
    return "serab" if protocol.normalisation == "speaker" else "strict"


def one_split_results(results: Iterable[TaskResult], protocol: ProtocolSpec) -> OneSplit:
    """Return the results under the protocol with one split that a protocol with folds is compared to; {} without folds.

    Args:
        results: results of any protocol; of equal ones the last is used.
        protocol: the protocol of the leaderboard.
    """
    if not protocol.has_folds:
        return {}
    name = protocol_with_one_split(protocol)
    return {
        (Version.of(result), result.task, DataIdentity.of(result).audio_digest): result
        for result in results
        if result.protocol == name
    }


def one_split_score(one_split: Mapping[Any, TaskResult], result: TaskResult, metric: str) -> float | None:
    """Return the score of the same extractor version on the same audio with one split; None if there is none."""
    other = one_split.get((Version.of(result), result.task, DataIdentity.of(result).audio_digest))
    return None if other is None else other.scores.get(metric)


def folds_document(result: TaskResult, metric: str, one_split: Mapping[Any, TaskResult]) -> dict[str, Any]:
    """Return the folds of a cell as JSON: the scores of each fold, their spread, and the score with one split."""
    if not result.folds:
        return {}
    return {
        "folds": {fold.name: dict(fold.scores) for fold in result.folds},
        "over_folds": {
            name: asdict(summary) for name in result.scores if (summary := fold_summary(result, name)) is not None
        },
        "one_split": one_split_score(one_split, result, metric),
    }
