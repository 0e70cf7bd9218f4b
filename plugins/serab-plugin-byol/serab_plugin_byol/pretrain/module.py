"""The Lightning module of the learner: data, optimiser, and a checkpoint from which a run resumes bit by bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torch.distributed
from lightning.pytorch import LightningModule

from serab_plugin_byol.encoders import channels_last
from serab_plugin_byol.pretrain.data.segments import Ahead, Draw
from serab_plugin_byol.pretrain.learner import Learner
from serab_plugin_byol.pretrain.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from serab_plugin_byol.pretrain.config import Config
    from serab_plugin_byol.pretrain.data.segments import Segments

_RANKS = 4096  # upper bound of the number of processes, to code batch and rank in one number


class Pretraining(LightningModule):
    """Lightning module of one pre-training.

    All random numbers of a step depend only on the seed, the number of the batch and the rank, so a checkpoint needs no
    state of random generators.

    Args:
        config: the hyper-parameters.
        segments: the audio.
        steps: number of optimiser steps.
        accumulate: batches per step on each device.
    """

    def __init__(self, config: Config, segments: Segments, steps: int, accumulate: int) -> None:
        super().__init__()
        torch.manual_seed(config.seed)
        self.learner = channels_last(Learner(config))
        self.views = Views(config, len(segments))
        self.embedded: Tensor | None = None
        self.loader: Ahead[Tensor] | None = None
        self._config, self._segments = config, segments
        self._accumulate = accumulate
        self._batches = steps * accumulate
        self._next = 0

    def train_dataloader(self) -> Ahead[Tensor]:
        """Return an iterator over the remaining batches, which a thread prepares ahead."""
        config, world = self._config, self.trainer.world_size
        draw = Draw(
            len(self._segments),
            config.batch // self._accumulate,
            rank=self.global_rank,
            world=world,
            random_crop=config.random_crop,
            seed=config.seed,
        )
        pin = self.device.type == "cuda"

        def make(number: int) -> Tensor:
            batch = torch.from_numpy(self._segments.batch(*draw.of(number), config.unit))
            return batch.pin_memory() if pin else batch

        self.loader = Ahead(make, self._next, self._batches)
        return self.loader

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        """Return the loss of a batch of samples, int16, shape (n, unit)."""
        number = self._next * _RANKS + self.global_rank
        torch.manual_seed((self._config.seed << 40) + number)  # seed of dropout
        views = self.views(batch, number)
        loss: Tensor
        loss, self.embedded = self.learner(views)
        self.log("loss", loss, on_step=True, on_epoch=False)
        self._next += 1
        return loss

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """Make the optimiser's step, then update the target."""
        super().optimizer_step(*arguments, **named)
        self.learner.update_target()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam or AdamW for the trained parameters."""
        kind: Callable[..., torch.optim.Optimizer] = (
            torch.optim.AdamW if self._config.optimiser == "adamw" else torch.optim.Adam
        )
        parameters = [parameter for parameter in self.learner.parameters() if parameter.requires_grad]
        return kind(parameters, lr=self._config.learning_rate, weight_decay=self._config.weight_decay)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the position in the data, and the state of each rank's augmentations."""
        checkpoint["byol"] = {"next": self._next, "views": _from_all_ranks(self.views.state())}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the position and the state of the augmentations."""
        state = checkpoint["byol"]
        self._next = int(state["next"])
        states = state["views"]
        self.views.load(states[self.global_rank % len(states)], self.trainer.strategy.root_device)


def _from_all_ranks(state: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the states of all ranks, on every rank."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return [state]
    states: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(states, state)
    return states
