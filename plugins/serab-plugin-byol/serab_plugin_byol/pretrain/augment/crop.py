"""Random resized crop: a part of the log-mel, resized to the full size (arXiv:2103.06695, section III-B3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

_A = -0.75  # parameter of the cubic convolution kernel (Keys, 1981), the same as in PyTorch


class RandomResizedCrop:
    """Augmentation that puts the log-mel on a wider canvas of zeros, cuts a random box, and resizes it bicubically.

    Resizing is linear in the values and separable: each segment has one matrix over mels and one over frames, so the
    whole batch takes two matrix products. Columns of the canvas that hold zeros are never computed.

    Args:
        canvas: width of the canvas, as a factor of the log-mel's width. The heights are equal.
        low, high: range of the box's height and width, which are drawn independently, as factors of the log-mel's.
    """

    def __init__(self, canvas: float, low: float, high: float) -> None:
        self._canvas, self._low, self._high = canvas, low, high

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Crop normalised log-mels of shape (n, 1, mels, frames); the shape stays the same."""
        mels, frames = x.shape[-2:]
        width = int(frames * self._canvas)
        top, height = self._box(len(x), mels, mels, x, generator)
        left, span = self._box(len(x), frames, width, x, generator)
        rows = resize_matrix(top, height, mels, mels)
        columns = resize_matrix(left - (width - frames) // 2, span, frames, frames)
        return (rows @ x[:, 0] @ columns.transpose(1, 2))[:, None]

    def _box(self, n: int, size: int, room: int, x: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return the begin and the length of each box along one axis."""
        drawn = torch.rand(2, n, device=x.device, generator=generator)
        length = ((self._low + (self._high - self._low) * drawn[0]) * size).long().clamp(1, room)
        begin = (drawn[1] * (room - length + 1)).long().minimum(room - length)
        return begin, length


def resize_matrix(begin: Tensor, length: Tensor, size: int, out: int) -> Tensor:
    """Return matrices that cut [begin, begin + length) and resize it to `out` by cubic convolution, corners aligned.

    Args:
        begin: begin of each box, int, shape (n,); may be negative or beyond `size`, where the axis holds zeros.
        length: length of each box, int, shape (n,), at least 1. Positions beyond the box repeat its edge.
        size: length of the axis that is cut.
        out: length of the result.

    Returns:
        float32, shape (n, out, size).
    """
    n = len(begin)
    at = torch.arange(out, device=begin.device) / max(1, out - 1) * (length[:, None] - 1)
    floor = at.floor()
    fraction = (at - floor)[..., None]
    taps = torch.arange(-1, 3, device=begin.device)
    distance = (fraction - taps).abs()
    near = ((_A + 2) * distance - (_A + 3)) * distance * distance + 1
    far = ((_A * distance - 5 * _A) * distance + 8 * _A) * distance - 4 * _A
    weights = torch.where(distance <= 1, near, far)
    inside = (floor[..., None].long() + taps).clamp(min=0).minimum(length[:, None, None] - 1)
    places = begin[:, None, None] + inside
    weights = torch.where((places >= 0) & (places < size), weights, 0.0)
    matrix = torch.zeros(n, out, size, device=begin.device)
    return matrix.scatter_add_(2, places.clamp(0, size - 1), weights)
