"""Sensitivity of embeddings to the recording level and the bandwidth. It is reported only, because it is no fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.audio.resample import resample

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.types import Embeddings, Waveform

NARROW_HZ = 8000  # Hz; the sampling rate of telephone speech, to which clips are resampled and back


def sensitivity(embed: Callable[..., Embeddings], clips: list[Waveform], rate: int) -> str:
    """Return a sentence on how much embeddings change with half the amplitude, and with a lower bandwidth.

    Args:
        embed: embeds its arguments, which are clips.
        clips: at least two clips.
        rate: sampling rate of the clips, in Hz.

    Returns:
        a sentence; changes are in percent of the mean distance between the embeddings of two clips.
    """
    plain = embed(*clips).astype(np.float64)
    distance = float(np.mean([np.linalg.norm(a - b) for i, a in enumerate(plain) for b in plain[:i]]))
    narrow = min(NARROW_HZ, rate // 2)
    quieter = embed(*(np.float32(0.5) * clip for clip in clips))
    narrower = embed(*(_through(clip, rate, narrow) for clip in clips))
    if distance == 0.0:
        return "every clip has the same embedding"
    gain, bandwidth = (
        float(np.mean(np.linalg.norm(plain - other, axis=1))) / distance for other in (quieter, narrower)
    )
    return (
        f"6 dB less changes an embedding by {100 * gain:.0f} % of the distance between two clips, "
        f"resampling to {narrow / 1000:g} kHz by {100 * bandwidth:.0f} %"
    )


def _through(clip: Waveform, rate: int, narrow: int) -> Waveform:
    """Resample a clip to a lower rate and back."""
    back = resample(resample(clip, rate, narrow), narrow, rate)[: len(clip)]
    return np.pad(back, (0, len(clip) - len(back)))
