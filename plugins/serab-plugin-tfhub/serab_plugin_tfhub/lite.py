"""YAMNet as a TFLite file. It runs in this process, because its interpreter is small and starts quickly."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_plugin_tfhub.framing import PATCH_SAMPLES, overlapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from serab_core.plugin import Embeddings, Waveform

DIM = 1_024


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Discard the output that the library's native code writes to standard error."""
    sys.stderr.flush()
    before = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


class Lite:
    """Extractor with a TFLite classifier of 15,600 samples.

    The embedding is the input of the last layer, 1,024 numbers.

    Args:
        file: the TFLite file, quantised or not.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def warm(self) -> None:
        """Load the file. Raises ValueError for a file of another kind."""
        self._interpreter  # noqa: B018

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return the means over windows of 0.96 s, every 0.48 s.

        Args:
            waveforms: mono float32 at 16 kHz.

        Returns:
            float32, shape (len(waveforms), 1024).
        """
        rows = np.empty((len(waveforms), DIM), np.float32)
        for row, waveform in zip(rows, waveforms, strict=True):
            row[:] = np.mean([self._embed_window(window) for window in overlapping(waveform)], axis=0, dtype=np.float64)
        return rows

    def _embed_window(self, window: Any) -> Any:
        interpreter, inputs, embedding = self._interpreter
        interpreter.set_tensor(inputs["index"], window.reshape(inputs["shape"]))
        interpreter.invoke()
        value = interpreter.get_tensor(embedding["index"]).reshape(DIM)
        scale, zero = embedding["quantization"]
        return (value.astype(np.float32) - zero) * scale if scale else value.copy()

    @cached_property
    def _interpreter(self) -> tuple[Any, dict[str, Any], dict[str, Any]]:
        """The interpreter, its input tensor, and the last tensor of 1,024 numbers."""
        from ai_edge_litert.interpreter import Interpreter

        with warnings.catch_warnings(), _quiet():
            warnings.simplefilter("ignore")  # it warns that preserving inner tensors is meant for debugging
            try:
                interpreter = Interpreter(str(self._file), num_threads=1, experimental_preserve_all_tensors=True)
                interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise ValueError(f"it cannot be loaded as a TFLite file ({error})") from error
        inputs = interpreter.get_input_details()
        if len(inputs) != 1 or int(np.prod(inputs[0]["shape"])) != PATCH_SAMPLES or inputs[0]["dtype"] != np.float32:
            raise ValueError(f"it does not take {PATCH_SAMPLES} float32 samples: {inputs[0]['shape']}")
        interpreter.set_tensor(inputs[0]["index"], np.zeros(inputs[0]["shape"], np.float32))
        interpreter.invoke()
        inside = [
            tensor
            for tensor in interpreter.get_tensor_details()
            if tuple(tensor["shape"]) in ((1, DIM), (1, 1, 1, DIM)) and tensor["index"] != inputs[0]["index"]
        ]
        if not inside:
            raise ValueError(f"it has no tensor of {DIM} numbers before its classifier")
        return interpreter, inputs[0], inside[-1]
