"""Patches of log-mels: their number at the limits, and their content."""

from __future__ import annotations

import numpy as np
import pytest

from serab_core.audio.mel import SERAB, VGGISH, YAMNET, PatchSpec, log_mel, log_mel_patches
from serab_core.audio.mel.patches import VGGISH_PATCHES, YAMNET_PATCHES, fill_up
from serab_core.errors import AudioError, UsageError


def noise(length: int) -> np.ndarray:
    return (np.random.default_rng(length).standard_normal(length) * 0.1).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "count"), [(1, 1), (15_600, 1), (16_000, 1), (30_959, 1), (30_960, 2), (48_000, 3), (160_000, 10)]
)
def test_vggish_drops_the_remaining_frames(samples, count):
    patches = log_mel_patches(noise(samples), VGGISH, VGGISH_PATCHES)
    assert patches.shape == (count, 96, 64)


@pytest.mark.parametrize(
    ("samples", "count"), [(1, 1), (15_600, 1), (15_601, 2), (23_280, 2), (23_281, 3), (48_000, 6), (160_000, 20)]
)
def test_yamnet_continues_to_whole_patches(samples, count):
    # As in YAMNet's documentation: frames of 0.96 s every 0.48 s, at least 0.975 s of samples.
    patches = log_mel_patches(noise(samples), YAMNET, YAMNET_PATCHES)
    assert patches.shape == (count, 96, 64)


def test_patches_are_pieces_of_the_log_mel():
    samples = noise(60_000)
    mels = log_mel(samples, VGGISH)
    patches = log_mel_patches(samples, VGGISH, VGGISH_PATCHES)
    assert np.array_equal(patches.reshape(-1, 64), mels[: len(patches) * 96])
    filled = fill_up(samples, YAMNET_PATCHES, YAMNET)
    overlapping = log_mel_patches(samples, YAMNET, YAMNET_PATCHES)
    for number, patch in enumerate(overlapping):
        assert np.array_equal(patch, log_mel(filled, YAMNET)[48 * number : 48 * number + 96])


def test_short_clips_lie_in_the_middle_or_at_the_start():
    ones = np.ones(5, np.float32)
    assert np.flatnonzero(fill_up(ones, PatchSpec(least=10, fill="both"), VGGISH)).tolist() == [2, 3, 4, 5, 6]
    assert np.flatnonzero(fill_up(ones, PatchSpec(least=10), VGGISH)).tolist() == [0, 1, 2, 3, 4]
    assert len(log_mel_patches(noise(15_599), VGGISH, PatchSpec())) == 0


def test_impossible_patches_are_refused():
    with pytest.raises(UsageError, match="has frames beyond its ends"):
        log_mel_patches(noise(16_000), SERAB, VGGISH_PATCHES)
    with pytest.raises(UsageError, match="0 frames"):
        PatchSpec(frames=0)
    with pytest.raises(AudioError, match="shape"):
        log_mel_patches(np.zeros((2, 2), np.float32), VGGISH, VGGISH_PATCHES)
