"""Models of the hub as extractors: families, layers, pooling, padding, long and short clips, and missing models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from serab_core import plugins
from serab_core.cli.main import run as serab
from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.errors import UnknownNameError, UsageError, WeightsError
from serab_core.testing import extractor_checks

NAMES = {"wav2vec2": 4, "wav2vec2-layer": 4, "hubert": 4, "wavlm": 4, "whisper": 3, "ast": 3, "wav2vec2-bert": 3}


def noise(*seconds: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    clips = [rng.standard_normal(int(16_000 * s)).astype(np.float32) for s in seconds]
    return [0.1 * clip * np.linspace(0.2, 1, len(clip), dtype=np.float32) for clip in clips]


def make_extractor(name: str):
    return plugins.extractor(name).factory()


@pytest.mark.parametrize("name", NAMES)
def test_conforms(name):
    for check in extractor_checks(f"hf:./{name}"):
        # The siblings differ in what they compute, not in how they start; SERAB_LONG=1 starts every one.
        if name == "wav2vec2" or not check.starts_processes or os.environ.get("SERAB_LONG"):
            check()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("options", ["", "+layer=best+pool=meanstd", "+layer=mean"])
def test_a_batch_is_its_clips(name, options):
    spec = plugins.extractor(f"hf:./{name}{options}")
    extractor = spec.factory()
    clips = noise(1.0, 0.61, 1.37, 0.61, 0.05)
    got = extractor.embed(clips)
    assert got.shape == (5, spec.dim)
    alone = np.concatenate([extractor.embed([clip]) for clip in clips])
    np.testing.assert_allclose(got, alone, rtol=1e-4, atol=1e-4)
    assert not np.allclose(got[0], got[1], atol=1e-4)


@pytest.mark.parametrize(("name", "layers"), NAMES.items())
def test_layers(name, layers):
    clips = noise(0.8)
    best = plugins.extractor(f"hf:./{name}+layer=best")
    assert best.layers == tuple(str(number) for number in range(layers))
    every = best.factory().embed(clips).reshape(layers, 16)
    for number in (0, 1, -1):
        np.testing.assert_allclose(
            make_extractor(f"hf:./{name}+layer={number}").embed(clips)[0], every[number], rtol=1e-5, atol=1e-6
        )
    np.testing.assert_allclose(
        make_extractor(f"hf:./{name}+layer=mean").embed(clips)[0], every.mean(axis=0), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(make_extractor(f"hf:./{name}").embed(clips)[0], every[-1], rtol=1e-5, atol=1e-6)


def test_the_last_layer_is_the_librarys_own_answer(models):
    """The embedding is the mean and deviation of the last hidden state that the classes of wav2vec2 return."""
    (clip,) = noise(1.0)
    front = transformers.AutoFeatureExtractor.from_pretrained(models / "wav2vec2")
    model = transformers.AutoModel.from_pretrained(models / "wav2vec2").eval()
    with torch.no_grad():
        state = model(**front(clip, sampling_rate=16_000, return_tensors="pt")).last_hidden_state[0].numpy()
    got = make_extractor("hf:./wav2vec2+pool=meanstd").embed([clip])[0]
    np.testing.assert_allclose(got, np.concatenate([state.mean(axis=0), state.std(axis=0)]), rtol=1e-4, atol=1e-5)


def test_whisper_looks_at_the_clip_and_not_at_the_silence_behind_it(models):
    (clip,) = noise(2.0)
    front = transformers.AutoFeatureExtractor.from_pretrained(models / "whisper")
    model = transformers.AutoModel.from_pretrained(models / "whisper").get_encoder().eval()
    with torch.no_grad():
        state = (
            model(front(clip, sampling_rate=16_000, return_tensors="pt").input_features).last_hidden_state[0].numpy()
        )
    np.testing.assert_allclose(
        make_extractor("hf:./whisper").embed([clip])[0], state[:100].mean(axis=0), rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(("name", "seconds"), [("whisper", 70.0), ("ast", 25.0)])
def test_long_clips_go_in_piece_by_piece(name, seconds):
    (clip,) = noise(seconds)
    extractor = make_extractor(f"hf:./{name}")
    pieces = extractor._pieces(clip)
    assert len(pieces) == 3
    np.testing.assert_array_equal(np.concatenate(pieces), clip)
    weights = [extractor._run([piece])[0].shape[1] for piece in pieces]
    want = np.average(np.concatenate([extractor.embed([piece]) for piece in pieces]), axis=0, weights=weights)
    np.testing.assert_allclose(extractor.embed([clip])[0], want, rtol=1e-4, atol=1e-5)


def test_ast_counts_the_patches_that_the_clip_fills():
    extractor = make_extractor("hf:./ast")
    # 16 frames of 10 ms to a patch, a patch every 10 frames, 12 bands of patches.
    for seconds, across in ((1.0, 9), (0.1, 1), (10.24, 101)):
        assert extractor._run(noise(seconds))[0].shape == (1, 12 * across, 16)


def test_options_and_revisions_tell_caches_apart(models):
    names = [
        "hf:./hubert",
        "hf:./hubert+layer=1",
        "hf:./hubert+pool=meanstd",
        "hf:./hubert+bf16",
        "hf:./hubert+layer=best",
    ]
    assert len({fingerprint_digest(plugins.extractor(name)) for name in names}) == 5
    assert (
        fingerprint_digest(plugins.extractor("hf:./hubert+layer=3"))
        == fingerprint_digest(plugins.extractor("hf:./hubert+layer=-1"))
        or plugins.extractor("hf:./hubert+layer=3").parameters == plugins.extractor("hf:./hubert+layer=-1").parameters
    )
    assert np.isfinite(make_extractor("hf:./hubert+bf16").embed(noise(0.5))).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("+layer=9", "the model has no layer 9"),
        ("+layer=x", "use a number"),
        ("+pool=max", "pool=mean"),
        ("+device=tpu", "device=tpu"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(UsageError, match=message):
        plugins.extractor(f"hf:./hubert{options}")
    with pytest.raises(UnknownNameError, match="no option 'depth'"):
        plugins.extractor("hf:./hubert+depth=3")


def test_folders_that_are_no_models(tmp_path):
    with pytest.raises(UsageError, match=r"holds no config\.json"):
        plugins.extractor(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WeightsError, match=r"holds no model\.safetensors"):
        plugins.extractor(f"hf:{tmp_path}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UsageError, match="is not valid JSON"):
        plugins.extractor(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert", "hidden_size": 4, "num_hidden_layers": 1}))
    with pytest.raises(UsageError, match="is of type bert, and has no feature extractor"):
        plugins.extractor(f"hf:{tmp_path}")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "resnet"}))
    with pytest.raises(UsageError, match="has no hidden_size"):
        plugins.extractor(f"hf:{tmp_path}")


def cached(models: Path, home: Path, commit: str = "a" * 40) -> None:
    """Return a local cache of the hub with the tiny HuBERT, as `hf download` writes it."""
    folder = home / "hub" / "models--lab--tiny"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    (folder / "snapshots").mkdir()
    (folder / "snapshots" / commit).symlink_to(models / "hubert", target_is_directory=True)


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )


SHOW = """
from serab_core import plugins
spec = plugins.extractor("hf:lab/tiny")
print(spec.parameters["revision"], spec.dim)
import numpy as np
print(spec.factory().embed([np.zeros(8000, np.float32)]).shape)
"""


def test_offline_the_cache_is_enough(models, tmp_path):
    cached(models, tmp_path)
    completed = run(SHOW, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
    assert completed.stdout.split("\n")[:2] == ["a" * 40 + " 16", "(1, 16)"], completed.stderr


def test_a_hub_that_is_silent(models, tmp_path):
    """No server answers at this address. With a cache the run continues; without one it ends soon with a next step."""
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    begin = time.monotonic()
    completed = run(
        "from serab_core.cli import main; import sys; sys.argv[1:] = ['eval', 'hf:lab/tiny']; main()", **nowhere
    )
    assert time.monotonic() - begin < 20  # of which up to 10 s are the search
    assert completed.returncode == 10, completed.stderr
    flat = " ".join(completed.stderr.split())
    for phrase in ("lab/tiny", "config.json, preprocessor_config.json and model.safetensors", "hf download lab/tiny"):
        assert phrase in flat
    cached(models, tmp_path)
    completed = run(SHOW, **nowhere)
    assert "(1, 16)" in completed.stdout, completed.stderr


def test_a_layer_is_chosen_on_validation(models, tmp_path, capsys):
    """The best layer is found by a process with workers; its scores equal those of single layers in this process."""
    script = "from serab_core.cli import main; import sys; sys.argv[1:] = {arguments!r}; main()"
    arguments = ["eval", "hf:./hubert", "--layer", "best", "--tasks", "demo", "-c", "lda,qda", "--json"]
    completed = run(script.format(arguments=arguments))
    assert completed.returncode == 0, completed.stderr
    (best,) = json.loads(completed.stdout)["results"]
    names = [f"hf:./hubert+layer={number}" for number in range(4)]
    assert serab(["eval", *names, "--tasks", "demo", "-c", "lda,qda", "--jobs", "1", "--json"]) == 0
    single = json.loads(capsys.readouterr().out)["results"]
    for position, classifier in enumerate(("lda", "qda")):
        outcome = best["classifiers"][position]
        layers = [result["classifiers"][position] for result in single]
        chosen = max(range(4), key=lambda number: (layers[number]["validation"], -number))
        assert outcome["classifier"] == classifier
        assert outcome["params"]["layer"] == str(chosen)
        assert (outcome["validation"], outcome["accuracy"]) == (
            layers[chosen]["validation"],
            layers[chosen]["accuracy"],
        )
        assert outcome["points"] == 4 * layers[0]["points"]
    export = ["export", "hf:./hubert+layer=best", "--task", "demo", "-c", "lda,qda", "-o", str(tmp_path / "e")]
    assert serab(export) == 0
    about = json.loads((tmp_path / "e" / "classifier.json").read_text())["about"]
    assert about["columns"][1] - about["columns"][0] == 16
