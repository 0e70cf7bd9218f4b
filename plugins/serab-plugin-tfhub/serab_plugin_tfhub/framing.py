"""What of a waveform a model gets at a time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import VGGISH, VGGISH_PATCHES, YAMNET_PATCHES, PatchSpec, fill_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from serab_core.plugin import Waveform

    Framing = Callable[[Waveform], NDArray[np.float32]]

PATCH_SAMPLES = 15_600
"""What 96 frames of 25 ms, 10 ms apart, reach over: 0.975 s."""


def centred(waveform: Waveform) -> NDArray[np.float32]:
    """The whole waveform, shape (1, n); under 1 s with silence on both sides alike."""
    return fill_up(waveform, VGGISH_PATCHES, VGGISH)[None]


def drawn(waveform: Waveform) -> NDArray[np.float32]:
    """The whole waveform; under 1 s with silence around it, its place drawn at random as SERAB's released code does.

    The draw's seed is made of the samples, so that it is the same in every run and batch.
    """
    missing = VGGISH_PATCHES.least - len(waveform)
    if missing <= 0:
        return waveform[None]
    seed = int.from_bytes(hashlib.sha256(waveform.tobytes()).digest()[:8], "little")
    before = int(np.random.default_rng(seed).integers(missing + 1))
    return np.pad(waveform, (before, missing - before))[None]


def whole(waveform: Waveform) -> NDArray[np.float32]:
    """The whole waveform, shape (1, n); the model frames it as it was published to."""
    return waveform[None]


def windows(waveform: Waveform) -> NDArray[np.float32]:
    """Windows whose 0.96 s patches lie one behind the other, shape (k, 15600); what is left over is dropped.

    A waveform under 1 s has silence on both sides.
    """
    return _cut(fill_up(waveform, VGGISH_PATCHES, VGGISH), VGGISH_PATCHES)


def overlapping(waveform: Waveform) -> NDArray[np.float32]:
    """Windows of a 0.96 s patch every 0.48 s, shape (k, 15600), silence behind the last: what YAMNet cuts itself."""
    return _cut(fill_up(waveform, YAMNET_PATCHES, VGGISH), YAMNET_PATCHES)


def _cut(filled: NDArray[np.float32], patches: PatchSpec) -> NDArray[np.float32]:
    views = np.lib.stride_tricks.sliding_window_view(filled, PATCH_SAMPLES)
    return np.ascontiguousarray(views[:: patches.hop * VGGISH.hop])


FRAMINGS: dict[str, Framing] = {"centred": centred, "drawn": drawn, "whole": whole, "windows": windows}
