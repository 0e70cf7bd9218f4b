"""The folder of a run: its configuration, checkpoints, logs, and an extractor that `serab eval` can score.

runs/my-byol/
config.toml             every hyper-parameter
data.json               size and digest of the training data
checkpoints/            the last two checkpoints, from which the same command resumes
logs/                   metrics.csv, and TensorBoard's events
encoder.safetensors     the online encoder at the last checkpoint
serab-extractor.json    description of the extractor, for `serab eval ./runs/my-byol`
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
    """Return the checkpoints of a run, oldest first."""
    return sorted((folder / "checkpoints").glob("step-*.ckpt"))


def write_extractor(folder: Path, config: Config, encoder: Any, step: int) -> None:
    """Write the weights of the encoder and the description of the extractor. Raises StoreError."""
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
    """Return the extractor of a folder.

    Args:
        folder: folder of a run, or of a package.
        name: name of the extractor; by default the folder's name.
        licence: licence of the weights; by default "your own weights".

    Raises:
        StoreError: the description of the extractor cannot be read.
        WeightsError: the weights are missing, or their sha256 is not the recorded one.
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
        raise StoreError(
            f"is incomplete ({error})", where=folder / FOLDER_FILE, next_step="train the encoder again"
        ) from error
    if not path.is_file() or known_sha256(path) != wanted:
        raise WeightsError(
            "is missing, or differs from the file that serab-extractor.json describes",
            where=path,
            next_step="resume the training, which writes the file again",
        )
    return spec_of(
        name or folder.name,
        network,
        f"pre-trained by serab ({origin}); {network.dim} numbers",
        licence=licence or "your own weights",
        citation=BYOL_S,
        find=lambda: path,
        window=window,
        parameters={"weights_sha256": wanted},
    )
