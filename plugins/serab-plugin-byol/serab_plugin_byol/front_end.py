"""The front end of the networks: log-mels, their normalisation, and batches of clips of several lengths."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import SERAB, LogMelSpec, log_mels
from serab_plugin_byol.architecture import MIN_FRAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from serab_core.plugin import Waveform

MAX_PADDING = 0.125  # fraction of a batch that may be padding


def log_mel_spec(window: int) -> LogMelSpec:
    """Return BYOL's log-mel specification with a window in samples: 400 in SERAB's code, 1024 in BYOL-A's."""
    return SERAB if window == SERAB.window else replace(SERAB, name=f"byol-{window}", window=window)


def lengthened(waveform: Waveform, spec: LogMelSpec) -> Waveform:
    """Return the waveform, padded with zeros on both sides if it has fewer than eight frames (0.07 s)."""
    lacking = (MIN_FRAMES - 1) * spec.hop - len(waveform)
    return np.pad(waveform, (lacking // 2, lacking - lacking // 2)) if lacking > 0 else waveform


def statistics(waveforms: Iterable[Waveform], spec: LogMelSpec) -> tuple[float, float]:
    """Return the log-mel's mean and deviation (ddof 1), each averaged over utterances, as SERAB's authors do.

    Args:
        waveforms: mono float32 at 16 kHz; iterated once.
        spec: specification of the log-mel.

    Raises:
        ValueError: there are no waveforms.
    """
    means, deviations = [], []
    for group in _groups(waveforms, 32):
        for mels in log_mels([lengthened(waveform, spec) for waveform in group], spec, threads=None):
            means.append(float(mels.mean(dtype=np.float64)))
            deviations.append(float(mels.std(ddof=1, dtype=np.float64)))
    if not means:
        raise ValueError("the training split has no utterance to compute log-mel statistics from")
    return float(np.mean(means)), float(np.mean(deviations))


def buckets(frames: Sequence[int], most: int) -> Iterator[list[int]]:
    """Group clips of similar lengths into batches, so that little of a batch is padding.

    Args:
        frames: frames of each clip.
        most: maximum number of frames in a batch, including padding; a longer clip has a batch of its own.

    Yields:
        indices of the clips of a batch, longest first.
    """
    order = sorted(range(len(frames)), key=lambda place: -frames[place])
    bucket: list[int] = []
    for place in order:
        if bucket:
            longest, held = frames[bucket[0]], sum(frames[other] for other in bucket) + frames[place]
            room = longest * (len(bucket) + 1)
            if room > most or held < (1.0 - MAX_PADDING) * room:
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
