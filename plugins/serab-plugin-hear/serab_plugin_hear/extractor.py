"""The extractor that runs a HEAR module on waveforms."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from serab_plugin_hear.serve import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import Embeddings, Process, Waveform
    from serab_plugin_hear.documents import ModelInfo


class Hear:
    """Extractor that runs a module in a process of its own.

    Args:
        info: properties of the module.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info

    def warm(self) -> None:
        """Load the module."""
        self._process.ask({"do": "describe"})

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return the module's scene embeddings. Clips of equal length form one batch.

        Args:
            waveforms: mono float32 at the model's rate; they are never padded.

        Returns:
            float32, shape (len(waveforms), dim).

        Raises:
            RuntimeError: the module raised, returned another shape than it declares, or its process died.
        """
        groups: dict[int, list[int]] = {}
        for index, waveform in enumerate(waveforms):
            groups.setdefault(len(waveform), []).append(index)
        rows = np.empty((len(waveforms), self._info.dim), np.float32)
        embedded = self._process.embed([np.stack([waveforms[index] for index in group]) for group in groups.values()])
        rows[[index for group in groups.values() for index in group]] = embedded
        return rows

    @cached_property
    def _process(self) -> Process:
        return start(self._info.module, self._info.weights)
