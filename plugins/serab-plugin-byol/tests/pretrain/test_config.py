"""Hyper-parameters: presets, reading and writing TOML, and invalid values."""

from __future__ import annotations

import pytest
from serab_plugin_byol.pretrain.config import PRESETS, Config, changed, parse_settings, preset, read

from serab_core.errors import UsageError


def test_presets_say_what_their_sources_say():
    paper, released, serab = preset("byol-a-2021"), preset("byol-s-released"), preset("byol-s")
    assert (paper.window, paper.random_crop, paper.optimiser, paper.weight_decay) == (1024, True, "adam", 0.0)
    assert (released.window, released.random_crop, released.optimiser, released.weight_decay) == (
        400, False, "adamw", 0.01,
    )  # fmt: skip
    assert (serab.window, serab.random_crop, serab.optimiser) == (1024, True, "adam")
    for config in (paper, released, serab):
        assert (config.unit, config.batch, config.epochs, config.ema, config.learning_rate) == (
            15_200,
            256,
            100.0,
            0.99,
            3e-4,
        )
        assert (config.mixup_ratio, config.mixup_memory, config.canvas, config.crop_low, config.crop_high) == (
            0.4, 2048, 1.5, 0.6, 1.5,
        )  # fmt: skip
        assert (config.hidden, config.projection, config.seed, config.prenorm_epochs) == (4096, 256, 42, 10.0)


@pytest.mark.parametrize("name", PRESETS)
def test_toml_there_and_back(name, tmp_path):
    config = changed(preset(name), {"size": 512, "unit_s": 0.5}, "test")
    path = tmp_path / "config.toml"
    path.write_text(config.to_toml())
    assert read(path, Config()) == config


def test_settings():
    assert parse_settings(["size=512", "random_crop=false", "encoder=cvt", "ema = 0.9"]) == {
        "size": 512, "random_crop": False, "encoder": "cvt", "ema ": 0.9,
    }  # fmt: skip
    assert changed(Config(), {"epochs": 3}, "test").epochs == 3.0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learnin_rate": 1e-3}, "Did you mean .learning_rate"),
        ({"size": "512"}, "size must be of type int, not '512'"),
        ({"random_crop": 1}, "random_crop must be of type bool"),
        ({"epochs": True}, "epochs must be of type float"),
        ({"size": 100}, "100"),
        ({"encoder": "resnet"}, "resnet"),
        ({"optimiser": "sgd"}, "optimiser must be adam or adamw"),
        ({"unit_s": 0.01}, "unit_s must be"),
        ({"crop_low": 1.0, "crop_high": 0.5}, "crop_low and crop_high"),
        ({"ema": 1.5}, "ema must be"),
        ({"batch": 1}, "batch must be at least 2"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0"),
        ({"mixup_memory": -1}, "mixup_memory"),
        ({"mixup_ratio": 2.0}, "mixup_ratio"),
        ({"window": 2048}, "window must be"),
        ({"epochs": float("nan")}, "epochs"),
        ({"learning_rate": float("nan")}, "learning_rate"),
    ],
)
def test_refused(values, message):
    with pytest.raises(UsageError, match=message.replace("(", "\\(")):
        changed(Config(), values, "test")


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe", b"size = 512\nsize = 512"])
def test_a_file_that_is_no_toml(tmp_path, content):
    path = tmp_path / "c.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read as TOML"):
        read(path, Config())
    with pytest.raises(UsageError, match="cannot be read as TOML"):
        read(tmp_path / "missing.toml", Config())


def test_a_preset_that_is_none():
    with pytest.raises(UsageError, match="byol-a-2021"):
        preset("byol-b")
    with pytest.raises(UsageError, match="--set size has no value"):
        parse_settings(["size"])
