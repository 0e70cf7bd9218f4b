"""What the families of models need to be told: how clips go in, and which hidden states stand for which time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serab_core.plugin import UsageError
from serab_plugin_transformers.checkpoint import require_front_end

if TYPE_CHECKING:
    from collections.abc import Mapping

    from serab_plugin_transformers.hub import Model


LONGEST_S = 60.0
"""Of a clip, for models that take any length: memory grows with it, in some by its square. SERAB's are shorter."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A model, as far as serab has to know it.

    Attributes:
        kind: `waves` (raw samples), `whisper` (30 s of log-mels), `ast` (a fixed number of log-mel frames), or `other`,
            whatever its feature extractor makes of samples.
        width: of a hidden state.
        layers: how many hidden states there are: the input of the first layer, and the output of each.
        rate: of the samples, Hz.
        longest_s: of a clip; a longer one goes in piece by piece.
        masked: whether padded samples can be told to the model, so that clips of several lengths may share a batch.
    """

    kind: str
    width: int
    layers: int
    rate: int
    longest_s: float
    masked: bool


def shape_of(model: Model) -> Shape:
    """The shape of a model, by its configuration.

    Raises:
        UsageError: it does not hear, or is of no known shape.
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
            next_step="wav2vec2 and its kin, Whisper, AST and other encoders of audio can be scored",
        )
    if front.get("feature_extractor_type") != "Wav2Vec2FeatureExtractor":
        return Shape("other", width, layers, rate, LONGEST_S, False)
    # Group norm over time (wav2vec2-base) sees padding, whatever it is told.
    masked = bool(front.get("return_attention_mask")) and config.get("feat_extract_norm") == "layer"
    return Shape("waves", width, layers, rate, LONGEST_S, masked)


def _whole(model: Model, name: str) -> int:
    config: Mapping[str, Any] = model.config
    value = config.get(name)
    if not isinstance(value, int) or value < 1:
        raise UsageError(
            f"its config.json has no {name}: it is no model that hears, or of an unknown shape",
            where=f"hf:{model.argument}",
            next_step="wav2vec2 and its kin, Whisper, AST and other encoders of audio can be scored",
        )
    return value
