"""BYOL: an online network learns to predict what a slow copy of itself makes of the other view (arXiv:2006.07733)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import nn

from serab_plugin_byol.encoders import build

if TYPE_CHECKING:
    from torch import Tensor

    from serab_plugin_byol.pretrain.config import Config


def mlp(width: int, hidden: int, out: int) -> nn.Sequential:
    """Projector and predictor: linear, batch norm, ReLU, linear."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out)
    )


class Learner(nn.Module):
    """Online encoder, projector and predictor, and the target's encoder and projector.

    Args:
        config: sizes, and what the target keeps of itself.
    """

    def __init__(self, config: Config) -> None:
        super().__init__()
        encoder = build(config.architecture)
        self.online = nn.Sequential(encoder, mlp(encoder.dim, config.hidden, config.projection))
        self.predictor = mlp(config.projection, config.hidden, config.projection)
        self.target = copy.deepcopy(self.online).requires_grad_(False)
        self._ema = config.ema

    @property
    def encoder(self) -> nn.Module:
        """The online encoder: what is kept in the end."""
        return self.online[0]

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of both directions, and the online encoder's embeddings of the first view.

        Args:
            views: standardised log-mels, shape (2, n, 1, mels, frames).

        Returns:
            mean over segments of (2 - 2 cos) of each view's prediction and the other's target projection, summed over
            the two directions: from 0 to 8; and embeddings, shape (n, dim), without gradient.
        """
        # View by view, for each has its own batch statistics in the batch norms.
        embedded = [self.online[0](view) for view in views]
        predicted = [self.predictor(self.online[1](embedding)) for embedding in embedded]
        with torch.no_grad():
            aimed = [self.target(view) for view in views]
        loss = similarity_loss(predicted[0], aimed[1]) + similarity_loss(predicted[1], aimed[0])
        return loss, embedded[0].detach()

    @torch.no_grad()
    def update_target(self) -> None:
        """Moves the target's parameters towards the online ones; batch norms' running figures are its own."""
        target: list[Tensor] = list(self.target.parameters())
        online: list[Tensor] = list(self.online.parameters())
        torch._foreach_lerp_(target, online, 1.0 - self._ema)


def similarity_loss(predicted: Tensor, aimed: Tensor) -> Tensor:
    """Mean over rows of 2 - 2 cos(predicted, aimed) (arXiv:2006.07733, equation 2)."""
    return (2.0 - 2.0 * nn.functional.cosine_similarity(predicted.float(), aimed.float(), dim=-1)).mean()
