"""Compute two views of each segment from its samples, on the device that trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from serab_core.plugin import log_mels, torch_log_mels
from serab_plugin_byol.front_end import log_mel_spec
from serab_plugin_byol.pretrain.augment import Mixup, RandomResizedCrop, RunningNorm, standardise

if TYPE_CHECKING:
    from torch import Tensor

    from serab_plugin_byol.pretrain.config import Config

_SCALE = 1.0 / 32_768  # int16 to [-1, 1)


class Views:
    """The front end of the training: log-mel, running norm, mixup and crop for each view, then standardisation.

    Args:
        config: the hyper-parameters.
        clips: number of clips in the data.
    """

    def __init__(self, config: Config, clips: int) -> None:
        self._spec = log_mel_spec(config.window)
        self._seed = config.seed
        self._prenorm = RunningNorm(config.prenorm_epochs * clips)
        self._mixup = Mixup(config.mixup_ratio, config.mixup_memory)
        self._crop = RandomResizedCrop(config.canvas, config.crop_low, config.crop_high)
        self._postnorm = config.postnorm

    @torch.no_grad()
    def __call__(self, samples: Tensor, number: int) -> Tensor:
        """Return two views of each segment.

        Args:
            samples: int16, shape (n, unit).
            number: codes the batch and the rank; it seeds the random numbers.

        Returns:
            float32, shape (2, n, 1, mels, frames).
        """
        with torch.autocast(samples.device.type, enabled=False):
            mels = self._prenorm(self.log_mel(samples)[:, None])
            generator = torch.Generator(samples.device).manual_seed((self._seed << 40) + number)
            views = torch.stack([self._crop(self._mixup(mels, generator), generator) for _ in range(2)])
            self._mixup.remember(mels)
            return standardise(views) if self._postnorm else views

    def log_mel(self, samples: Tensor) -> Tensor:
        """Return log-mels, shape (n, mels, frames), from the core's kernels on a CPU and torchaudio on a GPU."""
        waves = samples.float() * _SCALE
        if samples.device.type != "cpu":
            mels: Tensor = torch_log_mels(waves, self._spec)
            return mels
        return torch.from_numpy(np.stack(log_mels(list(waves.numpy()), self._spec, threads=None)))

    def state(self) -> dict[str, Any]:
        """Return the state of the augmentations, for a checkpoint."""
        return {"prenorm": self._prenorm.state(), "mixup": self._mixup.state()}

    def load(self, state: dict[str, Any], device: torch.device) -> None:
        """Restore the state of the augmentations from a checkpoint."""
        self._prenorm.load(state["prenorm"])
        self._mixup.load(state["mixup"], device)
