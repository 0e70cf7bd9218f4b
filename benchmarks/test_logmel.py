"""The log-mel kernels against every peer, with one and more threads, and the fraction of the core's peak they reach.

tox run -e bench -- benchmarks/test_logmel.py

Each group runs one specification on the same clips, and gives seconds of audio per second and the ratio to each peer.
The peers do the same work with the same parameters. Their mel filter banks are computed before the measurement.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.fft
from threadpoolctl import threadpool_limits

from serab_core.audio.mel import BYOL_A, NAMED, SERAB, VGGISH, log_mels
from serab_core.audio.mel.fft import radices_of
from serab_core.audio.mel.reference import reference_log_mel
from serab_core.audio.mel.spec import bank, hann, segments

SPECS = {spec.name: spec for spec in (VGGISH, BYOL_A, SERAB)}
LOADS = {"200 clips of 3 s": (200, 3), "one clip of 60 s": (1, 60)}
PEERS = ("serab", "scipy", "torch", "torchaudio", "librosa", "kaldi")


def clips_of(load: str) -> list[np.ndarray]:
    count, seconds = LOADS[load]
    rng = np.random.default_rng(0)
    return [(rng.standard_normal(16_000 * seconds) * 0.1).astype(np.float32) for _ in range(count)]


def with_serab(spec):
    return lambda clips: log_mels(clips, spec)


def with_scipy(spec):
    window, matrix = hann(spec).astype(np.float32), bank(spec).astype(np.float32)

    def log_mel_of(samples):
        signal = np.pad(samples, spec.n_fft // 2, mode="reflect") if spec.centred else samples
        before = (spec.n_fft - spec.window) // 2 if spec.centred else 0
        frames = np.lib.stride_tricks.sliding_window_view(signal[before:], spec.window)[:: spec.hop]
        spectrum = scipy.fft.rfft(frames[: spec.frames(len(samples))] * window, spec.n_fft, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        return np.log((np.sqrt(power) if spec.magnitude else power) @ matrix + np.float32(spec.floor))

    return lambda clips: [log_mel_of(samples) for samples in clips]


def with_torch(spec):
    import torch

    window = torch.from_numpy(hann(spec).astype(np.float32))
    matrix = torch.from_numpy(bank(spec).astype(np.float32))

    def log_mel_of(samples):
        pad = 0 if spec.centred else spec.n_fft - spec.window
        signal = torch.nn.functional.pad(torch.from_numpy(samples), (pad // 2, pad - pad // 2))
        z = torch.stft(signal, spec.n_fft, spec.hop, spec.window, window, center=spec.centred, return_complex=True)
        power = z.real.square() + z.imag.square()
        return torch.log((power.sqrt() if spec.magnitude else power).T @ matrix + spec.floor)

    return lambda clips: [log_mel_of(samples) for samples in clips]


def with_torchaudio(spec):
    import torch
    import torchaudio

    transform = torchaudio.transforms.MelSpectrogram(
        spec.rate, spec.n_fft, spec.window, spec.hop, spec.f_min, spec.f_max,
        n_mels=spec.n_mels, power=1.0 if spec.magnitude else 2.0, center=spec.centred,
    )  # fmt: skip
    return lambda clips: [torch.log(transform(torch.from_numpy(samples)) + spec.floor) for samples in clips]


def with_librosa(spec):
    import librosa

    def log_mel_of(samples):
        mels = librosa.feature.melspectrogram(
            y=samples, sr=spec.rate, n_fft=spec.n_fft, win_length=spec.window, hop_length=spec.hop, fmin=spec.f_min,
            fmax=spec.f_max, n_mels=spec.n_mels, power=1.0 if spec.magnitude else 2.0, center=spec.centred, htk=True,
            norm=None,
        )  # fmt: skip
        return np.log(mels + np.float32(spec.floor))

    return lambda clips: [log_mel_of(samples) for samples in clips]


def with_kaldi(spec):
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = spec.rate
    options.frame_opts.frame_length_ms = 1000 * spec.window / spec.rate
    options.frame_opts.frame_shift_ms = 1000 * spec.hop / spec.rate
    options.frame_opts.window_type, options.frame_opts.dither = "hanning", 0.0
    options.frame_opts.preemph_coeff, options.frame_opts.remove_dc_offset = 0.0, False
    options.mel_opts.num_bins, options.mel_opts.low_freq, options.mel_opts.high_freq = 64, spec.f_min, spec.f_max

    def log_mel_of(samples):
        fbank = kaldi_native_fbank.OnlineFbank(options)
        fbank.accept_waveform(spec.rate, samples.tolist())
        fbank.input_finished()
        return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])

    return lambda clips: [log_mel_of(samples) for samples in clips]


MAKERS = {
    "serab": with_serab, "scipy": with_scipy, "torch": with_torch, "torchaudio": with_torchaudio,
    "librosa": with_librosa, "kaldi": with_kaldi,
}  # fmt: skip


@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("name", SPECS)
def test_log_mel(benchmark, name, load, peer):
    spec, clips = SPECS[name], clips_of(load)
    if peer == "kaldi" and spec.centred:
        pytest.skip("kaldi-native-fbank's FFT size is always the next power of two above the window")
    benchmark.group = f"{name}, {load}, one thread, peers"
    module = {"torch": "torch", "torchaudio": "torchaudio", "librosa": "librosa", "kaldi": "kaldi_native_fbank"}
    if peer in module:
        pytest.importorskip(module[peer])
    run = MAKERS[peer](spec)
    if peer in ("serab", "scipy"):
        (ours,) = run(clips[:1])
        exact = reference_log_mel(clips[0], spec)
        assert np.abs((ours if ours.shape == exact.shape else ours.T) - exact).max() < 1e-3
    with threadpool_limits(1):
        if "torch" in sys.modules:
            sys.modules["torch"].set_num_threads(1)
        benchmark.pedantic(
            run, args=(clips,), rounds=5 if peer != "kaldi" else 1, warmup_rounds=1 if peer != "kaldi" else 0
        )
    seconds = sum(len(samples) for samples in clips) / spec.rate
    benchmark.extra_info["seconds_of_audio_a_second"] = seconds / benchmark.stats.stats.median


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("name", ["vggish", "byol-a"])
def test_threads(benchmark, name, threads):
    """Measure 2,400 clips: a scheduler may keep two short-lived threads on one core for tens of milliseconds."""
    if threads > len(os.sched_getaffinity(0)):
        pytest.skip("this machine has too few cores")
    benchmark.group = f"{name}, 2400 clips of 3 s, threads"
    clips = clips_of("200 clips of 3 s") * 12
    benchmark.pedantic(log_mels, args=(clips, SPECS[name]), kwargs={"threads": threads}, rounds=7, warmup_rounds=1)
    benchmark.extra_info["seconds_of_audio_a_second"] = 3 * len(clips) / benchmark.stats.stats.median


def operations(spec) -> int:
    """Return the additions and multiplications of the algorithm for one frame; a fused operation counts as two."""
    points, total, size = spec.n_fft // 2, 0, spec.n_fft // 2
    for radix in radices_of(points):
        adds = {4: 16, 8: 56}[radix]
        total += points // radix * (adds + 6 * (radix - 1))
        size //= radix
    total += points // 4 * 16 + points // 2 * 22  # the last pass, and the split into powers
    starts, _ = segments(spec)
    return total + spec.window + 4 * (starts[-1] - starts[0]) + spec.n_mels * 24


@pytest.mark.benchmark(group="fraction of the core's peak (sgemm)")
@pytest.mark.parametrize("workload", ["sgemm", *SPECS])
def test_fraction_of_peak(benchmark, workload):
    with threadpool_limits(1):
        if workload == "sgemm":
            a = np.ones((1536, 1536), np.float32)
            benchmark.pedantic(lambda: a @ a, rounds=7, warmup_rounds=1)
            rate = 2 * 1536**3 / benchmark.stats.stats.median
        else:
            spec, clips = SPECS[workload], clips_of("200 clips of 3 s")
            benchmark.pedantic(log_mels, args=(clips, spec), rounds=7, warmup_rounds=1)
            frames = sum(spec.frames(len(samples)) for samples in clips)
            rate = frames * operations(spec) / benchmark.stats.stats.median
    benchmark.extra_info["gflops"] = rate / 1e9


@pytest.mark.benchmark(group="start of the kernels, in a new process")
@pytest.mark.parametrize("state", ["import numba", "warm", "cold"])
def test_start(benchmark, state, tmp_path):
    call = "import numpy as np; from serab_core.audio.mel import log_mel; log_mel(np.ones(16000, np.float32))"
    code = "import numba" + ("" if state == "import numba" else f"; {call}")
    cache = tmp_path / "0"

    def start() -> None:
        environment = {**os.environ, "SERAB_KERNEL_CACHE": str(cache)}
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment)

    def fresh() -> None:
        nonlocal cache
        if state == "cold":
            cache = tmp_path / str(time.monotonic_ns())

    benchmark.pedantic(start, setup=fresh, rounds=3 if state == "cold" else 7, warmup_rounds=1)


def test_every_named_specification_is_measured():
    assert set(NAMED) - set(SPECS) == {"yamnet"}  # the specification of VGGish with another floor
