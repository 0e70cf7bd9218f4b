"""Families of models: the format of their input, and how hidden states relate to time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serab_core.plugin import UsageError
from serab_plugin_transformers.checkpoint import require_front_end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serab_plugin_transformers.hub import Model


LONGEST_S = 60.0
"""Maximum seconds of a piece for models that accept any length: memory grows with it, in some models quadratically.

All clips of SERAB are shorter.
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """The properties of a model that the extractor needs.

    Attributes:
        kind: `waves` (raw samples), `whisper` (30 s of log-mels), `ast` (a fixed number of log-mel frames), or `other`
            (the output of the model's feature extractor).
        width: width of a hidden state.
        layers: number of hidden states: the input of the first layer, and the output of each layer.
        rate: sample rate in Hz.
        longest_s: maximum length of a piece in seconds; longer clips are cut into pieces.
        masked: whether the model accepts a padding mask, so that clips of several lengths may share a batch.
    """

    kind: str
    width: int
    layers: int
    rate: int
    longest_s: float
    masked: bool


def shape_of(model: Model) -> Shape:
    """Return the properties of a model from its configuration.

    Raises:
        UsageError: the model does not take audio, or its type is unknown.
    """
    config, front = model.config, model.front_end
    kind = str(config.get("model_type", ""))
    require_front_end(config, front, f"hf:{model.argument}")
    rate = int(front.get("sampling_rate", 16_000))
    if kind == "whisper":
        return Shape("whisper", _whole(model, "d_model"), _whole(model, "encoder_layers") + 1, rate, 30.0, True)
    width, layers = _whole(model, "hidden_size"), _whole(model, "num_hidden_layers") + 1
    if kind == "audio-spectrogram-transformer":
        frames = int(front.get("max_length", config.get("max_length", 1_024)))
        return Shape("ast", width, layers, rate, frames * 0.01, False)
    if "sampling_rate" not in front:
        raise UsageError(
            f"is of type {kind or 'unknown'}, and has no feature extractor that takes samples",
            where=f"hf:{model.argument}",
            next_step="use an audio encoder, such as wav2vec2, HuBERT, WavLM, Whisper or AST",
        )
    if front.get("feature_extractor_type") != "Wav2Vec2FeatureExtractor":
        return Shape("other", width, layers, rate, LONGEST_S, False)
    # A group norm over time (wav2vec2-base) includes padding, even with a mask.
    masked = bool(front.get("return_attention_mask")) and config.get("feat_extract_norm") == "layer"
    return Shape("waves", width, layers, rate, LONGEST_S, masked)


def _whole(model: Model, name: str) -> int:
    config: Mapping[str, Any] = model.config
    value = config.get(name)
    if not isinstance(value, int) or value < 1:
        raise UsageError(
            f"its config.json has no {name}: the model does not take audio, or its type is unknown",
            where=f"hf:{model.argument}",
            next_step="use an audio encoder, such as wav2vec2, HuBERT, WavLM, Whisper or AST",
        )
    return value
