"""BYOL-S's convolutional transformer (arXiv:2110.03414, section 3; the architecture is CvT's, arXiv:2103.15808)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from serab_plugin_byol.encoders.masks import keep, max_over_time, mean_over_time

if TYPE_CHECKING:
    from torch import Tensor

    from serab_plugin_byol.architecture import Pool

HEAD = 64
_EMBED = ((7, 4), (3, 2), (3, 2))  # kernel and stride of each stage's embedding
_HEADS = (1, 3, 6)
_EPS = 1e-5


class ChannelNorm(nn.Module):
    """Layer norm over channels. Epsilon is added to the deviation, not to the variance."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise x of shape (n, channels, mels, frames); the shape stays the same."""
        variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
        return (x - mean) / (variance.sqrt() + _EPS) * self.gain + self.bias


class Projection(nn.Module):
    """Depthwise 3x3 convolution, batch norm, and a 1x1 convolution, without biases."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 3, stride, padding=1, groups=channels, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(channels)
        self.pointwise = nn.Conv2d(channels, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map shape (n, channels, mels, frames) to (n, width, mels / stride, frames / stride), rounded up."""
        projected: Tensor = self.pointwise(self.norm(self.depthwise(x)))
        return projected


class Attention(nn.Module):
    """Attention of every position of the map to every second position, along mel and time."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        width = HEAD * heads
        self.query = Projection(channels, width, 1)
        self.key_value = Projection(channels, 2 * width, 2)
        self.out = nn.Conv2d(width, channels, 1)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """Attend over x of shape (n, channels, mels, frames), with zeros beyond a clip's length; the shape stays."""
        n, _, mels, frames = x.shape
        query, key_value = self.query(x), self.key_value(x)
        seen = None
        if lengths is not None:
            columns = torch.arange(key_value.shape[-1], device=x.device) < ((lengths + 1) // 2)[:, None]
            seen = columns[:, None, None, None, :].expand(n, 1, 1, key_value.shape[-2], -1).flatten(3)
        q, k, v = (
            tensor.reshape(n, self.heads, HEAD, -1).transpose(2, 3) for tensor in (query, *key_value.chunk(2, dim=1))
        )
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen)
        out: Tensor = self.out(mixed.transpose(2, 3).reshape(n, -1, mels, frames))
        return out


class Stage(nn.Module):
    """A strided convolution and one layer of the transformer."""

    def __init__(self, before: int, channels: int, kernel: int, stride: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Conv2d(before, channels, kernel, stride, padding=kernel // 2)
        self.norm = ChannelNorm(channels)
        self.attention_norm = ChannelNorm(channels)
        self.attention = Attention(channels, heads)
        self.mlp_norm = ChannelNorm(channels)
        self.mlp = nn.Sequential(nn.Conv2d(channels, 4 * channels, 1), nn.GELU(), nn.Conv2d(4 * channels, channels, 1))
        self.stride = stride

    def forward(self, x: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Map (n, before, mels, frames) to (n, channels, mels / stride, frames / stride); also return new lengths."""
        if lengths is not None:
            lengths = (lengths + self.stride - 1) // self.stride
        x = self.norm(self.embed(x))
        x = x + self.attention(keep(self.attention_norm(x), lengths), lengths)
        x = x + self.mlp(self.mlp_norm(x))
        return keep(x, lengths), lengths


class CvT(nn.Module):
    """Network of three stages, then the mean over the map or, for 2048 numbers, maximum + mean over time of mel rows.

    Args:
        channels: channels of the stages: 64, 128, 256 (1,583,488 parameters) or 64, 256, 512 (5,012,992).
        pool: `mean` or `mean+max`.
    """

    def __init__(self, channels: tuple[int, int, int], pool: Pool) -> None:
        super().__init__()
        self.pool = pool
        self.dim = channels[-1] * (4 if pool == "mean+max" else 1)
        stages = []
        for before, width, (kernel, stride), heads in zip((1, *channels), channels, _EMBED, _HEADS, strict=False):
            stages.append(Stage(before, width, kernel, stride, heads))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed normalised log-mels.

        Args:
            x: shape (n, 1, 64, frames); zeros beyond the length of a clip.
            lengths: frames of each clip, shape (n,); None where all clips have the same length.

        Returns:
            shape (n, dim).
        """
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        if self.pool == "mean":
            return mean_over_time(x.mean(2).transpose(1, 2), lengths)
        steps = x.permute(0, 3, 2, 1).flatten(2)
        return mean_over_time(steps, lengths) + max_over_time(steps, lengths)

    def fold(self) -> None:
        """Fuse each batch norm into the convolution before it, for inference. This cannot be undone."""
        for module in self.modules():
            if isinstance(module, Projection) and isinstance(module.norm, nn.BatchNorm2d):
                module.depthwise = nn.utils.fusion.fuse_conv_bn_eval(module.depthwise.eval(), module.norm.eval())
                module.norm = nn.Identity()
