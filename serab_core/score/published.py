"""Figures that the paper prints, as far as they are known; never mixed with measured ones.

Of table 3 of arXiv:2110.03414 only these are known here, at second hand (reference 3.1): accuracies in percent.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """A row of the paper's table.

    Attributes:
        model: as the paper calls it.
        extractor: the one of ours that is the same model.
        um: the plain mean over the nine tasks, a share.
        tasks: accuracy by task, shares.
    """

    model: str
    extractor: str
    um: float
    tasks: dict[str, float]


PUBLISHED = (
    Published("YAMNet", "yamnet/paper", 0.551, {"iem4": 0.561}),
    Published("openSMILE ComParE 2016", "opensmile", 0.702, {"iem4": 0.621}),
    Published("TRILL layer19", "trill", 0.690, {"iem4": 0.577}),
    Published("BYOL-A 2048", "byol-a/2048", 0.728, {"iem4": 0.628}),
    Published("BYOL-S 2048", "byol-s/2048", 0.751, {}),
)
SOURCE = "arXiv:2110.03414, table 3, at second hand; made with the released protocol, which is optimistic"


def published_for(extractor: str) -> Published | None:
    """What the paper prints for the model that an extractor is, if that is known."""
    return next((row for row in PUBLISHED if row.extractor == extractor), None)
