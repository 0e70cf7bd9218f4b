"""The HEAR API around an extractor of serab: what a module that `serab hear-export` wrote hands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch

from serab_core.plugin import get_extractor

if TYPE_CHECKING:
    from torch import Tensor

HOP_MS = 50.0
"""Between time stamps."""
WINDOW_S = 1.0
"""That a time stamp's embedding sees, half before and half after it."""


class SerabModel(torch.nn.Module):
    """An extractor as HEAR wants a model.

    Args:
        name: the extractor's.
        state: corpus statistics, for an extractor that uses them.
    """

    def __init__(self, name: str, state: dict[str, Any] | None) -> None:
        super().__init__()
        spec = get_extractor(name)
        self.sample_rate: int = spec.sample_rate
        self.scene_embedding_size: int = spec.dim
        self.timestamp_embedding_size: int = spec.dim
        self._extractor = cast("Any", spec.factory())
        self._batch_size = spec.batch_size
        if state is not None:
            self._extractor.use_corpus(state)

    def forward(self, audio: Tensor) -> Tensor:
        """Embeddings of clips, shape (n, samples) -> (n, dim)."""
        clips = list(np.ascontiguousarray(audio.detach().cpu().numpy(), np.float32))
        rows = [
            np.array(self._extractor.embed(clips[begin : begin + self._batch_size]))  # it may reuse its memory
            for begin in range(0, len(clips), self._batch_size)
        ]
        return torch.from_numpy(np.concatenate(rows)).to(audio.device)


class Api(NamedTuple):
    """The three functions of the API."""

    load_model: Callable[..., SerabModel]
    get_timestamp_embeddings: Callable[[Tensor, SerabModel], tuple[Tensor, Tensor]]
    get_scene_embeddings: Callable[[Tensor, SerabModel], Tensor]


def hear_api(name: str, state: dict[str, Any] | None = None) -> Api:
    """The API of an extractor.

    Args:
        name: the extractor's.
        state: corpus statistics, for an extractor that uses them.
    """

    def load_model(model_file_path: str = "") -> SerabModel:
        """The model; its weights are serab's to find, so that the path is not looked at."""
        return SerabModel(name, state)

    return Api(load_model, get_timestamp_embeddings, get_scene_embeddings)


def get_scene_embeddings(audio: Tensor, model: SerabModel) -> Tensor:
    """Embeddings of whole clips, float32, shape (n, dim)."""
    embedded: Tensor = model(audio)
    return embedded


def get_timestamp_embeddings(audio: Tensor, model: SerabModel) -> tuple[Tensor, Tensor]:
    """Embeddings of 1 s around every 50 ms, silence beyond the ends.

    Returns:
        float32, shape (n, stamps, dim), and the stamps in ms, shape (n, stamps).
    """
    n, samples = audio.shape
    width = round(WINDOW_S * model.sample_rate)
    count = int(1_000.0 * samples / model.sample_rate / HOP_MS) + 1
    stamps = torch.arange(count, dtype=torch.float32, device=audio.device) * HOP_MS
    # Each centre is rounded by itself, so that nothing adds up over a long clip.
    starts = [round(i * HOP_MS * model.sample_rate / 1_000.0) for i in range(count)]
    padded = torch.nn.functional.pad(audio, (width // 2, width))
    rows = [model(padded[:, start : start + width]) for start in starts]
    return torch.stack(rows, dim=1), stamps.expand(n, count)
