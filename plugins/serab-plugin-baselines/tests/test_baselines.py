"""The baselines: conformance checks, and features compared with scikit-learn and torchaudio."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from serab_plugin_baselines.guesses import Guess
from serab_plugin_baselines.statistics import COEFFICIENTS, SPEECH, cosines, deltas

from serab_core import Examples, plugins
from serab_core.testing import classifier_checks, extractor_checks

EXTRACTORS = {"chance": 1, "chance/stratified": 1, "logmel-stats": 128, "mfcc-stats": 80}


def waves(*seconds: float) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [(0.1 * rng.standard_normal(int(s * 16_000))).astype(np.float32) for s in seconds]


def checks_to_run():
    """Return all checks of some extractors; of their variants only the checks that start no process."""
    for name in EXTRACTORS:
        for check in extractor_checks(name):
            if name in ("chance", "mfcc-stats") or not check.starts_processes or os.environ.get("SERAB_LONG"):
                yield check


@pytest.mark.parametrize("check", list(checks_to_run()), ids=lambda c: f"{c.subject}-{c}")
def test_extractors_conform(check):
    check()


@pytest.mark.parametrize(
    "check", [c for name in ("majority", "stratified") for c in classifier_checks(name)],
    ids=lambda c: f"{c.subject}-{c}",
)  # fmt: skip
def test_classifiers_conform(check):
    check()


@pytest.mark.parametrize("name", EXTRACTORS)
def test_declared(name):
    spec = plugins.extractor(name)
    assert spec.dim == EXTRACTORS[name]
    assert spec.weights == ()


def test_mfcc_stats_are_torchaudios():
    torch = pytest.importorskip("torch")
    from torchaudio.functional import compute_deltas
    from torchaudio.transforms import MFCC

    clips = waves(0.4, 1.3)
    arguments = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 40, "f_min": 20.0, "f_max": 7600.0}
    # log_mels adds 1e-6 in torchaudio, 1.2e-7 here: noise of this level does not tell them apart.
    transform = MFCC(16_000, COEFFICIENTS, log_mels=True, melkwargs=arguments)
    got = plugins.extractor("mfcc-stats").factory().embed(clips)
    for row, clip in zip(got, clips, strict=True):
        cepstra = transform(torch.from_numpy(clip))
        both = torch.cat([cepstra, compute_deltas(cepstra, win_length=5)]).numpy()
        want = np.concatenate([both.mean(axis=1), both.std(axis=1)])
        np.testing.assert_allclose(row, want, rtol=1e-3, atol=2e-3)


def test_the_cosines_are_orthonormal_and_deltas_are_slopes():
    np.testing.assert_allclose(cosines(40) @ cosines(40).T, np.eye(COEFFICIENTS), atol=1e-6)
    line = np.outer([1.0, -2.0], np.arange(30)).astype(np.float32)
    np.testing.assert_allclose(deltas(line)[:, 2:-2], np.repeat([[1.0], [-2.0]], 26, axis=1), rtol=1e-6)
    assert not deltas(np.ones((3, 1), np.float32)).any()
    assert SPEECH.frames(1) == 1


def test_guesses_are_scikit_learns():
    dummy = pytest.importorskip("sklearn.dummy")
    rng = np.random.default_rng(1)
    y = rng.choice(4, 500, p=[0.1, 0.5, 0.3, 0.1])
    X = np.zeros((5_000, 1))
    train, validation = Examples(X[:400], y[:400], 4), Examples(X[:100], y[400:], 4)
    majority = plugins.classifier("majority").prepare(train, validation, seed=0).refit({})
    np.testing.assert_array_equal(
        majority.predict(X), dummy.DummyClassifier(strategy="most_frequent").fit(X[:500], y).predict(X)
    )
    drawn = plugins.classifier("stratified").prepare(train, validation, seed=0).fit({}).predict(X)
    np.testing.assert_allclose(np.bincount(drawn) / 5_000, np.bincount(y[:400]) / 400, atol=0.02)
    absent = Guess(np.array([3, 0, 1]), "stratified", 0).predict(X)
    assert set(absent) == {0, 2}


def test_chance_is_scored_with_its_classifier(tmp_path):
    names = ["chance", "chance/stratified", "logmel-stats"]
    command = [
        sys.executable,
        "-c",
        "from serab_core.cli import main; main()",
        "eval",
        *names,
        "--tasks",
        "demo",
        "--json",
    ]
    completed = subprocess.run(
        command,
        env={**os.environ, "SERAB_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    results = {result["extractor"]: result for result in json.loads(completed.stdout)["results"]}
    assert [c["classifier"] for c in results["chance"]["classifiers"]] == ["majority"]
    assert [c["classifier"] for c in results["chance/stratified"]["classifiers"]] == ["stratified"]
    assert len(results["logmel-stats"]["classifiers"]) == 5
    classes = len(plugins.dataset("demo").labels)
    assert results["chance"]["uar"] == pytest.approx(1 / classes)
    assert results["logmel-stats"]["accuracy"] > results["chance"]["accuracy"]
