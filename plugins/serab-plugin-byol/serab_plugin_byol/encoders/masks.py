"""Clips of several lengths in one batch: what lies beyond a clip's end is kept at zero, as padding at its edge is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def keep(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Sets the frames beyond each clip's length to zero.

    Args:
        x: shape (n, channels, mels, frames).
        lengths: frames of each clip, shape (n,); None where all are whole.
    """
    if lengths is None:
        return x
    inside = torch.arange(x.shape[-1], device=x.device) < lengths[:, None]
    return x * inside[:, None, None, :].to(x.dtype)


def mean_over_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """The mean over each clip's own steps.

    Args:
        x: shape (n, steps, dim), anything beyond a clip's length.
        lengths: steps of each clip, shape (n,), or None.
    """
    if lengths is None:
        return x.mean(1)
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.where(inside[..., None], x, 0.0).sum(1) / lengths[:, None].to(x.dtype)


def max_over_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """The maximum over each clip's own steps; arguments as `mean_over_time`."""
    if lengths is None:
        return x.amax(1)
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.where(inside[..., None], x, -torch.inf).amax(1)
