"""A SavedModel out of the tar that it is published as."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from serab_plugin_tfhub.serve import start


def unpack(source: Path, target: Path) -> None:
    """Unpacks a SavedModel, which may lie in a folder of its own.

    Args:
        source: a tar, compressed or not.
        target: an empty folder.

    Raises:
        ValueError: it is no tar, is damaged, or holds no SavedModel.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpack-") as scratch:
        try:
            with tarfile.open(source) as tar:
                tar.extractall(scratch, filter="data")
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ValueError(f"it is no tar that can be unpacked ({type(error).__name__}: {error})") from error
        paths = sorted(Path(scratch).rglob("saved_model.pb"), key=lambda path: len(path.parts))
        if not paths:
            raise ValueError("it holds no saved_model.pb")
        for path in paths[0].parent.iterdir():
            shutil.move(path, target / path.name)


def check(folder: Path, model: str, dim: int) -> None:
    """Runs the model on a second of silence, in TensorFlow's process.

    Raises:
        ValueError: it cannot be loaded, cannot be called as this model is, or gives embeddings of another length.
    """
    process = start(model, folder, threads=1)
    try:
        got = process.embed([np.zeros((1, 16_000), np.float32)])
    except RuntimeError as error:
        raise ValueError(f"it cannot be run as {model}: {error}") from error
    finally:
        process.close()
    if got.shape[1] != dim:
        raise ValueError(f"it gives embeddings of {got.shape[1]} numbers, {model} has {dim}")
