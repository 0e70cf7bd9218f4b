"""What is stored decodes to the samples that went in, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.audio import lossless
from serab_core.audio.decode import decode
from serab_core.audio.lossless import encode, round_to_24_bits
from serab_core.errors import AudioError

STEP = np.float32(2.0**-23)


def bits(samples: np.ndarray) -> bytes:
    return np.asarray(samples, "<f4").tobytes()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-3, 3, width=32, allow_subnormal=True), min_size=1, max_size=40),
    st.sampled_from([8000, 16000, 44100, 96001, 11025, 700000]),
    st.booleans(),
)
def test_any_samples_come_back(values, rate, whole):
    samples = np.array(values, np.float32)
    if whole:
        samples = round_to_24_bits(np.clip(samples, -1, 1 - STEP))
    content, suffix = encode(samples, rate, "x")
    stored = decode(content, "x")
    assert bits(stored.samples) == bits(samples)
    assert stored.rate == rate
    assert content[:4] == {".flac": b"fLaC", ".wav": b"RIFF"}[suffix]
    if whole and rate not in (96001, 700000):  # FLAC does not know every rate
        assert suffix == ".flac"


@pytest.mark.parametrize(
    ("value", "suffix"),
    [(0.0, ".flac"), (-1.0, ".flac"), (1 - 2.0**-23, ".flac"), (2.0**-23, ".flac"), (1.0, ".wav"), (2.0**-24, ".wav"),
     (-0.0, ".wav"), (1.5, ".wav"), (-4263.0, ".wav"), (1 / 3, ".wav"), (1e-45, ".wav"), (3e38, ".wav")],
)  # fmt: skip
def test_flac_is_used_only_where_24_bits_hold_the_samples(value, suffix):
    assert encode(np.array([0.25, value], np.float32), 16000, "x")[1] == suffix


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=30))
def test_rounding_is_within_half_a_step(values):
    samples = np.array(values, np.float32)
    assert np.abs(round_to_24_bits(samples) - samples.astype(np.float64)).max() <= 2.0**-24
    assert bits(round_to_24_bits(round_to_24_bits(samples))) == bits(round_to_24_bits(samples))


def test_peaks_above_1_are_not_rounded():
    samples = np.array([1.25, 1 / 3], np.float32)
    assert bits(round_to_24_bits(samples)) == bits(samples)


def test_a_file_that_decodes_to_other_samples_is_an_error(monkeypatch):
    write = soundfile.write
    monkeypatch.setattr(
        lossless.soundfile, "write", lambda target, data, *rest, **kinds: write(target, data // 2, *rest, **kinds)
    )
    with pytest.raises(AudioError, match="not stored without loss: the FLAC file decodes to other samples") as caught:
        encode(np.array([0.5, 0.25], np.float32), 16000, "a.wav")
    assert caught.value.where == "a.wav"
