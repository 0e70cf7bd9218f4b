"""Fixtures: SavedModels with the signatures of the three published models, written once in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serab_core.store.home import find_home
from serab_core.system.session import current_session

MAKE = """
import sys
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
PATCH = 15_600


class Framed(tf.Module):
    def __init__(self, dim, hop):
        self.weights = tf.Variable(rng.standard_normal((156, dim)).astype(np.float32))
        self.hop = hop

    def frames(self, x):
        cut = tf.signal.frame(x, PATCH, self.hop)
        energy = tf.reduce_mean(tf.square(tf.reshape(cut, (-1, 156, 100))), axis=2)
        return tf.math.log(energy + 1e-6) @ self.weights


class Vggish(Framed):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, waveform):
        return self.frames(waveform)


class Yamnet(Framed):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, waveform):
        n = tf.shape(waveform)[0]
        hops = tf.maximum(0, (n - PATCH + self.hop - 1) // self.hop)
        padded = tf.pad(waveform, [[0, PATCH + hops * self.hop - n]])
        embeddings = self.frames(padded)
        return tf.nn.sigmoid(embeddings[:, :521]), embeddings, padded[:, None]


class Trill(Framed):
    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([], tf.int32)])
    def __call__(self, samples, sample_rate):
        layer = tf.map_fn(self.frames, samples)
        return {"layer19": layer, "embedding": layer[..., :512]}


class Heard(tf.Module):  # YAMNet's shape with TensorFlow's own front end

    def __init__(self):
        self.mel = tf.constant(tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7_500.0))
        self.kernel = tf.Variable(0.2 * rng.standard_normal((3, 3, 1, 32)).astype(np.float32))
        self.dense = tf.Variable(rng.standard_normal((32, 1024)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def __call__(self, waveform):
        n = tf.shape(waveform)[0]
        hops = tf.maximum(0, (n - PATCH + 7_679) // 7_680)
        padded = tf.pad(waveform, [[0, PATCH + hops * 7_680 - n]])
        spectrum = tf.abs(tf.signal.stft(padded, 400, 160, 512))
        mels = tf.math.log(spectrum @ self.mel + 0.001)
        patches = tf.signal.frame(mels, 96, 48, axis=0)
        maps = tf.nn.relu(tf.nn.conv2d(patches[..., None], self.kernel, 2, "VALID"))
        embeddings = tf.reduce_mean(maps, axis=(1, 2)) @ self.dense
        return tf.nn.sigmoid(embeddings[:, :521]), embeddings, mels


heard = Heard()
tf.saved_model.save(heard, sys.argv[1] + "/heard")
np.savez(sys.argv[1] + "/heard.npz", kernel=heard.kernel.numpy(), dense=heard.dense.numpy())
tf.saved_model.save(Vggish(128, 15_360), sys.argv[1] + "/vggish")
tf.saved_model.save(Yamnet(1024, 7_680), sys.argv[1] + "/yamnet")
tf.saved_model.save(Trill(12_288, 2_720), sys.argv[1] + "/trill")
"""


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """Return a folder with `vggish`, `yamnet` and `trill`."""
    folder = tmp_path_factory.mktemp("models")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    environment.pop("COVERAGE_PROCESS_START", None)
    subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True, env=environment, timeout=300)
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "home"))
    current_session().close()
    yield find_home().ensure()
    current_session().close()
