"""Extractors of serab as HEAR modules, which pass the checks of hear-validator."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from serab_plugin_hear.command import export_command

from serab_core import plugins
from serab_core.errors import UsageError
from serab_core.system.session import current_session


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    current_session().close()
    yield
    current_session().close()


@pytest.fixture
def module(tmp_path):
    export_command("mfcc-stats", tmp_path / "mine_hear.py")
    spec = importlib.util.spec_from_file_location("mine_hear", tmp_path / "mine_hear.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_scenes_are_the_extractors(module):
    model = module.load_model("weights.pt")
    audio = torch.rand(3, 20_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    got = module.get_scene_embeddings(audio, model)
    want = plugins.extractor("mfcc-stats").factory().embed(list(audio.numpy()))
    assert got.dtype == torch.float32
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-5, atol=1e-6)


def test_time_stamps_see_a_second_around_them(module):
    model = module.load_model()
    audio = torch.rand(2, 32_000, generator=torch.Generator().manual_seed(0)) * 2 - 1
    got, stamps = module.get_timestamp_embeddings(audio, model)
    assert got.shape == (2, 41, 80)
    np.testing.assert_allclose(stamps[1].numpy(), np.arange(41) * 50.0)
    at = 20  # 1,000 ms: from 0.5 to 1.5 s
    np.testing.assert_allclose(got[:, at].numpy(), model(audio[:, 8_000:24_000]).numpy(), rtol=1e-5, atol=1e-6)
    silent = torch.cat([torch.zeros(2, 8_000), audio[:, :8_000]], 1)
    np.testing.assert_allclose(got[:, 0].numpy(), model(silent).numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("extractor", ["mfcc-stats"])
def test_hear_validator_is_content(extractor, tmp_path):
    if importlib.util.find_spec("hearvalidator") is None:  # it would import TensorFlow here, beside torch
        pytest.skip("hear-validator is not installed")
    export_command(extractor, tmp_path / "mine_hear.py")
    script = "from hearvalidator.validate import ValidateModel; ValidateModel('mine_hear', '', 'cpu')()"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(tmp_path)}
    completed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr
    assert "Checking get_scene_embeddings" in completed.stdout


def test_there_and_back(tmp_path):
    export_command("logmel-stats", tmp_path / "mine_hear.py")
    spec = plugins.extractor("hear:./mine_hear.py")
    assert (spec.dim, spec.sample_rate) == (128, 16_000)
    extractor = spec.factory()
    clips = [np.random.default_rng(0).uniform(-0.5, 0.5, n).astype(np.float32) for n in (16_000, 9_000)]
    want = plugins.extractor("logmel-stats").factory().embed(clips)
    np.testing.assert_allclose(extractor.embed(clips), want, rtol=1e-5, atol=1e-6)
    extractor._process.close()


def test_names_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="is not a valid file name of a module"):
        export_command("mfcc-stats", tmp_path / "my-module.py")
