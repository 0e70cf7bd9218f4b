"""The extractor that runs openSMILE on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import opensmile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.plugin import Embeddings, Waveform

RATE = 16_000  # Hz
MIN_SAMPLES = 1_600  # 0.1 s; openSMILE's longest window is 60 ms, and it returns NaN for less than two frames


class Functionals:
    """Extractor with one of openSMILE's feature sets, at the level of functionals.

    Args:
        feature_set: a member of `opensmile.FeatureSet`, such as `ComParE_2016`.
        dim: expected number of features.

    Raises:
        ValueError: the feature set has another number of features in the installed openSMILE.
    """

    def __init__(self, feature_set: str, dim: int) -> None:
        self._smile = opensmile.Smile(
            feature_set=opensmile.FeatureSet[feature_set],
            feature_level=opensmile.FeatureLevel.Functionals,
            num_workers=1,
        )
        if self._smile.num_features != dim:
            raise ValueError(f"opensmile gives {self._smile.num_features} features for {feature_set}, not {dim}")
        self._dim = dim

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return the features of each waveform.

        Args:
            waveforms: mono float32 at 16 kHz; those shorter than 0.1 s are padded with zeros on both sides.

        Returns:
            float32, shape (len(waveforms), dim).
        """
        features = np.empty((len(waveforms), self._dim), np.float32)
        for row, waveform in enumerate(waveforms):
            lacking = max(0, MIN_SAMPLES - len(waveform))
            signal = np.pad(waveform, (lacking // 2, lacking - lacking // 2)) if lacking else waveform
            features[row] = np.asarray(self._smile(signal, RATE)).reshape(self._dim)
        return features
