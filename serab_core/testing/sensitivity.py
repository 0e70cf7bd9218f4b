"""How far an embedding moves with the recording level and the bandwidth. Reported, for it is no fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.audio.resample import resample

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.types import Embeddings, Waveform

NARROW_HZ = 8000
"""The rate of a telephone, through which clips are sent."""


def sensitivity(embed: Callable[..., Embeddings], clips: list[Waveform], rate: int) -> str:
    """Say how far half the amplitude, and a lower rate on the way, move embeddings, as shares of a distance.

    Args:
        embed: embeds the clips that it is called with.
        clips: at least two.
        rate: of the clips, in Hz.

    Returns:
        a sentence; shares are of the mean distance between the embeddings of two clips.
    """
    plain = embed(*clips).astype(np.float64)
    apart = float(np.mean([np.linalg.norm(a - b) for i, a in enumerate(plain) for b in plain[:i]]))
    narrow = min(NARROW_HZ, rate // 2)
    quieter = embed(*(np.float32(0.5) * clip for clip in clips))
    narrower = embed(*(_through(clip, rate, narrow) for clip in clips))
    if apart == 0.0:
        return "every clip has the same embedding"
    gain, bandwidth = (float(np.mean(np.linalg.norm(plain - other, axis=1))) / apart for other in (quieter, narrower))
    return (
        f"6 dB less moves an embedding by {100 * gain:.0f} % of the distance between two clips, "
        f"a pass through {narrow / 1000:g} kHz by {100 * bandwidth:.0f} %"
    )


def _through(clip: Waveform, rate: int, narrow: int) -> Waveform:
    """The clip at its own rate again, after another one."""
    back = resample(resample(clip, rate, narrow), narrow, rate)[: len(clip)]
    return np.pad(back, (0, len(clip) - len(back)))
