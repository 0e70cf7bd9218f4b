"""The compiled log-mel against stored values of other programs, against float64, and at its edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.audio.mel import BYOL_A, NAMED, SERAB, VGGISH, YAMNET, LogMelSpec, log_mel, log_mels
from serab_core.audio.mel.reference import reference_log_mel
from serab_core.audio.mel.spec import bank, empty_bands
from serab_core.errors import AudioError, UsageError

STORED = {"logmel_win400": SERAB, "logmel_win1024": BYOL_A, "vggish_logmel": VGGISH, "yamnet_logmel": YAMNET}


def noise(length: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(length) * 0.1).astype(np.float32)


@pytest.fixture(scope="module")
def golden(shared):
    return np.load(shared / "golden" / "golden.npz")


@pytest.mark.parametrize("stored", STORED)
def test_golden(golden, stored):
    clips = [key.removeprefix("wave/") for key in golden if key.startswith("wave/")]
    assert len(clips) == 9
    for clip in clips:
        expected = golden[f"{stored}/{clip}"]
        ours = log_mel(golden[f"wave/{clip}"], STORED[stored])
        assert ours.shape == expected.shape
        assert ours.dtype == np.float32
        # From the golden folder's README: empty bands of the sweep and the short clip lie at float32's noise floor.
        tolerance = 1e-6 if "silence" in clip else 5e-3 if clip.split("_")[0] in ("sweep", "short") else 3e-4
        assert np.abs(ours - expected).max() <= tolerance, clip


@pytest.mark.parametrize("stored", ["logmel_win400", "logmel_win1024"])
def test_no_further_from_float64_than_torchaudio(golden, stored):
    largest = []
    for clip in [key.removeprefix("wave/") for key in golden if key.startswith("wave/")]:
        exact = reference_log_mel(golden[f"wave/{clip}"], STORED[stored])
        ours = np.abs(log_mel(golden[f"wave/{clip}"], STORED[stored]) - exact)
        theirs = np.abs(golden[f"{stored}/{clip}"] - exact)
        assert np.sqrt((ours**2).mean()) <= np.sqrt((theirs**2).mean()), clip
        largest.append((ours.max(), theirs.max()))
    assert max(ours for ours, _ in largest) <= max(theirs for _, theirs in largest)


@pytest.mark.parametrize("spec", NAMED.values(), ids=lambda s: s.name)
@pytest.mark.parametrize("length", [1, 399, 400, 559, 560, 1000, 1025, 4800, 15_200, 48_000, 200_000])
def test_any_length(spec, length):
    samples = noise(length)
    exact = reference_log_mel(samples, spec)
    ours = log_mel(samples, spec)
    assert ours.shape == exact.shape == spec.shape(length)
    np.testing.assert_allclose(ours, exact, atol=2e-5)


@st.composite
def specs(draw) -> LogMelSpec:
    n_fft = draw(st.sampled_from([256, 512, 1024, 2048, 4096]))
    low = draw(st.floats(0, 3000))
    return LogMelSpec(
        "drawn",
        n_fft=n_fft,
        window=draw(st.integers(1, n_fft)),
        hop=draw(st.integers(1, 700)),
        centred=draw(st.booleans()),
        n_mels=draw(st.integers(1, 130)),
        f_min=low,
        f_max=draw(st.floats(low + 50, 8000)),
        triangles=draw(st.sampled_from(["hertz", "mel"])),
        magnitude=draw(st.booleans()),
        floor=draw(st.sampled_from([1e-7, 1e-3, 1.0])),
        clamped=draw(st.booleans()),
        mels_first=draw(st.booleans()),
    )


@settings(deadline=None, max_examples=150)
@given(specs(), st.integers(1, 9000))
def test_any_specification(spec, length):
    samples = noise(length, seed=length)
    exact = reference_log_mel(samples, spec)
    ours = log_mel(samples, spec)
    assert ours.shape == exact.shape
    # Where one band holds almost nothing, float32's rounding of the others shows: hold the bands themselves, too.
    loud = np.exp(exact.max()) if exact.size else 1.0
    np.testing.assert_allclose(np.exp(ours.astype(np.float64)), np.exp(exact), rtol=1e-4, atol=2e-6 * loud)


@pytest.mark.parametrize("spec", NAMED.values(), ids=lambda s: s.name)
def test_the_same_bits_for_any_number_of_threads_batch_and_order(spec, monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", "3")
    clips = [noise(length, length) for length in (48_000, 300, 16_000, 15_200, 200_001, 1, 7777, 5000, 61_000, 900)]
    alone = [log_mel(clip, spec) for clip in clips]
    for threads in (1, 2, 3, None):
        for given_clips, expected in ((clips, alone), (clips[::-1], alone[::-1])):
            together = log_mels(given_clips, spec, threads=threads)
            assert all(np.array_equal(a, b) for a, b in zip(together, expected, strict=True))


def test_silence_is_the_floor_and_rate_of_change_is_none():
    assert np.array_equal(np.unique(log_mel(np.zeros(16_000, np.float32))), [np.float32(np.log(SERAB.floor))])
    for spec in (replace(SERAB, clamped=True), VGGISH):
        np.testing.assert_allclose(log_mel(np.zeros(16_000, np.float32), spec), np.log(spec.floor), rtol=2e-7)


@pytest.mark.parametrize("n", range(-20, 28))
def test_the_logarithm_over_all_exponents(n):
    amplitude = np.float32(10.0) ** np.float32(n / 2)  # powers from 1e-20 to 1e28
    spec = replace(SERAB, floor=float(np.finfo(np.float32).tiny))
    samples = noise(4000) * amplitude
    np.testing.assert_allclose(log_mel(samples, spec), reference_log_mel(samples, spec), rtol=3e-6, atol=3e-5)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((2, 3), np.float32), r"waveform 0: has shape \(2, 3\)"),
        (np.zeros(0, np.float32), r"waveform 0: has shape \(0,\)"),
        (np.zeros(100, np.int16), "samples of type int16"),
        (np.array([0.0, 1.0, np.nan, np.inf] * 300, np.float32), "600 samples that are not finite, the first at 2"),
        (np.full(4000, -np.inf, np.float32), "first at 0"),
        (noise(4000) * np.float32(1e20), "so loud"),
    ],
)
def test_unusable_waveforms_are_refused(bad, message):
    with pytest.raises(AudioError, match=message):
        log_mel(bad)


def test_the_unusable_waveform_of_several_is_named():
    clips = [noise(5000) for _ in range(9)]
    clips[6][4321] = np.nan
    with pytest.raises(AudioError, match="waveform 6: has 1 samples .* first at 4321"):
        log_mels(clips, threads=2)
    assert log_mels([]) == []


def test_other_floats_strides_and_untouched_input():
    samples = noise(9000)
    before = samples.copy()
    expected = log_mel(samples[::2].copy())
    assert np.array_equal(log_mel(samples[::2]), expected)
    assert np.array_equal(log_mel(samples[::2].astype(np.float64)), expected)
    assert np.array_equal(samples, before)
    read_only = samples[::2].copy()
    read_only.flags.writeable = False
    assert np.array_equal(log_mel(read_only), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_fft": 1000}, "powers of two from 256 to 4096"),
        ({"n_fft": 8192}, "powers of two"),
        ({"window": 0}, "window must have"),
        ({"window": 1025}, "window must have"),
        ({"hop": 0}, "at least 1"),
        ({"f_min": 8000.0}, "band limits"),
        ({"f_max": 8001.0}, "band limits"),
        ({"floor": 0.0}, "floor must be"),
    ],
)
def test_impossible_specifications_are_refused(change, message):
    with pytest.raises(UsageError, match=message):
        log_mel(noise(4000), replace(SERAB, **change))
    with pytest.raises(UsageError, match="threads is 0"):
        log_mels([noise(100)], threads=0)


def test_empty_bands_are_known_and_at_the_floor():
    narrow = replace(SERAB, n_mels=200, n_fft=512)
    empty = empty_bands(narrow)
    assert empty
    assert not empty_bands(SERAB)
    assert (log_mel(noise(8000), narrow)[list(empty)] == np.float32(np.log(narrow.floor))).all()


def test_the_bank_is_torchaudios_and_tensorflows():
    torchaudio = pytest.importorskip("torchaudio")
    theirs = torchaudio.functional.melscale_fbanks(513, 60.0, 7800.0, 64, 16_000)
    np.testing.assert_allclose(bank(SERAB), theirs.numpy(), atol=1e-5)
    assert bank(VGGISH)[0].sum() == 0.0
    assert (bank(VGGISH).max(axis=0) <= 1.0).all()
