"""Type aliases for arrays and other plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Waveform: TypeAlias = npt.NDArray[np.float32]
"""Mono audio, 1-D, in [-1, 1] as decoded, at the sampling rate that the context states."""
Embeddings: TypeAlias = npt.NDArray[np.float32]
"""One row for each utterance, shape (n, dim)."""
Features: TypeAlias = npt.NDArray[np.float64]
"""Normalised embeddings, shape (n, dim): the input of classifiers."""
Labels: TypeAlias = npt.NDArray[np.int64]
"""Class indices into the labels of the task, shape (n,)."""

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
GridValue: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, GridValue]
CorpusState: TypeAlias = Mapping[str, float | Sequence[float]]
"""The statistics that an extractor computed for a corpus, as plain numbers that can be stored and shown."""
