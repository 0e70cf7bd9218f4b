"""The paper's split rule, the description of its splits, and the check that no speaker is in two splits."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.types import SPLITS, Split

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SEED = 0  # of NumPy's legacy generator, as in the released code
SUITE: tuple[str, ...] = ("aesdd", "cafe", "crema_d", "emodb", "emovo", "iem4", "ravdess", "savee", "shemo")
"""SERAB's nine tasks (arXiv:2110.03414, section 2)."""


def draw_groups(groups: Iterable[str], ratios: Sequence[float] = (0.6, 0.2, 0.2), seed: int = SEED) -> dict[str, Split]:
    """Assign each group to a split, as the released code does.

    The distinct ids are sorted as strings and shuffled by NumPy's legacy generator; the splits end at the integer part
    of the running sum of `ratios`, in binary floating point, times the number of groups.

    Args:
        groups: group ids, with or without repeats.
        ratios: fractions of the groups for train, validation and test.
        seed: seed of the generator; the released code has 0.

    Returns:
        the split of every group.
    """
    order = sorted(set(groups))
    np.random.RandomState(seed).shuffle(order)  # shuffles the list in place; an array would give the same order
    assigned: dict[str, Split] = {}
    cumulative_ratio, start = 0.0, 0
    for position, (split, ratio) in enumerate(zip(SPLITS, ratios, strict=True)):
        cumulative_ratio += ratio
        end = len(order) if position == len(SPLITS) - 1 else int(cumulative_ratio * len(order))
        assigned.update(dict.fromkeys(order[start:end], split))
        start = end
    return assigned


def describe_splits(name: str, variant: Mapping[str, Any], index: Mapping[str, Any]) -> str:
    """Return a phrase that says how the splits of this task were drawn.

    Args:
        name: the dataset.
        variant: the split variant, as the index of the prepared corpus describes it.
        index: that index.
    """
    first = index["variants"][0]["name"]
    if variant.get("own_splits"):
        return "the corpus's own splits"
    if variant["name"] != first:
        released = variant["name"] == index["released_variant"]
        return "the released code's splits" if released else f"those of the split variant {variant['name']}"
    if name not in SUITE:
        return "drawn by the paper's rule, over speakers"
    if index["released_variant"] != first:
        return "drawn by the paper's rule over true speakers, where the released code took others"
    return "the paper's splits on true speakers" + (", as far as the partial copy has them" if index["partial"] else "")


def crossing_speakers(speakers: Mapping[str, str], splits: Mapping[str, Split]) -> dict[str, tuple[Split, ...]]:
    """Return the speakers whose utterances are in more than one split.

    Args:
        speakers: the true speaker by utterance id.
        splits: the split by utterance id; utterances without a split are absent.

    Returns:
        the splits of each such speaker; empty if the splits are speaker-disjoint.
    """
    seen: dict[str, set[Split]] = defaultdict(set)
    for utterance, split in splits.items():
        seen[speakers[utterance]].add(split)
    return {
        speaker: tuple(s for s in SPLITS if s in speaker_splits)
        for speaker, speaker_splits in sorted(seen.items())
        if len(speaker_splits) > 1
    }
