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

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from serab_core.plugin import (
    FOLDER_FILE,
    FOLDER_SCHEMA,
    ContentError,
    WeightsError,
    file_sha256,
    known_sha256,
    read_document,
    replacing,
    write_document,
)
from serab_plugin_byol.architecture import architecture
from serab_plugin_byol.catalogue import BYOL_S, spec_of

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.plugin import ExtractorSpec
    from serab_plugin_byol.pretrain.config import Config

WEIGHTS = "encoder.safetensors"


class EncoderFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The description of the extractor in the folder of a run, in its file `serab-extractor.json`.

    The core reads `schema` and `entry` of such a file; `docs/schemas` has that part.

    Attributes:
        entry: the entry point of this plugin that reads the folder.
        name: name of the folder when it was written.
        encoder: `audiontt` or `cvt`.
        size: length of the embedding.
        window: samples of the window of the log-mels.
        preset: the preset of the training.
        step: steps of the optimiser before the weights were written.
        weights: name of the file of weights.
        sha256: sha256 of the weights.
    """

    schema: Literal["serab.extractor-folder/1"]
    entry: str
    name: str
    encoder: str
    size: int
    window: int
    preset: str
    step: int
    weights: str = WEIGHTS
    sha256: str


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
    description = EncoderFolder(
        schema=FOLDER_SCHEMA,
        entry="byol-s",
        name=folder.name,
        encoder=config.encoder,
        size=config.size,
        window=config.window,
        preset=config.preset,
        step=step,
        weights=WEIGHTS,
        sha256=sha256,
    )
    write_document(folder / FOLDER_FILE, description)


def extractor_in(folder: Path, name: str | None = None, licence: str = "") -> ExtractorSpec:
    """Return the extractor of a folder.

    Args:
        folder: folder of a run, or of a package.
        name: name of the extractor; by default the folder's name.
        licence: licence of the weights; by default "your own weights".

    Raises:
        StoreError: the description of the extractor cannot be read.
        ContentError: the description is damaged or incomplete, or names no network.
        WeightsError: the weights are missing, or their sha256 is not the recorded one.
    """
    file = folder / FOLDER_FILE
    try:
        description = read_document(file, EncoderFolder)
        network = architecture(description.encoder, description.size)
    except (ContentError, ValueError) as error:
        problem = error.what if isinstance(error, ContentError) else f"is not valid: {error}"
        raise ContentError(problem, where=file, next_step="train the encoder again") from error
    path = folder / description.weights
    if not path.is_file() or known_sha256(path) != description.sha256:
        raise WeightsError(
            "is missing, or differs from the file that serab-extractor.json describes",
            where=path,
            next_step="resume the training, which writes the file again",
        )
    return spec_of(
        name or folder.name,
        network,
        f"pre-trained by serab ({description.preset}, step {description.step}); {network.dim} numbers",
        licence=licence or "your own weights",
        citation=BYOL_S,
        find=lambda: path,
        window=description.window,
        parameters={"weights_sha256": description.sha256},
    )
