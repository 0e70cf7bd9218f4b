"""The log-mel against stored values of torchaudio, and at its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serab_core.audio.logmel import SERAB, log_mel

# From the golden folder's README: empty bands of these lie at float32's noise floor.
LOOSE = {"sweep": 5e-3, "short": 5e-3, "silence": 1e-6}


@pytest.mark.parametrize("window", [400, 1024])
def test_golden(shared, window):
    golden = np.load(shared / "golden" / "golden.npz")
    spec = replace(SERAB, window=window)
    clips = [key.removeprefix("wave/") for key in golden if key.startswith("wave/")]
    assert len(clips) == 9
    for clip in clips:
        expected = golden[f"logmel_win{window}/{clip}"]
        ours = log_mel(golden[f"wave/{clip}"], spec)
        assert ours.shape == expected.shape
        tolerance = next((value for word, value in LOOSE.items() if word in clip), 3e-4)
        if len(golden[f"wave/{clip}"]) < 8000:
            tolerance = 5e-3
        assert np.abs(ours - expected).max() <= tolerance, clip


def test_shapes():
    assert log_mel(np.zeros(15200, np.float32)).shape == (64, 96)
    assert log_mel(np.ones(1, np.float32)).shape == (64, 1)
    assert np.isfinite(log_mel(np.ones(513, np.float32))).all()
    np.testing.assert_allclose(log_mel(np.zeros(1600, np.float32)), np.log(np.finfo(np.float32).eps))


@pytest.mark.parametrize("bad", [np.zeros((2, 3), np.float32), np.zeros(0, np.float32)])
def test_what_is_no_waveform(bad):
    with pytest.raises(ValueError, match="1-D and not empty"):
        log_mel(bad)
