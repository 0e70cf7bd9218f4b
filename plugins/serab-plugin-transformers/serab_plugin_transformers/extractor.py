"""The extractor that runs a model of the Hugging Face hub on waveforms."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serab_core.plugin import Embeddings, Waveform
    from serab_plugin_transformers.families import Shape

MIN_S = 0.1  # seconds; shorter clips are padded with zeros on both sides, because models fail on less than a window
_WHISPER_HOP = 320  # samples per frame of Whisper's encoder
_BATCH_S = 40.0  # maximum seconds of audio in a batch, including padding, unless one clip is longer


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings that the embeddings depend on, apart from the model.

    Attributes:
        layer: a number from 0 on, `mean` (mean of all layers), or `best` (all layers, concatenated).
        pool: pooling over time, `mean` or `meanstd`.
        device: `cpu`, `cuda` or `cuda:1`.
        bf16: whether to compute in bfloat16.
    """

    layer: str
    pool: str
    device: str
    bf16: bool


class Hf:
    """Extractor with a model of the transformers library.

    Args:
        name: name of the extractor, for messages.
        folder: folder of the model's files.
        shape: properties of the model.
        settings: settings of the embedding.
    """

    def __init__(self, name: str, folder: Path, shape: Shape, settings: Settings) -> None:
        self._name, self._folder, self._shape, self._settings = name, folder, shape, settings

    def warm(self) -> None:
        """Import torch and transformers, and load the model."""
        self._loaded  # noqa: B018

    def embed(self, waveforms: Sequence[Waveform]) -> Embeddings:
        """Return pooled hidden states.

        Args:
            waveforms: mono float32 at the model's rate. Those shorter than 0.1 s are padded with zeros on both sides;
                those longer than the model allows are cut into pieces.

        Returns:
            float32, shape (len(waveforms), dim). Row i equals the embedding of waveform i alone, within 1e-4.
        """
        pieces = [piece for waveform in waveforms for piece in self._pieces(waveform)]
        owners = [place for place, waveform in enumerate(waveforms) for _ in self._pieces(waveform)]
        # Sums over time for each clip, which add up over its pieces: count, sum and sum of squares of each layer.
        sums: dict[int, list[Any]] = {}
        for batch in self._batches([len(piece) for piece in pieces]):
            for place, states in zip(batch, self._run([pieces[place] for place in batch]), strict=True):
                clip_sums = sums.setdefault(owners[place], [0, 0.0, 0.0])
                clip_sums[0] += states.shape[1]
                wide = states.astype(np.float64)
                clip_sums[1] = clip_sums[1] + wide.sum(axis=1)
                clip_sums[2] = clip_sums[2] + (wide**2).sum(axis=1)
        return np.stack([self._pooled(*sums[place]) for place in range(len(waveforms))])

    def _pieces(self, waveform: Waveform) -> list[Waveform]:
        lacking = math.ceil(MIN_S * self._shape.rate) - len(waveform)
        if lacking > 0:
            return [np.pad(waveform, (lacking // 2, lacking - lacking // 2))]
        longest = int(self._shape.longest_s * self._shape.rate)
        if len(waveform) <= longest:
            return [waveform]
        count = math.ceil(len(waveform) / longest)  # pieces of equal length, so that none is too short
        edges = np.linspace(0, len(waveform), count + 1).astype(int)
        return [waveform[begin:end] for begin, end in pairwise(edges)]

    def _batches(self, lengths: list[int]) -> list[list[int]]:
        """Group pieces into batches: of equal lengths, or of similar lengths if the model accepts a padding mask."""
        order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
        batches: list[list[int]] = []
        for place in order:
            first = lengths[batches[-1][0]] if batches else 0
            fits = batches and (len(batches[-1]) + 1) * first <= _BATCH_S * self._shape.rate
            compatible = lengths[place] == first if not self._shape.masked else 2 * lengths[place] >= first
            if fits and compatible:
                batches[-1].append(place)
            else:
                batches.append([place])
        return batches

    def _run(self, pieces: list[Waveform]) -> list[Any]:
        """Return the hidden states of each piece, float32, shape (layers, frames, width); `best` has all layers."""
        import torch

        model, front = self._loaded
        settings, kind = self._settings, self._shape.kind
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the library's warnings address developers
            if kind == "waves":
                given = front(pieces, sampling_rate=self._shape.rate, padding=True, return_tensors="pt")
                mask = given.get("attention_mask") if self._shape.masked else None
                output = model(self._tensor(given["input_values"]), **self._masked(mask), output_hidden_states=True)
                frames = self._frames(model, [len(piece) for piece in pieces], output.hidden_states[-1].shape[1])
            elif kind == "other":
                given = front(pieces, sampling_rate=self._shape.rate, padding=True, return_tensors="pt")
                output = model(**{key: self._moved(value) for key, value in given.items()}, output_hidden_states=True)
                frames = [output.hidden_states[-1].shape[1]] * len(pieces)
            else:
                given = front(pieces, sampling_rate=self._shape.rate, return_tensors="pt")
                key = "input_features" if kind == "whisper" else "input_values"
                output = model(self._tensor(given[key]), output_hidden_states=True)
            states = output.hidden_states
            if kind == "whisper":
                frames = [max(1, math.ceil(len(piece) / _WHISPER_HOP)) for piece in pieces]
            elif kind == "ast":
                states, frames = self._patches(model.config, states, pieces)
            if settings.layer == "mean":
                chosen = torch.stack([state.float() for state in states]).mean(0)[:, None]
            elif settings.layer == "best":
                chosen = torch.stack([state.float() for state in states], 1)
            else:
                chosen = states[int(settings.layer)].float()[:, None]
            hidden = chosen.cpu().numpy()
        return [hidden[row, :, :count] for row, count in enumerate(frames)]

    def _pooled(self, count: int, total: Any, squares: Any) -> Any:
        """Return the mean over time, and the deviation for `meanstd`, layer by layer."""
        mean = total / count
        if self._settings.pool == "mean":
            return mean.astype(np.float32).ravel()
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
        return np.concatenate([mean, deviation], axis=1).astype(np.float32).ravel()

    def _frames(self, model: Any, lengths: list[int], total: int) -> list[int]:
        if not self._shape.masked or len(set(lengths)) == 1:
            return [total] * len(lengths)
        import torch

        counted = model._get_feat_extract_output_lengths(torch.tensor(lengths))
        return [min(total, int(count)) for count in counted]

    def _patches(self, config: Any, states: Any, pieces: list[Waveform]) -> tuple[Any, list[int]]:
        """Return AST's tokens without the two special ones, ordered by time, and the number of each clip's tokens."""
        bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
        sorted_states = []
        for state in states:
            tokens = state[:, 2:]
            grid = tokens.reshape(len(tokens), bands, -1, tokens.shape[-1]).transpose(1, 2)
            sorted_states.append(grid.reshape(tokens.shape))
        most = tokens.shape[1] // bands
        counts = []
        for piece in pieces:
            filled = (len(piece) * 100 // self._shape.rate - config.patch_size) // config.time_stride + 1
            counts.append(bands * min(most, max(1, filled)))
        return sorted_states, counts

    def _tensor(self, values: Any) -> Any:
        import torch

        kind = torch.bfloat16 if self._settings.bf16 else torch.float32
        return values.to(device=self._settings.device, dtype=kind)

    def _moved(self, values: Any) -> Any:
        """Return values on the device; floating-point values are converted as in `_tensor`, masks stay integers."""
        return self._tensor(values) if values.is_floating_point() else values.to(self._settings.device)

    def _masked(self, mask: Any) -> dict[str, Any]:
        return {} if mask is None else {"attention_mask": mask.to(self._settings.device)}

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The model (of Whisper, the encoder) and its feature extractor."""
        import torch

        from serab_plugin_transformers.loading import load

        kind = torch.bfloat16 if self._settings.bf16 else torch.float32
        model, front = load(self._folder, self._name, kind)
        if self._shape.kind == "whisper":
            model = model.get_encoder()
        return model.to(self._settings.device), front
