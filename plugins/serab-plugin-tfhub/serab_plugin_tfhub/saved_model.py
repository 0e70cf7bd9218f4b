"""Unpack and check a SavedModel, which is published as a tar archive."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from serab_plugin_tfhub.serve import start


def unpack(source: Path, target: Path) -> None:
    """Unpack a SavedModel, which may be in a folder inside the archive.

    Args:
        source: a tar archive, compressed or not.
        target: an empty folder.

    Raises:
        ValueError: the file is not a tar archive, is damaged, or contains no SavedModel.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as scratch:
        try:
            with tarfile.open(source) as tar:
                tar.extractall(scratch, filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ValueError(f"it cannot be unpacked as a tar archive ({type(error).__name__}: {error})") from error
        paths = sorted(Path(scratch).rglob("saved_model.pb"), key=lambda path: len(path.parts))
        if not paths:
            raise ValueError("it holds no saved_model.pb")
        for path in paths[0].parent.iterdir():
            shutil.move(path, target / path.name)


def check(folder: Path, model: str, dim: int) -> None:
    """Run the model on one second of silence, in TensorFlow's process.

    Raises:
        ValueError: the model cannot be loaded or called, or returns embeddings of another length.
    """
    process = start(model, folder, threads=1)
    try:
        embedded = process.embed([np.zeros((1, 16_000), np.float32)])
    except RuntimeError as error:
        raise ValueError(f"it cannot be run as {model}: {error}") from error
    finally:
        process.close()
    if embedded.shape[1] != dim:
        raise ValueError(f"it returns embeddings of {embedded.shape[1]} numbers, but {model} has {dim}")
