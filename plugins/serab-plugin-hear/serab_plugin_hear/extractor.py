"""Runs a HEAR module on waveforms."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from serab_plugin_hear.serve import start

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import Embeddings, Process, Waveform
    from serab_plugin_hear.about import About


class Hear:
    """A module, in a process of its own.

    Args:
        about: what it is.
    """

    def __init__(self, about: About) -> None:
        self._about = about

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
        rows = np.empty((len(waveforms), self._about.dim), np.float32)
        got = self._process.embed([np.stack([waveforms[place] for place in own]) for own in places.values()])
        rows[[place for own in places.values() for place in own]] = got
        return rows

    @cached_property
    def _process(self) -> Process:
        return start(self._about.module, self._about.weights)
