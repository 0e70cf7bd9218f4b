"""Checkpoints: atomic writes, and reads that never run code from the file."""

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

MAX_CHECKPOINTS = 2  # checkpoints kept in a run's folder; the second is a fallback if the last one is damaged


class AtomicCheckpointIO(TorchCheckpointIO):
    """Checkpoint IO of Lightning with atomic writes. It loads plain values and tensors only."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write a checkpoint. Raises StoreError."""
        from pathlib import Path

        with replacing(Path(path)) as temporary, temporary.open("wb") as file:
            torch.save(checkpoint, file)

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """Read a checkpoint."""
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return checkpoint


class SaveCheckpoints(Callback):
    """Callback that saves checkpoints at an interval and at the end, and the encoder as an extractor.

    Args:
        folder: folder of the run.
        config: hyper-parameters of the run.
        every: steps between two checkpoints.
        steps: steps of the whole run.
        stop: returns whether the run should stop after this step.
    """

    def __init__(self, folder: Path, config: Config, every: int, steps: int, stop: Callable[[], bool]) -> None:
        self._folder, self._config, self._every, self._steps, self._stop = folder, config, every, steps, stop
        self._last = -1

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *ignored: Any) -> None:
        """Save a checkpoint when it is due. If the run should stop, save and raise KeyboardInterrupt."""
        step = trainer.global_step
        between = (trainer.fit_loop.batch_idx + 1) % trainer.accumulate_grad_batches == 0
        stop = between and self._stop()
        if step and step != self._last and (step % self._every == 0 or step >= self._steps or stop):
            self._last = step
            self.save(trainer, pl_module)
        if stop:
            raise KeyboardInterrupt

    def save(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save a checkpoint. Every rank calls this method."""
        trainer.save_checkpoint(self._folder / "checkpoints" / f"step-{trainer.global_step:08d}.ckpt")
        if trainer.is_global_zero:
            for old in checkpoints(self._folder)[:-MAX_CHECKPOINTS]:
                old.unlink(missing_ok=True)
            learner: Any = pl_module.learner
            write_extractor(self._folder, self._config, learner.encoder, trainer.global_step)


def newest(folder: Path) -> Path | None:
    """Return the newest readable checkpoint, or None. Damaged checkpoints are renamed to *.bad (quarantine)."""
    for path in reversed(checkpoints(folder)):
        try:
            torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except (UnpicklingError, RuntimeError, OSError, ValueError, EOFError) as error:
            with contextlib.suppress(FileNotFoundError):  # another process may have renamed it already
                path.rename(path.with_suffix(".bad"))
            if not checkpoints(folder):
                raise StoreError(
                    f"is damaged ({type(error).__name__}) and was renamed to *.bad; there is no older checkpoint",
                    where=path, next_step="start the training again in another folder",
                ) from error  # fmt: skip
            continue
        return path
    return None


def step_of(path: Path) -> int:
    """Return the step of a checkpoint, which its file name states."""
    match = re.search(r"step-(\d+)", path.name)
    return int(match[1]) if match else 0
