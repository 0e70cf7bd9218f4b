"""The process that TensorFlow runs in: `python -m serab_plugin_tfhub.serve FOLDER MODEL THREADS`."""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.plugin import Process, serve

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = 16_000


def start(model: str, folder: Path, threads: int) -> Process:
    """Start the process.

    Args:
        model: `vggish`, `yamnet` or `trill`.
        folder: folder of the SavedModel.
        threads: threads of TensorFlow.
    """
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    # The sums of oneDNN depend on the number of threads, so oneDNN is switched off.
    arguments = [str(folder), model, str(threads)]
    return Process("TensorFlow", "serab_plugin_tfhub.serve", arguments, {**quiet, "TF_ENABLE_ONEDNN_OPTS": "0"})


def vggish(module: Any, rows: Any) -> list[Any]:
    """Return the embeddings of the frames of each row."""
    return [module(row) for row in rows]


def yamnet(module: Any, rows: Any) -> list[Any]:
    """Return the embeddings of each row: the second of the outputs scores, embeddings and log-mel."""
    return [module(row)[1] for row in rows]


def trill(module: Any, rows: Any) -> list[Any]:
    """Return layer 19 for the frames of each row."""
    return [module(samples=rows, sample_rate=RATE)["layer19"]]


MODELS: dict[str, Callable[[Any, Any], list[Any]]] = {"vggish": vggish, "yamnet": yamnet, "trill": trill}


@cache
def _load(folder: str, threads: int) -> Any:
    import tensorflow as tf
    import tensorflow_hub as hub

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    return hub.load(folder)


def _pooled(outputs: list[Any]) -> Any:
    """Return the mean over all frames, float32, shape (d,)."""
    frames = [np.asarray(output, np.float64) for output in outputs]
    flat = np.concatenate([output.reshape(-1, output.shape[-1]) for output in frames])
    return flat.mean(axis=0).astype(np.float32)


if __name__ == "__main__":
    given_folder, given_model, given_threads = sys.argv[1:]
    serve(
        lambda waveforms: np.stack(
            [_pooled(MODELS[given_model](_load(given_folder, int(given_threads)), rows)) for rows in waveforms]
        )
    )
