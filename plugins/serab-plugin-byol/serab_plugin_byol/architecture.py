"""Which networks there are, in numbers; light, so that it can be read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EncoderName = Literal["audiontt", "cvt"]
Pool = Literal["mean", "mean+max"]
LEAST_FRAMES = 8
"""Three poolings by two leave nothing of less (BYOL-A), so that shorter clips are continued with silence."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A network's size.

    Attributes:
        encoder: `audiontt`, BYOL-A's convolutional network (arXiv:2103.06695, section III-C), or `cvt`, BYOL-S's
            convolutional transformer (arXiv:2110.03414, section 3).
        dim: length of its embedding.
        channels: of CvT's three stages.
        pool: how CvT sums up: the mean over mel and time, or mean + maximum over time of all mel rows.
    """

    encoder: EncoderName
    dim: int
    channels: tuple[int, int, int] = (0, 0, 0)
    pool: Pool = "mean"


_CVT = {256: ((64, 128, 256), "mean"), 512: ((64, 256, 512), "mean"), 2048: ((64, 256, 512), "mean+max")}
_AUDIONTT = (512, 1024, 2048)
SIZES: dict[str, tuple[int, ...]] = {"audiontt": _AUDIONTT, "cvt": tuple(_CVT)}


def architecture(encoder: str, size: int) -> Architecture:
    """The architecture of a size.

    Args:
        encoder: `audiontt` or `cvt`.
        size: length of the embedding.

    Raises:
        ValueError: there is none.
    """
    if encoder == "audiontt" and size in _AUDIONTT:
        return Architecture("audiontt", size)
    if encoder == "cvt" and size in _CVT:
        channels, pool = _CVT[size]
        return Architecture("cvt", size, channels, pool)  # type: ignore[arg-type]
    known = SIZES.get(encoder)
    if known is None:
        raise ValueError(f"no encoder is called {encoder!r}; there are {' and '.join(SIZES)}")
    raise ValueError(f"{encoder} comes in {', '.join(map(str, known))}, not in {size}")
