"""BYOL-A's network, AudioNTT2020 (arXiv:2103.06695, section III-C and table I)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from serab_plugin_byol.encoders.masks import keep, max_over_time, mean_over_time

if TYPE_CHECKING:
    from torch import Tensor

CHANNELS = 64
N_MELS = 64
_BLOCK = 4096  # frames per block of a long clip, which bounds the memory
_HALO = 8  # frames on either side that the value of a step depends on, rounded up to a whole step
_STEP = 8  # frames that are pooled into one step


class Block(nn.Module):
    """3x3 convolution, batch norm, ReLU, 2x2 max-pooling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, CHANNELS, 3, padding=1)
        self.norm: nn.Module = nn.BatchNorm2d(CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """Map shape (n, channels, mels, frames) to (n, 64, mels / 2, frames / 2)."""
        return nn.functional.max_pool2d(torch.relu_(self.norm(self.conv(x))), 2)


class AudioNTT(nn.Module):
    """Network of three blocks, then two layers at every time step, then the sum of maximum and mean over time.

    Args:
        dim: length of the embedding: 512, 1024 or 2048 (600,192, 1,649,792 or 5,321,856 parameters).
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.blocks = nn.ModuleList([Block(1), Block(CHANNELS), Block(CHANNELS)])
        width = CHANNELS * (N_MELS // _STEP)
        self.head = nn.Sequential(
            nn.Linear(width, dim), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(dim, dim), nn.ReLU(inplace=True)
        )

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed normalised log-mels.

        Args:
            x: shape (n, 1, 64, frames), at least 8 frames; zeros beyond the length of a clip.
            lengths: frames of each clip, shape (n,); None where all clips have the same length.

        Returns:
            shape (n, dim).
        """
        if not self.training and lengths is None and x.shape[-1] > _BLOCK + 2 * _HALO:
            return self._long(x)
        steps, lengths = self._steps(x, lengths)
        return max_over_time(steps, lengths) + mean_over_time(steps, lengths)

    def _steps(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Return the outputs before pooling over time, shape (n, steps, dim), and the number of steps of each clip."""
        for block in self.blocks:
            x = block(x)
            lengths = None if lengths is None else lengths // 2
            x = keep(x, lengths)
        # The vector of a step lists the mel rows one after the other, each with all its channels.
        return self.head(x.permute(0, 3, 2, 1).flatten(2)), lengths

    def _long(self, x: Tensor) -> Tensor:
        """Embed long clips block by block, in bounded memory. The result is the same: a step depends on 8 frames."""
        frames = x.shape[-1] // _STEP * _STEP
        highest = total = None
        for begin in range(0, frames, _BLOCK):
            end = min(begin + _BLOCK, frames)
            left, right = min(_HALO, begin), min(_HALO, frames - end)
            steps, _ = self._steps(x[..., begin - left : end + right if right else x.shape[-1]], None)
            steps = steps[:, left // _STEP : left // _STEP + (end - begin) // _STEP]
            block_max, block_sum = steps.amax(1), steps.sum(1)
            highest = block_max if highest is None else torch.maximum(highest, block_max)
            total = block_sum if total is None else total + block_sum
        assert highest is not None
        assert total is not None
        return highest + total / (frames // _STEP)

    def fold(self) -> None:
        """Fuse each batch norm into the convolution before it, for inference. This cannot be undone."""
        for block in self.blocks:
            assert isinstance(block, Block)
            if isinstance(block.norm, nn.BatchNorm2d):
                block.conv = nn.utils.fusion.fuse_conv_bn_eval(block.conv.eval(), block.norm.eval())
                block.norm = nn.Identity()
