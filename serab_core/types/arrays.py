"""Arrays and other plain values, by what they mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Waveform: TypeAlias = npt.NDArray[np.float32]
"""Mono audio, 1-D, in [-1, 1] as decoded, at a rate that the context states."""
Embeddings: TypeAlias = npt.NDArray[np.float32]
"""One row an utterance, shape (n, dim)."""
Features: TypeAlias = npt.NDArray[np.float64]
"""Normalised embeddings, shape (n, dim): what classifiers see."""
Labels: TypeAlias = npt.NDArray[np.int64]
"""Class indices into the labels of the task, shape (n,)."""

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
GridValue: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, GridValue]
CorpusState: TypeAlias = Mapping[str, float | Sequence[float]]
"""What an extractor computed once for a corpus, as plain numbers, so that it can be stored and shown."""
