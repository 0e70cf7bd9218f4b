"""Looks after a run: how much embeddings still differ, and how well a linear classifier does with them."""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.callbacks import Callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from lightning.pytorch import LightningModule, Trainer
    from torch import Tensor

    from serab_core.plugin import Progress
    from serab_plugin_byol.pretrain.probe import Probe

COLLAPSED = 0.05
"""Deviation below which embeddings point the same way: 1 is an even spread, 0 a single direction."""


def deviation(embedded: Tensor) -> float:
    """How evenly embeddings spread over the sphere: sqrt(d) times the mean deviation of their normalised entries.

    Args:
        embedded: shape (n, d). 1 for directions drawn evenly, 0 where all are the same (arXiv:2011.10566, section 4.1).
    """
    unit = torch.nn.functional.normalize(embedded.float(), dim=-1)
    return float(unit.std(0, correction=0).mean()) * math.sqrt(embedded.shape[1])


def effective_rank(embedded: Tensor) -> float:
    """Exp of the entropy of the normalised singular values (Roy and Vetterli, 2007): how many directions are in use.

    Args:
        embedded: shape (n, d); its mean is taken away first. From 1 to min(n - 1, d).
    """
    values = torch.linalg.svdvals(embedded.double() - embedded.double().mean(0))
    total = values.sum()
    if float(total) <= 0:
        return 1.0
    shares = values / total
    return float(torch.exp(-(shares * shares.clamp(min=1e-300).log()).sum()))


class Show(Callback):
    """Shows how far a run has come.

    Args:
        progress: where.
        steps: of the whole run.
    """

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress, self._steps, self._shown = progress, steps, 0
        self._stage = contextlib.ExitStack()
        self._advance: Callable[[int], None] = lambda count: None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Opens the bar, on the first process alone."""
        if trainer.is_global_zero:
            self._advance = self._stage.enter_context(self._progress.task("Training", self._steps))
        self._move(trainer.global_step)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *ignored: Any) -> None:
        """Moves it."""
        self._move(trainer.global_step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Closes it."""
        self._stage.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Closes it."""
        self._stage.close()

    def _move(self, step: int) -> None:
        self._advance(step - self._shown)
        self._shown = step


class Watch(Callback):
    """Logs deviation, effective rank, speed and waiting for data every so many steps, and the probe's figure.

    Args:
        progress: where warnings go.
        every: steps between two looks.
        probe: a task to try the encoder on, or None.
        probe_every: steps between two tries.
    """

    def __init__(self, progress: Progress, every: int, probe: Probe | None, probe_every: int) -> None:
        self._progress, self._every = progress, every
        self._probe, self._probe_every = probe, probe_every
        self._begin, self._from, self._waited, self._probed = time.perf_counter(), 0, 0.0, -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock, and tries the encoder as it is."""
        if self._probe is not None and trainer.global_step == 0:
            self._try(trainer, pl_module)
        self._begin, self._from, self._waited = time.perf_counter(), trainer.global_step, 0.0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *ignored: Any) -> None:
        """Looks when it is time."""
        step = trainer.global_step
        if step and step % self._every == 0 and step != self._from:
            self._look(pl_module, step)
        if self._probe is not None and step and step % self._probe_every == 0 and step != self._probed:
            self._try(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Tries the encoder as it came out."""
        if self._probe is not None and trainer.global_step != self._probed:
            self._try(trainer, pl_module)

    def _look(self, module: Any, step: int) -> None:
        now = time.perf_counter()
        seconds = now - self._begin
        waited = module.loader.waited_s
        spread = deviation(module.embedded)
        module.log_dict(
            {
                "deviation": spread,
                "effective_rank": effective_rank(module.embedded),
                "steps_per_s": (step - self._from) / seconds,
                "waiting_share": (waited - self._waited) / seconds,
            }
        )
        if spread < COLLAPSED:
            self._progress.note(
                f"Step {step}: embeddings have collapsed (deviation {spread:.3f} of 1). A smaller learning rate, a "
                "larger batch or an ema nearer to 1 may help."
            )
        self._begin, self._from, self._waited = now, step, waited

    def _try(self, trainer: Trainer, module: Any) -> None:
        assert self._probe is not None
        self._probed = trainer.global_step
        figure = self._probe.accuracy(module.learner.encoder) if trainer.is_global_zero else 0.0
        if trainer.is_global_zero:
            name = self._probe.task
            self._progress.note(
                f"Step {trainer.global_step}: LDA gets {100 * figure:.1f} % of {name}'s validation split"
            )
            for logger in trainer.loggers:
                logger.log_metrics({f"probe_{name}": figure}, step=trainer.global_step)
