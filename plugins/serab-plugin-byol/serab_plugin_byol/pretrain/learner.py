"""BYOL (arXiv:2006.07733): an online network predicts the projection that a target network gives of the other view.

The target network is a moving average of the online network.
"""

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
    """Return the network of projector and predictor: linear, batch norm, ReLU, linear."""
    return nn.Sequential(
        nn.Linear(width, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, out)
    )


class Learner(nn.Module):
    """Online encoder, projector and predictor, and the target's encoder and projector.

    Args:
        config: sizes, and the decay of the target's moving average.
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
        """The online encoder, which is the result of the training."""
        return self.online[0]

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of both directions, and the online encoder's embeddings of the first view.

        Args:
            views: standardised log-mels, shape (2, n, 1, mels, frames).

        Returns:
            the mean over segments of (2 - 2 cos) of the prediction from one view and the target projection of the
            other, summed over both directions, from 0 to 8; and embeddings, shape (n, dim), without gradient.
        """
        # Each view passes separately, because the batch norms use the statistics of one view.
        embedded = [self.online[0](view) for view in views]
        predicted = [self.predictor(self.online[1](embedding)) for embedding in embedded]
        with torch.no_grad():
            targets = [self.target(view) for view in views]
        loss = similarity_loss(predicted[0], targets[1]) + similarity_loss(predicted[1], targets[0])
        return loss, embedded[0].detach()

    @torch.no_grad()
    def update_target(self) -> None:
        """Update the target's parameters as a moving average; its batch norms have running statistics of their own."""
        target: list[Tensor] = list(self.target.parameters())
        online: list[Tensor] = list(self.online.parameters())
        torch._foreach_lerp_(target, online, 1.0 - self._ema)


def similarity_loss(predicted: Tensor, target: Tensor) -> Tensor:
    """Return the mean over rows of 2 - 2 cos(predicted, target) (arXiv:2006.07733, equation 2)."""
    return (2.0 - 2.0 * nn.functional.cosine_similarity(predicted.float(), target.float(), dim=-1)).mean()
