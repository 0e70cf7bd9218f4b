"""Normalises embeddings to features: per speaker within each split, or with the statistics of the training split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import Embeddings, Features, Split


def statistics(X: Features) -> tuple[Features, Features]:
    """Return the mean and the standard deviation of each feature, both of shape (dim,).

    The deviation is that of the population (ddof 0), computed after centring; a constant feature has a deviation of 1.
    """
    mean: Features = X.mean(axis=0)
    deviation: Features = (X - mean).std(axis=0)
    # In constant columns, rounding of the mean leaves a deviation of a few ulps, which must not be scaled up to 1.
    deviation[deviation <= 10 * np.finfo(np.float64).eps * np.abs(mean)] = 1.0
    return mean, deviation


def standardise(X: Features, reference: Features | None = None) -> Features:
    """Return (X - mean) / deviation, with the statistics of `reference`, or of X by default."""
    mean, deviation = statistics(X if reference is None else reference)
    result: Features = (X - mean) / deviation
    return result


def per_speaker(embeddings: Embeddings, groups: Sequence[str], splits: Sequence[Split]) -> Features:
    """Standardise the utterances of each group with the statistics of that group in the same split.

    Validation and test speakers are normalised with their own unlabelled utterances, so this is transductive.

    Args:
        embeddings: float32, shape (n, dim).
        groups: the group of each row, usually its speaker, length n.
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
    """Standardise every utterance with the mean and deviation of the training split.

    Args:
        embeddings: float32, shape (n, dim).
        splits: the split of each row, length n.

    Returns:
        float64, shape (n, dim).
    """
    features = embeddings.astype(np.float64)
    return standardise(features, features[np.asarray(splits) == "train"])
