"""Callbacks that monitor a run: the progress bar, the spread of the embeddings, and the linear probe."""

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

COLLAPSED = 0.05  # deviation below which embeddings count as collapsed: 1 is an even spread, 0 a single direction


def deviation(embedded: Tensor) -> float:
    """Return how evenly embeddings spread over the sphere: sqrt(d) times the mean deviation of their unit vectors.

    The value is 1 for uniform random directions and 0 for equal directions (arXiv:2011.10566, section 4.1).

    Args:
        embedded: embeddings, shape (n, d).
    """
    unit = torch.nn.functional.normalize(embedded.float(), dim=-1)
    return float(unit.std(0, correction=0).mean()) * math.sqrt(embedded.shape[1])


def effective_rank(embedded: Tensor) -> float:
    """Return the effective rank: exp of the entropy of the normalised singular values (Roy and Vetterli, 2007).

    It is the number of directions in use, from 1 to min(n - 1, d).

    Args:
        embedded: embeddings, shape (n, d). Their mean is subtracted first.
    """
    values = torch.linalg.svdvals(embedded.double() - embedded.double().mean(0))
    total = values.sum()
    if float(total) <= 0:
        return 1.0
    fractions = values / total
    return float(torch.exp(-(fractions * fractions.clamp(min=1e-300).log()).sum()))


class Show(Callback):
    """Callback that shows the progress bar of a run.

    Args:
        progress: the display.
        steps: steps of the whole run.
    """

    def __init__(self, progress: Progress, steps: int) -> None:
        self._progress, self._steps, self._shown = progress, steps, 0
        self._exit_stack = contextlib.ExitStack()
        self._advance: Callable[[int], None] = lambda count: None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Open the progress bar, on the first process only."""
        if trainer.is_global_zero:
            self._advance = self._exit_stack.enter_context(self._progress.task("Training", self._steps))
        self._move(trainer.global_step)

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *ignored: Any) -> None:
        """Advance the progress bar."""
        self._move(trainer.global_step)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the progress bar."""
        self._exit_stack.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Close the progress bar."""
        self._exit_stack.close()

    def _move(self, step: int) -> None:
        self._advance(step - self._shown)
        self._shown = step


class Watch(Callback):
    """Callback that logs deviation, effective rank, speed, waiting time and the accuracy of the probe.

    Args:
        progress: shows warnings.
        every: steps between two rows of the log.
        probe: the probe, or None.
        probe_every: steps between two probes.
    """

    def __init__(self, progress: Progress, every: int, probe: Probe | None, probe_every: int) -> None:
        self._progress, self._every = progress, every
        self._probe, self._probe_every = probe, probe_every
        self._begin, self._from, self._waited, self._probed = time.perf_counter(), 0, 0.0, -1

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the clock, and probe the untrained encoder."""
        if self._probe is not None and trainer.global_step == 0:
            self._probe_encoder(trainer, pl_module)
        self._begin, self._from, self._waited = time.perf_counter(), trainer.global_step, 0.0

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *ignored: Any) -> None:
        """Log and probe when they are due."""
        step = trainer.global_step
        if step and step % self._every == 0 and step != self._from:
            self._log(pl_module, step)
        if self._probe is not None and step and step % self._probe_every == 0 and step != self._probed:
            self._probe_encoder(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Probe the trained encoder."""
        if self._probe is not None and trainer.global_step != self._probed:
            self._probe_encoder(trainer, pl_module)

    def _log(self, module: Any, step: int) -> None:
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

    def _probe_encoder(self, trainer: Trainer, module: Any) -> None:
        assert self._probe is not None
        self._probed = trainer.global_step
        accuracy = self._probe.accuracy(module.learner.encoder) if trainer.is_global_zero else 0.0
        if trainer.is_global_zero:
            name = self._probe.task
            self._progress.note(
                f"Step {trainer.global_step}: LDA has a validation accuracy of {100 * accuracy:.1f} % on {name}"
            )
            for logger in trainer.loggers:
                logger.log_metrics({f"probe_{name}": accuracy}, step=trainer.global_step)
