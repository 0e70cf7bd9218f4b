"""The HEAR API around an extractor of serab, which the modules written by `serab hear-export` use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch

from serab_core.plugin import get_extractor

if TYPE_CHECKING:
    from torch import Tensor

HOP_MS = 50.0  # milliseconds between time stamps
WINDOW_S = 1.0  # seconds of audio for the embedding of a time stamp, centred at the time stamp


class SerabModel(torch.nn.Module):
    """Model in the form of the HEAR API, around an extractor.

    Args:
        name: name of the extractor.
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
        """Return embeddings of clips, shape (n, samples) -> (n, dim)."""
        clips = list(np.ascontiguousarray(audio.detach().cpu().numpy(), np.float32))
        rows = [
            np.array(
                self._extractor.embed(clips[begin : begin + self._batch_size])
            )  # a copy, because the extractor may reuse its buffer
            for begin in range(0, len(clips), self._batch_size)
        ]
        return torch.from_numpy(np.concatenate(rows)).to(audio.device)


class Api(NamedTuple):
    """The three functions of the API."""

    load_model: Callable[..., SerabModel]
    get_timestamp_embeddings: Callable[[Tensor, SerabModel], tuple[Tensor, Tensor]]
    get_scene_embeddings: Callable[[Tensor, SerabModel], Tensor]


def hear_api(name: str, state: dict[str, Any] | None = None) -> Api:
    """Return the HEAR API of an extractor.

    Args:
        name: name of the extractor.
        state: corpus statistics, for an extractor that uses them.
    """

    def load_model(model_file_path: str = "") -> SerabModel:
        """Return the model. The path is ignored, because serab finds the weights."""
        return SerabModel(name, state)

    return Api(load_model, get_timestamp_embeddings, get_scene_embeddings)


def get_scene_embeddings(audio: Tensor, model: SerabModel) -> Tensor:
    """Return embeddings of whole clips, float32, shape (n, dim)."""
    embedded: Tensor = model(audio)
    return embedded


def get_timestamp_embeddings(audio: Tensor, model: SerabModel) -> tuple[Tensor, Tensor]:
    """Return embeddings of 1 s of audio around every 50 ms, with silence beyond the ends of a clip.

    Returns:
        embeddings, float32, shape (n, stamps, dim), and the time stamps in ms, shape (n, stamps).
    """
    n, samples = audio.shape
    width = round(WINDOW_S * model.sample_rate)
    count = int(1_000.0 * samples / model.sample_rate / HOP_MS) + 1
    stamps = torch.arange(count, dtype=torch.float32, device=audio.device) * HOP_MS
    # Each centre is rounded separately, so that rounding errors do not accumulate over a long clip.
    starts = [round(i * HOP_MS * model.sample_rate / 1_000.0) for i in range(count)]
    padded = torch.nn.functional.pad(audio, (width // 2, width))
    rows = [model(padded[:, start : start + width]) for start in starts]
    return torch.stack(rows, dim=1), stamps.expand(n, count)
