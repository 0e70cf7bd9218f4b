"""What comes before the network: log-mels, their normalisation, and batches of clips of several lengths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import SERAB, LogMelSpec, log_mels
from serab_plugin_byol.architecture import LEAST_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from serab_core.plugin import Waveform

WASTE = 0.125
"""How much of a batch may be padding."""


def log_mel_spec(window: int) -> LogMelSpec:
    """BYOL's log-mel with a window of so many samples: 400 in SERAB's code, 1024 in BYOL-A's."""
    return SERAB if window == SERAB.window else replace(SERAB, name=f"byol-{window}", window=window)


def lengthened(waveform: Waveform, spec: LogMelSpec) -> Waveform:
    """The waveform, continued with zeros on both sides if it has fewer than eight frames (0.07 s)."""
    lacking = (LEAST_FRAMES - 1) * spec.hop - len(waveform)
    return np.pad(waveform, (lacking // 2, lacking - lacking // 2)) if lacking > 0 else waveform


def statistics(waveforms: Iterable[Waveform], spec: LogMelSpec) -> tuple[float, float]:
    """Means over utterances of the log-mel's mean and of its deviation (ddof 1), as SERAB's published pairs are made.

    Args:
        waveforms: mono float32 at 16 kHz, seen once.
        spec: of the log-mel.

    Raises:
        ValueError: there are none.
    """
    means, deviations = [], []
    for group in _groups(waveforms, 32):
        for mels in log_mels([lengthened(waveform, spec) for waveform in group], spec, threads=None):
            means.append(float(mels.mean(dtype=np.float64)))
            deviations.append(float(mels.std(ddof=1, dtype=np.float64)))
    if not means:
        raise ValueError("there is no training utterance to take the log-mel's statistics of")
    return float(np.mean(means)), float(np.mean(deviations))


def buckets(frames: Sequence[int], most: int) -> Iterator[list[int]]:
    """Clips that share a batch: of similar lengths, so that little is padding.

    Args:
        frames: of each clip.
        most: frames of a batch, padding included; a longer clip has a batch of its own.

    Yields:
        places of clips, longest first.
    """
    order = sorted(range(len(frames)), key=lambda place: -frames[place])
    bucket: list[int] = []
    for place in order:
        if bucket:
            longest, held = frames[bucket[0]], sum(frames[other] for other in bucket) + frames[place]
            room = longest * (len(bucket) + 1)
            if room > most or held < (1.0 - WASTE) * room:
                yield bucket
                bucket = []
        bucket.append(place)
    if bucket:
        yield bucket


def _groups(waveforms: Iterable[Waveform], size: int) -> Iterator[list[Waveform]]:
    group: list[Waveform] = []
    for waveform in waveforms:
        group.append(waveform)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
