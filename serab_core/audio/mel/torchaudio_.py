"""The same log-mels computed by torchaudio, in float32, on the device of the waveforms: for batches on a GPU."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.audio.mel.spec import SERAB, bank

if TYPE_CHECKING:
    from serab_core.audio.mel.spec import LogMelSpec


def torch_log_mels(waveforms: Any, spec: LogMelSpec = SERAB) -> Any:
    """Compute the log-mels of a batch of waveforms of the same length.

    Args:
        waveforms: a float32 tensor, shape (..., samples), longer than half an FFT for a centred specification.
        spec: the specification, with any length of the FFT.

    Returns:
        a float32 tensor on the same device, shape (..., n_mels, frames) or (..., frames, n_mels).
    """
    import torch
    from torchaudio.functional import spectrogram

    window, matrix = _constants(spec, waveforms.device)
    pad = 0 if spec.centred else (spec.n_fft - spec.window) // 2
    extra = 0 if spec.centred else spec.n_fft - spec.window - pad
    powers = spectrogram(
        torch.nn.functional.pad(waveforms, (pad, extra)),
        pad=0,
        window=window,
        n_fft=spec.n_fft,
        hop_length=spec.hop,
        win_length=spec.window,
        power=1.0 if spec.magnitude else 2.0,
        normalized=False,
        center=spec.centred,
        pad_mode="reflect",
    )
    bands = powers.transpose(-1, -2) @ matrix
    logs = torch.log(torch.clamp(bands, min=spec.floor) if spec.clamped else bands + spec.floor)
    return logs.transpose(-1, -2) if spec.mels_first else logs


@lru_cache(maxsize=16)
def _constants(spec: LogMelSpec, device: Any) -> tuple[Any, Any]:
    import torch

    window = torch.hann_window(spec.window, periodic=True, dtype=torch.float64)
    return window.to(device, torch.float32), torch.from_numpy(bank(spec).astype(np.float32)).to(device)
