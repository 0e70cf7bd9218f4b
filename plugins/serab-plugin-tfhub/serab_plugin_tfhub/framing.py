"""Framings: how a waveform is padded and cut for a model."""

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

PATCH_SAMPLES = 15_600  # samples of a patch of 96 frames of 25 ms every 10 ms: 0.975 s


def centred(waveform: Waveform) -> NDArray[np.float32]:
    """Return the whole waveform, shape (1, n). One under 1 s is centred in silence."""
    return fill_up(waveform, VGGISH_PATCHES, VGGISH)[None]


def drawn(waveform: Waveform) -> NDArray[np.float32]:
    """Return the whole waveform. One under 1 s is put at a random position in silence, as in SERAB's released code.

    The seed is computed from the samples, so the position is the same in every run and batch.
    """
    missing = VGGISH_PATCHES.least - len(waveform)
    if missing <= 0:
        return waveform[None]
    seed = int.from_bytes(hashlib.sha256(waveform.tobytes()).digest()[:8], "little")
    before = int(np.random.default_rng(seed).integers(missing + 1))
    return np.pad(waveform, (before, missing - before))[None]


def whole(waveform: Waveform) -> NDArray[np.float32]:
    """Return the whole waveform, shape (1, n). The published model cuts it into frames itself."""
    return waveform[None]


def windows(waveform: Waveform) -> NDArray[np.float32]:
    """Return windows with consecutive patches of 0.96 s, shape (k, 15600). The remainder is dropped.

    A waveform under 1 s is centred in silence.
    """
    return _cut(fill_up(waveform, VGGISH_PATCHES, VGGISH), VGGISH_PATCHES)


def overlapping(waveform: Waveform) -> NDArray[np.float32]:
    """Return windows with a patch of 0.96 s every 0.48 s, shape (k, 15600), padded with silence, as YAMNet does."""
    return _cut(fill_up(waveform, YAMNET_PATCHES, VGGISH), YAMNET_PATCHES)


def _cut(filled: NDArray[np.float32], patches: PatchSpec) -> NDArray[np.float32]:
    views = np.lib.stride_tricks.sliding_window_view(filled, PATCH_SAMPLES)
    return np.ascontiguousarray(views[:: patches.hop * VGGISH.hop])


FRAMINGS: dict[str, Framing] = {"centred": centred, "drawn": drawn, "whole": whole, "windows": windows}
