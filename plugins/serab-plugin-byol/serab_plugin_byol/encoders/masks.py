"""Masks for clips of several lengths in one batch. Values beyond the end of a clip stay zero, like edge padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def keep(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Set the frames beyond each clip's length to zero.

    Args:
        x: shape (n, channels, mels, frames).
        lengths: frames of each clip, shape (n,); None where no clip is padded.
    """
    if lengths is None:
        return x
    inside = torch.arange(x.shape[-1], device=x.device) < lengths[:, None]
    return x * inside[:, None, None, :].to(x.dtype)


def mean_over_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the mean over the steps of each clip.

    Args:
        x: shape (n, steps, dim); values beyond the length of a clip are ignored.
        lengths: steps of each clip, shape (n,), or None.
    """
    if lengths is None:
        return x.mean(1)
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.where(inside[..., None], x, 0.0).sum(1) / lengths[:, None].to(x.dtype)


def max_over_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the maximum over the steps of each clip; arguments as in `mean_over_time`."""
    if lengths is None:
        return x.amax(1)
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.where(inside[..., None], x, -torch.inf).amax(1)
