"""Normalisation before and after the other augmentations (arXiv:2103.06695, section III-B1 and III-B4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.distributed

if TYPE_CHECKING:
    from torch import Tensor

_EPS = torch.finfo(torch.float32).eps


def _everywhere(values: Tensor) -> Tensor:
    """Return the sum of the values over all processes."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(values)
    return values


class RunningNorm:
    """Normalisation by the running mean and deviation of all log-mel values so far, over all devices.

    Args:
        samples: number of segments after which mean and deviation stay fixed.
    """

    def __init__(self, samples: float) -> None:
        self._limit = samples
        self._seen = 0.0
        self._moments = torch.zeros(3, dtype=torch.float64)  # count of values, their mean, sum of squared deviations

    def __call__(self, x: Tensor) -> Tensor:
        """Update the statistics with a batch of log-mels, shape (n, ...), and return the normalised batch."""
        if self._seen < self._limit:
            self._update(x)
        moments = self._moments.to(x.device)
        deviation = (moments[2] / moments[0]).sqrt().clamp(min=_EPS)
        return (x - moments[1].to(x.dtype)) / deviation.to(x.dtype)

    def _update(self, x: Tensor) -> None:
        """Combine the moments by the rule of Chan, Golub and LeVeque, in float64."""
        sizes = torch.tensor([x.numel(), len(x)], dtype=torch.float64, device=x.device)
        sums = _everywhere(torch.cat([sizes, x.double().sum()[None]]))
        count, mean = sums[0], sums[2] / sums[0]
        squares = _everywhere((x.double() - mean).square().sum())
        before = self._moments.to(x.device)
        total, gap = before[0] + count, mean - before[1]
        self._moments = torch.stack(
            [total, before[1] + gap * count / total, before[2] + squares + gap**2 * before[0] * count / total]
        )
        self._seen += float(sums[1])

    def state(self) -> dict[str, Any]:
        """Return the running statistics, for a checkpoint."""
        return {"seen": self._seen, "moments": self._moments.cpu()}

    def load(self, state: dict[str, Any]) -> None:
        """Restore the running statistics from a checkpoint."""
        self._seen, self._moments = float(state["seen"]), state["moments"]


def standardise(views: Tensor) -> Tensor:
    """Return both views, normalised by the mean and deviation of all their values, over all devices.

    Args:
        views: shape (2, n, ...).
    """
    count = _everywhere(torch.tensor(float(views.numel()), device=views.device, dtype=torch.float64))
    mean = _everywhere(views.double().sum()) / count
    deviation = (_everywhere((views.double() - mean).square().sum()) / (count - 1)).sqrt().clamp(min=_EPS)
    return (views - mean.to(views.dtype)) / deviation.to(views.dtype)
