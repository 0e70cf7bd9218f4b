"""The extractors: statistics, batches, options, short and long clips, and the conformance checks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from serab_plugin_byol.architecture import architecture
from serab_plugin_byol.encoders import build
from serab_plugin_byol.extractor import Byol, Settings
from serab_plugin_byol.front_end import buckets, lengthened, log_mel_spec, statistics

from serab_core import plugins
from serab_core.audio.mel import SERAB, log_mel
from serab_core.embed.corpus import known_state
from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.errors import UsageError, WeightsError
from serab_core.store.home import find_home
from serab_core.store.weights import import_weights
from serab_core.system.session import current_session
from serab_core.testing import extractor_checks

NAMES = [
    *(f"byol-a/{size}" for size in (512, 1024, 2048)),
    *(f"byol-s/{size}" for size in (512, 1024, 2048)),
    *(f"byol-s-cvt/{size}" for size in (256, 512, 2048)),
]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    current_session().close()
    yield find_home().ensure()
    current_session().close()


def weights_file(folder: Path, encoder: str, size: int) -> Path:
    torch.manual_seed(3)
    path = folder / f"{encoder}{size}.safetensors"
    save_file(build(architecture(encoder, size)).state_dict(), path)
    return path


def noise(*seconds: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal(int(s * 16_000))).astype(np.float32) for s in seconds]


def byol(folder: Path, encoder: str = "audiontt", size: int = 512, **settings) -> Byol:
    extractor = Byol(architecture(encoder, size), weights_file(folder, encoder, size), Settings(**settings))
    extractor.use_corpus({"logmel_mean": -6.0, "logmel_deviation": 4.0})
    return extractor


@pytest.mark.parametrize("name", NAMES)
def test_specs(name):
    spec = plugins.extractor(name)
    assert spec.dim == int(name.partition("/")[2])
    assert spec.weights[0].url.endswith(".pth")
    assert bool(spec.weights[0].terms) == name.startswith("byol-a")
    assert plugins.extractor(name.partition("/")[0]).dim == 2048


@pytest.mark.parametrize(
    ("name", "encoder", "size"), [("byol-s/1024", "audiontt", 1024), ("byol-s-cvt/256", "cvt", 256)]
)
def test_conforms(name, encoder, size, home, tmp_path):
    with pytest.raises(WeightsError, match="its plugin|is missing"):
        fingerprint_digest(plugins.extractor(name))
    import_weights(home, plugins.extractor(name).weights[0], weights_file(tmp_path, encoder, size), "made up")
    for check in extractor_checks(name):
        # The siblings differ in what they compute, not in how they start; SERAB_LONG=1 starts every one.
        if encoder == "audiontt" or not check.starts_processes or os.environ.get("SERAB_LONG"):
            check()


@pytest.mark.parametrize(("encoder", "size"), [("audiontt", 512), ("cvt", 2048)])
def test_a_batch_gives_what_each_clip_gives_alone(tmp_path, encoder, size):
    extractor = byol(tmp_path, encoder, size)
    clips = noise(2.0, 0.3, 1.1, 1.15, 0.05, 4.0, 1.12, 0.02)
    together = extractor.embed(clips)
    alone = np.concatenate([extractor.embed([clip]) for clip in clips])
    assert np.abs(together - alone).max() <= 1e-5 * np.abs(alone).max()


def test_short_clips_are_continued_on_both_sides():
    short = noise(0.05)[0]
    longer = lengthened(short, SERAB)
    assert SERAB.frames(len(longer)) == 8
    assert np.array_equal(longer[160:960], short)
    assert not longer[:160].any()
    assert not longer[960:].any()
    assert lengthened(longer, SERAB) is longer


def test_statistics_are_those_of_each_utterance_averaged():
    clips = noise(1.0, 0.4, 2.0, 0.7)
    mels = [log_mel(clip) for clip in clips]
    expected = np.mean([m.mean() for m in mels]), np.mean([m.std(ddof=1) for m in mels])
    np.testing.assert_allclose(statistics(iter(clips), SERAB), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="training split has no utterance"):
        statistics([], SERAB)


def test_buckets_waste_little_and_lose_nothing():
    frames = list(np.random.default_rng(0).integers(8, 2000, 200))
    batches = list(buckets(frames, 4000))
    assert sorted(place for bucket in batches for place in bucket) == list(range(200))
    for bucket in batches:
        lengths = [frames[place] for place in bucket]
        assert lengths[0] == max(lengths)
        assert len(lengths) == 1 or max(lengths) * len(lengths) <= 4000
        assert sum(lengths) >= 0.875 * max(lengths) * len(lengths)


def test_the_gpus_way_gives_the_same_log_mels(tmp_path):
    extractor = byol(tmp_path)
    signals = sorted(noise(1.0, 0.8, 1.0, 0.5), key=len, reverse=True)
    lengths = [SERAB.frames(len(signal)) for signal in signals]
    ours, theirs = extractor._cpu_batch(signals, lengths), extractor._gpu_batch(signals, lengths)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU is here")
def test_on_a_gpu(tmp_path):
    clips = noise(1.0, 0.3, 2.0)
    ours, theirs = byol(tmp_path).embed(clips), byol(tmp_path, device="cuda").embed(clips)
    assert np.abs(ours - theirs).max() <= 1e-2 * np.abs(ours).max()


def test_bfloat16_is_near_and_another_extractor(tmp_path):
    clips = noise(1.0, 0.5)
    exact, rounded = byol(tmp_path).embed(clips), byol(tmp_path, bf16=True).embed(clips)
    assert 0 < np.abs(exact - rounded).max() <= 0.03 * np.abs(exact).max()
    assert fingerprint_digest(plugins.extractor("byol-s/512+bf16")) != fingerprint_digest(
        plugins.extractor("byol-s/512")
    )


def test_options():
    assert plugins.extractor("byol-a/512+window=1024").parameters["window"] == 1024
    assert plugins.extractor("byol-a/512").parameters["window"] == 400
    assert plugins.extractor("byol-s/512+device=cuda:1").libraries == ("torch", "torchaudio")
    assert log_mel_spec(400) is SERAB
    for word in ("window=2000", "window=x", "device=tpu", "device=cpu:1", "bf16=yes", "stats=mine"):
        with pytest.raises(UsageError):
            plugins.extractor(f"byol-s/512+{word}")


def test_published_statistics():
    pytest.importorskip("serab_plugin_datasets")
    spec = plugins.extractor("byol-s/512+stats=published")
    assert known_state(spec, "emodb") == {"logmel_mean": -2.6927330493927, "logmel_deviation": 4.103071212768555}
    with pytest.raises(UsageError, match="no log-mel statistics are published"):
        known_state(spec, "demo")


def test_each_family_runs_on_demo_with_stand_ins(home, tmp_path):
    """The three extractors of the paper run through the command line, in sizes whose published sha256 is not known."""
    names = {"byol-a/1024": ("audiontt", 1024), "byol-s/1024": ("audiontt", 1024), "byol-s-cvt/256": ("cvt", 256)}
    for name, (encoder, size) in names.items():
        (weight,) = plugins.extractor(name).weights
        import_weights(home, weight, weights_file(tmp_path, encoder, size), "a stand-in")
    arguments = [
        "-c",
        "from serab_core.cli import main; main()",
        "eval",
        *names,
        "--tasks",
        "demo",
        "-c",
        "lda",
        "--json",
    ]
    completed = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=300, check=False)
    assert completed.returncode == 0, completed.stderr
    results = json.loads(completed.stdout)["results"]
    assert [result["extractor"] for result in results] == list(names)
    assert all(result["accuracy"] > 0.2 for result in results)
