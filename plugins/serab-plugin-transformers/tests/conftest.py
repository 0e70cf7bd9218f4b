"""Fixtures: tiny models of each family with random weights, saved in the format of the hub."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from serab_core.system.session import current_session

SMALL = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24,
    "conv_dim": (8, 8, 8), "conv_kernel": (10, 8, 4), "conv_stride": (5, 8, 8), "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip


def waves(config, model, *, masked: bool):
    front = transformers.Wav2Vec2FeatureExtractor(return_attention_mask=masked, do_normalize=True)
    return model(config), front


def make(name: str):
    t = transformers
    if name == "wav2vec2":
        return waves(t.Wav2Vec2Config(**SMALL), t.Wav2Vec2Model, masked=False)
    if name == "wav2vec2-layer":
        config = t.Wav2Vec2Config(**SMALL, feat_extract_norm="layer", do_stable_layer_norm=True)
        return waves(config, t.Wav2Vec2Model, masked=True)
    if name == "hubert":
        return waves(t.HubertConfig(**SMALL), t.HubertModel, masked=False)
    if name == "wavlm":
        return waves(t.WavLMConfig(**SMALL, feat_extract_norm="layer"), t.WavLMModel, masked=True)
    if name == "whisper":
        config = t.WhisperConfig(
            d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
            encoder_ffn_dim=24, decoder_ffn_dim=24, vocab_size=60, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            decoder_start_token_id=1, num_mel_bins=80,
        )  # fmt: skip
        return t.WhisperModel(config), t.WhisperFeatureExtractor()
    if name == "wav2vec2-bert":
        config = t.Wav2Vec2BertConfig(
            hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
            conv_depthwise_kernel_size=5,
        )  # fmt: skip
        return t.Wav2Vec2BertModel(config), t.SeamlessM4TFeatureExtractor()
    config = t.ASTConfig(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24)
    return t.ASTModel(config), t.ASTFeatureExtractor()


WIDTHS = {
    "wav2vec2": (16, 4), "wav2vec2-layer": (16, 4), "hubert": (16, 4), "wavlm": (16, 4), "whisper": (16, 3),
    "ast": (16, 3), "wav2vec2-bert": (16, 3),
}  # fmt: skip


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """Return a folder with a model of each family."""
    folder = tmp_path_factory.mktemp("models")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    for name in WIDTHS:
        torch.manual_seed(0)
        model, front = make(name)
        model.save_pretrained(folder / name)
        front.save_pretrained(folder / name)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch, models):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(models)
    current_session().close()
    yield
    current_session().close()
