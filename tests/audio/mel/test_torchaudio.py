"""The torchaudio backend against the kernels and against torchaudio's own transform."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from serab_core.audio.mel import NAMED, SERAB, log_mel
from serab_core.audio.mel.torchaudio_ import torch_log_mels

torch = pytest.importorskip("torch")
torchaudio = pytest.importorskip("torchaudio")
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
SPECS = [*NAMED.values(), replace(SERAB, clamped=True, mels_first=False), replace(SERAB, n_fft=400)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("spec", SPECS, ids=lambda s: f"{s.name}-{s.n_fft}-{s.clamped}")
def test_the_same_within_a_thousandth(spec, device):
    batch = (np.random.default_rng(0).standard_normal((3, 20_000)) * 0.1).astype(np.float32)
    theirs = torch_log_mels(torch.from_numpy(batch).to(device), spec).cpu().numpy()
    assert theirs.shape == (3, *spec.shape(20_000))
    if spec.n_fft != 400:  # which the kernels refuse
        ours = np.stack([log_mel(samples, spec) for samples in batch])
        np.testing.assert_allclose(theirs, ours, atol=1e-3)


def test_it_is_torchaudios_transform():
    batch = torch.randn(2, 16_000) * 0.1
    transform = torchaudio.transforms.MelSpectrogram(16_000, 1024, 400, 160, 60.0, 7800.0, n_mels=64)
    expected = torch.log(transform(batch) + SERAB.floor)
    torch.testing.assert_close(torch_log_mels(batch), expected, atol=1e-4, rtol=0)
