"""What a run leaves behind: its configuration, checkpoints, logs, and an extractor that `serab eval` takes at once.

runs/my-byol/
config.toml             every hyper-parameter
data.json               what it was trained on
checkpoints/            the last two, from which the same command goes on
logs/                   metrics.csv, and TensorBoard's events
encoder.safetensors     the online encoder at the last checkpoint
serab-extractor.json    what it is: `serab eval ./runs/my-byol`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.plugin import (
    FOLDER_FILE,
    FOLDER_SCHEMA,
    StoreError,
    WeightsError,
    file_sha256,
    known_sha256,
    read_json,
    replacing,
    write_json,
)
from serab_plugin_byol.architecture import architecture
from serab_plugin_byol.catalogue import BYOL_S, spec_of

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.plugin import ExtractorSpec
    from serab_plugin_byol.pretrain.config import Config

WEIGHTS = "encoder.safetensors"


def checkpoints(folder: Path) -> list[Path]:
    """A run's checkpoints, oldest first."""
    return sorted((folder / "checkpoints").glob("step-*.ckpt"))


def write_extractor(folder: Path, config: Config, encoder: Any, step: int) -> None:
    """Writes the encoder and what it takes to run it. Raises StoreError."""
    from safetensors.torch import save_file

    with replacing(folder / WEIGHTS) as temporary:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in encoder.state_dict().items()}
        save_file(tensors, temporary, metadata={"format": "pt"})
        sha256 = file_sha256(temporary)
    write_json(
        folder / FOLDER_FILE,
        {
            "schema": FOLDER_SCHEMA,
            "entry": "byol-s",
            "name": folder.name,
            "encoder": config.encoder,
            "size": config.size,
            "window": config.window,
            "preset": config.preset,
            "step": step,
            "weights": WEIGHTS,
            "sha256": sha256,
        },
    )


def extractor_in(folder: Path, name: str | None = None, licence: str = "") -> ExtractorSpec:
    """The extractor that a folder holds.

    Args:
        folder: a run's, or a package's.
        name: what to call it; the folder's name unless a package says otherwise.
        licence: of the weights; unless told, that they are the user's own.

    Raises:
        StoreError: its description cannot be read.
        WeightsError: its weights are missing or are not those that it describes.
    """
    description = read_json(folder / FOLDER_FILE, FOLDER_SCHEMA)
    path = folder / str(description.get("weights", WEIGHTS))
    try:
        network = architecture(str(description["encoder"]), int(description["size"]))
        wanted, window, origin = (
            str(description["sha256"]),
            int(description["window"]),
            f"{description['preset']}, step {description['step']}",
        )
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(f"is incomplete ({error})", where=folder / FOLDER_FILE, next_step="train again") from error
    if not path.is_file() or known_sha256(path) != wanted:
        raise WeightsError(
            "is missing, or not what serab-extractor.json describes", where=path, next_step="go on with its training"
        )
    return spec_of(
        name or folder.name,
        network,
        f"pre-trained with `serab pretrain` ({origin}); {network.dim} numbers",
        licence=licence or "your own weights",
        citation=BYOL_S,
        find=lambda: path,
        window=window,
        parameters={"weights_sha256": wanted},
    )
