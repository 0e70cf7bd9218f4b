"""The extractor that runs an encoder on waveforms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.plugin import log_mels
from serab_plugin_byol.front_end import buckets, lengthened, log_mel_spec, statistics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from serab_core.plugin import Embeddings, Waveform
    from serab_plugin_byol.architecture import Architecture

_MAX_FRAMES = {"cpu": 1_024, "cuda": 131_072}
"""Maximum frames of a batch. On a CPU, the output of a layer then fits into the cache; a GPU needs more to be busy."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that the embeddings depend on, apart from the weights.

    Attributes:
        window: window of the log-mel, in samples at 16 kHz.
        device: `cpu`, `cuda` or `cuda:1`.
        bf16: whether the network computes in bfloat16.
    """

    window: int = 400
    device: str = "cpu"
    bf16: bool = False


class Byol:
    """An encoder of BYOL's family.

    Args:
        architecture: architecture of the network.
        weights: path of its weights, in safetensors.
        settings: how to run the network.
    """

    def __init__(self, architecture: Architecture, weights: Path, settings: Settings) -> None:
        self._architecture = architecture
        self._weights = weights
        self._settings = settings
        self._spec = log_mel_spec(settings.window)
        self._mean, self._deviation = 0.0, 1.0

    def warm(self) -> None:
        """Import torch, load the network, and compile or load the kernels."""
        log_mels([np.zeros(1_600, np.float32)], self._spec)
        self._network  # noqa: B018

    def fit_corpus(self, train_waveforms: Iterable[Waveform]) -> dict[str, float]:
        """Return the log-mel statistics of the training split: see `front_end.statistics`."""
        mean, deviation = statistics(train_waveforms, self._spec)
        return {"logmel_mean": mean, "logmel_deviation": deviation}

    def use_corpus(self, state: Mapping[str, Any]) -> None:
        """Set the statistics that normalise log-mels."""
        self._mean, self._deviation = float(state["logmel_mean"]), float(state["logmel_deviation"])

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return embeddings of waveforms of any lengths.

        Args:
            waveforms: mono float32 at 16 kHz; those shorter than 0.07 s are padded with zeros on both sides.

        Returns:
            float32, shape (len(waveforms), dim). Row i equals the embedding of waveform i alone, within 1e-5.
        """
        import torch

        signals = [lengthened(waveform, self._spec) for waveform in waveforms]
        frames = [self._spec.frames(len(signal)) for signal in signals]
        result = np.empty((len(signals), self._architecture.dim), np.float32)
        with torch.inference_mode():
            for places in buckets(frames, _MAX_FRAMES["cuda" if self._on_gpu else "cpu"]):
                bucket_signals = [signals[place] for place in places]
                lengths = [frames[place] for place in places]
                x = (
                    self._gpu_batch(bucket_signals, lengths)
                    if self._on_gpu
                    else self._cpu_batch(bucket_signals, lengths)
                )
                result[places] = self._run(x, lengths)
        return result

    @property
    def n_parameters(self) -> int:
        """Number of parameters of the published network, before its batch norms are fused into convolutions."""
        return self._loaded[1]

    @property
    def _on_gpu(self) -> bool:
        return self._settings.device != "cpu"

    @property
    def _network(self) -> Any:
        return self._loaded[0]

    @cached_property
    def _loaded(self) -> tuple[Any, int]:
        import torch
        from safetensors.torch import load_file

        from serab_plugin_byol.encoders import build, channels_last

        with torch.random.fork_rng(devices=[]):  # `build` draws random weights, which are replaced
            network = build(self._architecture)
        network.load_state_dict(load_file(self._weights))
        network.eval().requires_grad_(False)
        count = sum(int(parameter.numel()) for parameter in network.parameters())
        network.fold()
        kind = torch.bfloat16 if self._settings.bf16 else torch.float32
        return channels_last(network.to(device=self._settings.device, dtype=kind)), count

    def _cpu_batch(self, signals: list[Waveform], lengths: list[int]) -> Any:
        """Compute normalised log-mels with the core's kernels, shape (n, 1, 64, frames); shorter clips end in zeros."""
        import torch

        batch = np.zeros((len(signals), 1, self._spec.n_mels, lengths[0]), np.float32)
        for row, mels in enumerate(log_mels(signals, self._spec, threads=None)):
            np.subtract(mels, self._mean, out=batch[row, 0, :, : mels.shape[1]])
            batch[row, 0, :, : mels.shape[1]] /= self._deviation
        return torch.from_numpy(batch)

    def _gpu_batch(self, signals: list[Waveform], lengths: list[int]) -> Any:
        """Compute the same with torchaudio on the GPU, one call per length: padding reflects the clip's end."""
        import torch

        from serab_core.plugin import torch_log_mels

        device = torch.device(self._settings.device)
        batch = torch.zeros((len(signals), 1, self._spec.n_mels, lengths[0]), device=device)
        for samples in {len(signal) for signal in signals}:
            rows = [row for row, signal in enumerate(signals) if len(signal) == samples]
            given = torch.from_numpy(np.stack([signals[row] for row in rows])).to(device)
            mels = torch_log_mels(given, self._spec)
            batch[rows, 0, :, : mels.shape[-1]] = (mels - self._mean) / self._deviation
        return batch

    def _run(self, x: Any, lengths: list[int]) -> Embeddings:
        import torch

        ragged = None if lengths[0] == lengths[-1] else torch.tensor(lengths, device=self._settings.device)
        kind = torch.bfloat16 if self._settings.bf16 else torch.float32
        embedded: Embeddings = self._network(x.to(dtype=kind), ragged).float().cpu().numpy()
        return embedded
