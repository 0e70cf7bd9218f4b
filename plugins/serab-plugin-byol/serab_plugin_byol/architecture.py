"""The available network architectures and their sizes. This module does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EncoderName = Literal["audiontt", "cvt"]
Pool = Literal["mean", "mean+max"]
MIN_FRAMES = 8  # frames; three poolings by two leave one step. Shorter clips are padded with silence (BYOL-A).


@dataclass(frozen=True, slots=True)
class Architecture:
    """The architecture of a network.

    Attributes:
        encoder: `audiontt`, BYOL-A's convolutional network (arXiv:2103.06695, section III-C), or `cvt`, BYOL-S's
            convolutional transformer (arXiv:2110.03414, section 3).
        dim: length of the embedding.
        channels: channels of CvT's three stages.
        pool: pooling of CvT: the mean over mel and time, or mean + maximum over time of all mel rows.
    """

    encoder: EncoderName
    dim: int
    channels: tuple[int, int, int] = (0, 0, 0)
    pool: Pool = "mean"


_CVT = {256: ((64, 128, 256), "mean"), 512: ((64, 256, 512), "mean"), 2048: ((64, 256, 512), "mean+max")}
_AUDIONTT = (512, 1024, 2048)
SIZES: dict[str, tuple[int, ...]] = {"audiontt": _AUDIONTT, "cvt": tuple(_CVT)}


def architecture(encoder: str, size: int) -> Architecture:
    """Return the architecture of an encoder with a given embedding length.

    Args:
        encoder: `audiontt` or `cvt`.
        size: length of the embedding.

    Raises:
        ValueError: no such encoder, or no such size.
    """
    if encoder == "audiontt" and size in _AUDIONTT:
        return Architecture("audiontt", size)
    if encoder == "cvt" and size in _CVT:
        channels, pool = _CVT[size]
        return Architecture("cvt", size, channels, pool)  # type: ignore[arg-type]
    known = SIZES.get(encoder)
    if known is None:
        raise ValueError(f"unknown encoder {encoder!r}; use {' or '.join(SIZES)}")
    raise ValueError(f"{encoder} has no size {size}; use one of {', '.join(map(str, known))}")
