"""`chance` and `chance/stratified`: extractors with constant embeddings, scored with classifiers that guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.plugin import ExtractorSpec, hookimpl
from serab_plugin_baselines.citations import SERAB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import Embeddings, Register, Waveform

SERAB_API_VERSION = 1


class ConstantExtractor:
    """Extractor that returns the same number for every waveform."""

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return zeros, float32, shape (len(waveforms), 1)."""
        return np.zeros((len(waveforms), 1), np.float32)


_DESCRIPTIONS = {
    "majority": "always the most frequent class of training",
    "stratified": "draws classes as often as in training",
}


@hookimpl
def serab_register_extractors(register: Register[ExtractorSpec]) -> None:
    """Register both ways of guessing. The name `chance` means the majority class."""
    for classifier, description in _DESCRIPTIONS.items():
        register(
            ExtractorSpec(
                name="chance" if classifier == "majority" else f"chance/{classifier}",
                factory=ConstantExtractor,
                dim=1,
                summary=f"no embedding: {description}",
                licence="Apache-2.0",
                citation=SERAB,
                parameters={"guess": classifier},
                batch_size=256,
                classifiers=(classifier,),
            )
        )
