"""Checkpoints that are there whole or not at all, and are read without running what is in them."""

from __future__ import annotations

import contextlib
import re
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback

from serab_core.plugin import StoreError, replacing
from serab_plugin_byol.pretrain.run_folder import checkpoints, write_extractor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lightning.pytorch import LightningModule, Trainer

    from serab_plugin_byol.pretrain.config import Config

MAX_CHECKPOINTS = 2


class WholeFiles(TorchCheckpointIO):
    """Writes under a temporary name, syncs, renames; loads plain values and tensors only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Writes one. Raises StoreError."""
        from pathlib import Path

        with replacing(Path(path)) as temporary, temporary.open("wb") as file:
            torch.save(checkpoint, file)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Reads one."""
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return checkpoint


class Keep(Callback):
    """Saves every so many steps and at the end; keeps the last two, and the encoder as an extractor.

    Args:
        folder: of the run.
        config: of the run.
        every: steps between two.
        steps: of the whole run.
        stop: tells whether the run is to stop after this step.
    """

    def __init__(self, folder: Path, config: Config, every: int, steps: int, stop: Callable[[], bool]) -> None:
        self._folder, self._config, self._every, self._steps, self._stop = folder, config, every, steps, stop
        self._last = -1

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *ignored: Any) -> None:
        """Saves when it is time. Raises KeyboardInterrupt, with everything saved, when the run is to stop."""
        step = trainer.global_step
        between = (trainer.fit_loop.batch_idx + 1) % trainer.accumulate_grad_batches == 0
        stop = between and self._stop()
        if step and step != self._last and (step % self._every == 0 or step >= self._steps or stop):
            self._last = step
            self.save(trainer, pl_module)
        if stop:
            raise KeyboardInterrupt

    def save(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves now; called on every rank."""
        trainer.save_checkpoint(self._folder / "checkpoints" / f"step-{trainer.global_step:08d}.ckpt")
        if trainer.is_global_zero:
            for old in checkpoints(self._folder)[:-MAX_CHECKPOINTS]:
                old.unlink(missing_ok=True)
            learner: Any = pl_module.learner
            write_extractor(self._folder, self._config, learner.encoder, trainer.global_step)


def newest(folder: Path) -> Path | None:
    """The newest checkpoint that can be read; a damaged one is set aside. None where there is none."""
    for path in reversed(checkpoints(folder)):
        try:
            torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except (UnpicklingError, RuntimeError, OSError, ValueError, EOFError) as error:
            with contextlib.suppress(FileNotFoundError):  # another process may have been first
                path.rename(path.with_suffix(".bad"))
            if not checkpoints(folder):
                raise StoreError(
                    f"is damaged ({type(error).__name__}) and was set aside; there is no older one", where=path,
                    next_step="start again in another folder",
                ) from error  # fmt: skip
            continue
        return path
    return None


def step_of(path: Path) -> int:
    """The step of a checkpoint, by its name."""
    match = re.search(r"step-(\d+)", path.name)
    return int(match[1]) if match else 0
