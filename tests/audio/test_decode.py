"""Decoding: every container the same samples, every fault a sentence that names the file."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from serab_core.audio.decode import decode
from serab_core.audio.resample import resample
from serab_core.data.integrity import MAX_PLAUSIBLE_PEAK
from serab_core.errors import AudioError


def encoded(samples, rate=16000, **options) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **{"format": "WAV", "subtype": "PCM_16", **options})
    return buffer.getvalue()


TONE = (0.5 * np.sin(np.arange(4000) / 9)).astype(np.float32)


def test_containers_of_the_same_samples_have_one_sha256():
    samples = (TONE * 32767).astype(np.int16)
    wav = decode(encoded(samples), "a.wav")
    flac = decode(encoded(samples, format="FLAC"), "a.flac")
    assert wav.sha256 == flac.sha256
    assert wav.sha256 != decode(encoded(samples, 8000), "b.wav").sha256
    assert (wav.rate, wav.channels, wav.duration) == (16000, 1, 0.25)
    assert wav.samples.dtype == np.float32


def test_integers_are_divided_by_their_full_scale():
    samples = np.array([-32768, 16384, 0], np.int16)
    assert decode(encoded(samples), "x").samples.tolist() == [-1.0, 0.5, 0.0]


def test_channels_are_averaged():
    both = np.stack([TONE, -TONE / 2], axis=1)
    mono = decode(encoded(both, subtype="FLOAT"), "x")
    assert mono.channels == 2
    np.testing.assert_allclose(mono.samples, TONE / 4, atol=1e-7)
    twice = decode(encoded(np.stack([TONE, TONE], axis=1)), "x")
    assert twice.sha256 == decode(encoded(TONE), "y").sha256


def test_faults_are_named(tmp_path):
    nan = TONE.copy()
    nan[1600] = np.nan
    cases = {
        "is empty": encoded(TONE[:0]),
        "is not audio that can be decoded": b"RIFF nonsense",
        "not a number (NaN or infinite), the first at 0.100 s": encoded(nan, subtype="FLOAT"),
    }
    for reason, content in cases.items():
        with pytest.raises(AudioError) as caught:
            decode(content, "some/file.wav")
        assert reason in str(caught.value)
        assert caught.value.where == "some/file.wav"
        assert caught.value.next_step
    with pytest.raises(AudioError, match="does not exist any more"):
        decode(tmp_path / "gone.wav", "gone.wav")
    with pytest.raises(AudioError, match="cannot be read"):
        decode(tmp_path, "a folder")


def test_a_truncated_file_is_reported():
    flac = encoded(np.random.RandomState(0).uniform(-0.5, 0.5, 20000), format="FLAC")
    with pytest.raises(AudioError, match=r"cut short|cannot be decoded|can be decoded"):
        decode(flac[: len(flac) // 2], "half.flac")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 200))
def test_any_bytes_decode_or_are_named(tail, keep):
    content = encoded(TONE[:100])[:keep] + tail
    try:
        decoded = decode(content, "fuzz")
    except AudioError as error:
        assert error.where == "fuzz"
    else:
        assert np.isfinite(decoded.samples).all()


def test_resampling_keeps_length_and_tone():
    rate, target = 22050, 16000
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    out = resample(tone, rate, target)
    assert out.dtype == np.float32
    assert abs(len(out) - target) <= 1
    expected = np.sin(2 * np.pi * 440 * np.arange(target) / target)
    assert np.abs(out[500:15000] - expected[500:15000]).max() < 1e-3
    assert resample(tone, rate, rate) is tone
    assert len(resample(tone[:1], 48000, 8000)) == 1


def test_a_git_lfs_pointer_is_reported():
    with pytest.raises(AudioError, match="git lfs pull"):
        decode(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", "a.wav")


def test_more_than_one_piece_gives_the_same_samples(tmp_path, monkeypatch):
    from serab_core.audio import decode as module

    wave = np.random.default_rng(0).uniform(-1, 1, (1001, 2)).astype(np.float32)
    path = tmp_path / "a.wav"
    soundfile.write(path, wave, 16000, subtype="FLOAT")
    whole = decode(path, "a.wav")
    for piece in (1, 2, 7, 2002, 2003):
        monkeypatch.setattr(module, "_PIECE", piece)
        assert np.array_equal(decode(path, "a.wav").samples, whole.samples)
        assert np.array_equal(decode(path.read_bytes(), "a.wav").samples, whole.samples)


def test_a_head_that_promises_more_than_any_memory(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros(1000, np.int16), 16000)
    content = bytearray(path.read_bytes())
    content[21:26] = b"\xf7\xff\xff\xff\xff"  # the 36 bits of STREAMINFO that tell the samples
    with pytest.raises(AudioError, match="cut short|cannot be decoded|can be decoded"):
        decode(bytes(content), "a.flac")


def test_the_peak_and_silence_are_known():
    loud = decode(encoded(TONE * 4000, subtype="FLOAT"), "x")
    assert loud.peak == np.abs(TONE * 4000).max().astype(np.float32) > MAX_PLAUSIBLE_PEAK
    assert (loud.silent, decode(encoded(TONE), "x").silent) == ("", "")
    assert decode(encoded(-np.abs(TONE)), "x").peak == pytest.approx(0.5, abs=1e-3)
    zeros = decode(encoded(np.zeros((900, 2))), "x")
    assert (zeros.peak, zeros.silent) == (0.0, "zero")


@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "PCM_24", "ULAW"])
@pytest.mark.parametrize("scale", [1.0, 0.9, 32768.0])
def test_channels_that_cancel_out_are_known(subtype, scale):
    wave = TONE * scale if subtype == "FLOAT" else TONE * min(scale, 1.9)
    rng = np.random.default_rng(0)
    dither = 2e-5 * rng.standard_normal(len(wave)) if subtype == "PCM_16" else 0
    assert decode(encoded(np.stack([wave, -wave + dither], axis=1), subtype=subtype), "x").silent == "cancelled"
    assert decode(encoded(np.stack([wave, -0.9 * wave], axis=1), subtype=subtype), "x").silent == ""
    assert decode(encoded(np.stack([wave, 0 * wave], axis=1), subtype=subtype), "x").silent == ""


def test_channels_whose_sum_is_too_large_for_a_number():
    both = np.full((100, 2), 3e38, np.float32)
    with pytest.raises(AudioError, match="not a number"):
        decode(encoded(both, subtype="FLOAT"), "x")
