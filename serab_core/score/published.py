"""Figures that the SERAB paper prints; they are never mixed with measured figures.

They come from table 3 of arXiv:2110.03414, quoted from a secondary source, and are not complete.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """A row of the paper's table.

    Attributes:
        model: the name in the paper.
        extractor: the serab extractor of the same model.
        um: the plain mean of accuracy over the nine tasks, in [0, 1].
        tasks: accuracy by task, in [0, 1].
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
    """Return the paper's figures for an extractor's model; None if they are not known."""
    return next((row for row in PUBLISHED if row.extractor == extractor), None)
