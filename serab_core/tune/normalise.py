"""Embeddings to features: per speaker within each split, or by the training split alone (reference section 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import Embeddings, Features, Split


def statistics(X: Features) -> tuple[Features, Features]:
    """Mean and deviation of each feature, both of shape (dim,).

    The deviation is the population's (ddof 0), taken after centring; that of a feature which does not vary is 1.
    """
    mean: Features = X.mean(axis=0)
    deviation: Features = (X - mean).std(axis=0)
    # Constant columns: rounding in the mean leaves a deviation of a few ulps, which must not be blown up to 1.
    deviation[deviation <= 10 * np.finfo(np.float64).eps * np.abs(mean)] = 1.0
    return mean, deviation


def standardise(X: Features, reference: Features | None = None) -> Features:
    """(X - mean) / deviation, the statistics taken from `reference` or from X itself."""
    mean, deviation = statistics(X if reference is None else reference)
    result: Features = (X - mean) / deviation
    return result


def per_speaker(embeddings: Embeddings, groups: Sequence[str], splits: Sequence[Split]) -> Features:
    """Standardises each group's utterances by that group's own statistics, split by split.

    Validation and test speakers are normalised by their own unlabelled utterances: transductive.

    Args:
        embeddings: float32, shape (n, dim).
        groups: whose statistics each row takes, length n.
        splits: the split of each row, length n.

    Returns:
        float64, shape (n, dim).
    """
    features = embeddings.astype(np.float64)
    members: dict[tuple[str, str], list[int]] = {}
    for row, member in enumerate(zip(splits, groups, strict=True)):
        members.setdefault(member, []).append(row)
    for rows in members.values():
        features[rows] = standardise(features[rows])
    return features


def by_training_split(embeddings: Embeddings, splits: Sequence[Split]) -> Features:
    """Standardises every utterance by the mean and deviation of the training split.

    Args:
        embeddings: float32, shape (n, dim).
        splits: the split of each row, length n.

    Returns:
        float64, shape (n, dim).
    """
    features = embeddings.astype(np.float64)
    return standardise(features, features[np.asarray(splits) == "train"])
