"""Run a pre-training with Lightning's trainer in a folder, and resume a stopped run."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import math
import sys
import warnings
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from serab_core.plugin import InterruptedRunError, UsageError, read_document, sweep, write_bytes, write_document
from serab_plugin_byol.documents import TrainingData, TrainingSummary
from serab_plugin_byol.pretrain.config import Config

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.plugin import Progress
    from serab_plugin_byol.pretrain.data.segments import Segments

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # parameters of mallopt, from malloc.h


@dataclass(frozen=True, slots=True)
class Machine:
    """Settings of the computation, which may change when a run is resumed.

    Attributes:
        accelerator: `auto`, `cpu` or `cuda`.
        devices: devices on each node.
        nodes: number of nodes.
        bf16: whether to use mixed precision in bfloat16.
        accumulate: batches per step on each device.
        save_every, log_every: steps between two checkpoints, and between two rows of the log.
        probe: a prepared task, or "".
        probe_every: steps between two probes.
    """

    accelerator: str = "auto"
    devices: int = 1
    nodes: int = 1
    bf16: bool = False
    accumulate: int = 1
    save_every: int = 500
    log_every: int = 10
    probe: str = ""
    probe_every: int = 500


def steps_of(config: Config, clips: int) -> int:
    """Return the number of steps of a whole training."""
    return math.ceil(config.epochs * clips / config.batch)


def fit(
    folder: Path, config: Config, segments: Segments, machine: Machine, progress: Progress, steps: int | None = None
) -> TrainingSummary:
    """Start a training, or resume it from its last checkpoint.

    Args:
        folder: folder of the run. If it holds a checkpoint, the run is resumed from there.
        config: hyper-parameters.
        segments: audio.
        machine: settings of the computation.
        progress: shows messages and the progress bar.
        steps: steps of the optimiser, in place of the configuration's epochs.

    Returns:
        the summary of the run.

    Raises:
        UsageError: the folder holds another run, or the batch cannot be divided among the devices.
        InterruptedRunError: Ctrl-C; the last checkpoint is kept.
        StoreError: the folder cannot be written.
    """
    world = machine.devices * machine.nodes
    _require_even_batches(config.batch, machine.accumulate, world)
    steps = steps or steps_of(config, len(segments))
    _claim(folder, config, segments)
    _keep_memory()
    _without_tensorflow()
    import torch
    from lightning.pytorch import Trainer
    from lightning.pytorch.loggers import TensorBoardLogger

    from serab_plugin_byol.pretrain.checkpoint import AtomicCheckpointIO, SaveCheckpoints, newest, step_of
    from serab_plugin_byol.pretrain.interrupts import Interrupts
    from serab_plugin_byol.pretrain.module import Pretraining
    from serab_plugin_byol.pretrain.probe import Probe
    from serab_plugin_byol.pretrain.table import Table
    from serab_plugin_byol.pretrain.watch import Show, Watch

    _quiet()
    before = newest(folder)
    completed = 0 if before is None else step_of(before)
    if before is not None:
        progress.note(f"Resuming from step {completed:,} of {steps:,}.")
        if completed >= steps:
            return _summary(folder, completed, None)
    module = Pretraining(config, segments, steps, machine.accumulate)
    probe = Probe(machine.probe, config.window) if machine.probe else None
    logs = folder / "logs"
    interrupts = Interrupts(progress, gentle=world == 1)
    trainer = Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        strategy="ddp" if world > 1 else "auto",
        sync_batchnorm=world > 1 and torch.cuda.is_available() and machine.accelerator != "cpu",
        precision="bf16-mixed" if machine.bf16 else "32-true",
        accumulate_grad_batches=machine.accumulate,
        max_steps=steps,
        max_epochs=-1,
        use_distributed_sampler=False,
        logger=[
            Table(logs / "metrics.csv", completed, machine.probe),
            TensorBoardLogger(logs, name="", version="tensorboard", purge_step=completed),
        ],
        log_every_n_steps=machine.log_every,
        callbacks=[
            Watch(progress, machine.log_every, probe, machine.probe_every),
            SaveCheckpoints(folder, config, machine.save_every, steps, interrupts.asked),
            Show(progress, steps),
        ],
        plugins=[AtomicCheckpointIO()],
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
    )
    try:
        with interrupts:
            trainer.fit(module, ckpt_path=before, weights_only=True)
    except (KeyboardInterrupt, SystemExit) as error:
        raise _interrupted(folder) from error
    if trainer.interrupted:
        raise _interrupted(folder)
    return _summary(folder, trainer.global_step, trainer)


def _require_even_batches(batch: int, accumulate: int, world: int) -> None:
    """Raise UsageError if a batch cannot be divided into equal batches of at least two segments."""
    if batch % (world * accumulate) or batch // (world * accumulate) < 2:
        raise UsageError(
            f"a batch of {batch} cannot be divided evenly into {accumulate} accumulated batches on "
            f"{world} devices, with at least two segments each",
            next_step="choose another batch size, or another number of devices or of accumulated batches",
        )


def _interrupted(folder: Path) -> InterruptedRunError:
    return InterruptedRunError(
        "interrupted; the last checkpoint is kept",
        where=folder,
        next_step="run the same command again to resume from there",
    )


def _claim(folder: Path, config: Config, segments: Segments) -> None:
    """Write the configuration and the data's digest into the folder. Raises UsageError if it holds another run."""
    from serab_plugin_byol.pretrain.config import read

    data = TrainingData(
        schema="serab.pretrain-data/1",
        clips=len(segments),
        seconds=round(segments.seconds, 3),
        digest=segments.digest,
    )
    file = folder / "config.toml"
    if file.exists():
        recorded = read(file, Config())
        differing = [
            f"{name} {value!r}, here {getattr(config, name)!r}"
            for name, value in asdict(recorded).items()
            if value != getattr(config, name)
        ]
        if (folder / "data.json").exists():
            before = read_document(folder / "data.json", TrainingData)
            differing += [f"data of {before.clips} clips, here other data"] if before.digest != data.digest else []
        if differing:
            raise UsageError(
                f"holds another run: {'; '.join(differing)}", where=folder,
                next_step="choose another folder, or the same settings to resume that run",
            )  # fmt: skip
    sweep(folder) if folder.exists() else None
    write_bytes(file, config.to_toml().encode())
    write_document(folder / "data.json", data)


def _summary(folder: Path, steps: int, trainer: Any) -> TrainingSummary:
    loss = float(trainer.callback_metrics.get("loss", math.nan)) if trainer is not None else math.nan
    return TrainingSummary(
        schema="serab.pretrain/1",
        folder=str(folder),
        steps=steps,
        loss=loss if math.isfinite(loss) else None,
    )


def _keep_memory() -> None:
    """Tell glibc to keep freed memory. Otherwise the activations of each step are mapped, cleared and unmapped again.

    On a CPU that took more time than the network's backward pass. This function has no effect outside Linux.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        mallopt(_M_MMAP_THRESHOLD, 1 << 30)
        mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1)


def _without_tensorflow() -> None:
    """Make TensorBoard write files with its own code; otherwise it imports an installed TensorFlow next to torch."""
    name = "tensorboard.compat.notf"  # if this module exists, TensorBoard does not import TensorFlow
    sys.modules.setdefault(name, ModuleType(name))


def _quiet() -> None:
    """Silence Lightning's messages, which address developers of a trainer, not its users."""
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"lightning\..*")
