"""Runs a HEAR module on waveforms."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from serab_plugin_hear.serve import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import Embeddings, Process, Waveform
    from serab_plugin_hear.model_info import ModelInfo


class Hear:
    """A module, in a process of its own.

    Args:
        about: what it is.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info

    def warm(self) -> None:
        """Loads the module."""
        self._process.ask({"do": "describe"})

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """The module's scene embeddings; clips of equal length together.

        Args:
            waveforms: mono float32 at the model's rate. None is padded.

        Returns:
            float32, shape (len(waveforms), dim).

        Raises:
            RuntimeError: the module raised, gave another shape than it declares, or its process died.
        """
        places: dict[int, list[int]] = {}
        for place, waveform in enumerate(waveforms):
            places.setdefault(len(waveform), []).append(place)
        rows = np.empty((len(waveforms), self._info.dim), np.float32)
        got = self._process.embed([np.stack([waveforms[place] for place in group]) for group in places.values()])
        rows[[place for group in places.values() for place in group]] = got
        return rows

    @cached_property
    def _process(self) -> Process:
        return start(self._info.module, self._info.weights)
