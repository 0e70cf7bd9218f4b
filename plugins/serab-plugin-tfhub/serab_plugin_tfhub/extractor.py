"""The extractor that runs a model of TensorFlow Hub on waveforms."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import free_cores
from serab_plugin_tfhub.framing import FRAMINGS
from serab_plugin_tfhub.serve import start

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serab_core.plugin import Embeddings, Process, Waveform


class Hub:
    """Extractor with a model that runs in the process of TensorFlow.

    Args:
        model: `vggish`, `yamnet` or `trill`.
        folder: folder of the SavedModel.
        framing: how waveforms are cut for the model: see `framing`.
        dim: length of an embedding.
    """

    def __init__(self, model: str, folder: Path, framing: str, dim: int) -> None:
        self._model, self._folder, self._dim = model, folder, dim
        self._framed = FRAMINGS[framing]

    def warm(self) -> None:
        """Start TensorFlow and load the model."""
        self.embed([np.zeros(16_000, np.float32)])

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return the means over frames of each waveform's embeddings.

        Args:
            waveforms: mono float32 at 16 kHz.

        Returns:
            float32, shape (len(waveforms), dim).

        Raises:
            RuntimeError: the model raised, or its process died.
        """
        # The models take one clip at a time, so an embedding never depends on other clips of a batch.
        return self._process.embed([self._framed(waveform) for waveform in waveforms])

    @cached_property
    def _process(self) -> Process:
        return start(self._model, self._folder, threads=free_cores())
