"""Log-mixup-exp: mixes a past segment into a segment as a background sound (arXiv:2103.06695, section III-B2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor

_EPS = torch.finfo(torch.float32).eps


class Mixup:
    """Augmentation log((1 - a) exp(x) + a exp(z) + eps), with a uniform in [0, ratio) and z a past segment.

    Args:
        ratio: upper bound of the weight of the background.
        memory: number of past segments to keep; 0 switches the augmentation off.
    """

    def __init__(self, ratio: float, memory: int) -> None:
        self._ratio, self._size = ratio, memory
        self._memory: Tensor | None = None
        self._filled = self._next = 0

    def __call__(self, x: Tensor, generator: Generator) -> Tensor:
        """Mix normalised log-mels, shape (n, 1, mels, frames), with past ones. The first batch stays unchanged."""
        if not self._filled or self._memory is None:
            return x
        fraction = self._ratio * torch.rand(len(x), 1, 1, 1, device=x.device, generator=generator)
        which = torch.randint(self._filled, (len(x),), device=x.device, generator=generator)
        return torch.log((1.0 - fraction) * x.exp() + fraction * self._memory[which].exp() + _EPS)

    def remember(self, x: Tensor) -> None:
        """Store a batch in the memory, in place of the oldest segments."""
        if not self._size:
            return
        x = x[-self._size :]
        if self._memory is None:
            self._memory = x.new_zeros((self._size, *x.shape[1:]))
        places = (self._next + torch.arange(len(x), device=x.device)) % self._size
        self._memory[places] = x
        self._next = (self._next + len(x)) % self._size
        self._filled = min(self._filled + len(x), self._size)

    def state(self) -> dict[str, Any]:
        """Return the memory, for a checkpoint."""
        memory = None if self._memory is None else self._memory[: self._filled].cpu()
        return {"memory": memory, "next": self._next}

    def load(self, state: dict[str, Any], device: torch.device) -> None:
        """Restore the memory from a checkpoint."""
        memory = state["memory"]
        self._next = int(state["next"])
        self._filled = 0 if memory is None else len(memory)
        if memory is not None:
            self._memory = torch.zeros((self._size, *memory.shape[1:]), device=device)
            self._memory[: self._filled] = memory.to(device)
