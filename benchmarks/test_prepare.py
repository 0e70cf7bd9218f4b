"""Preparing and verifying a corpus of utterances as long as CREMA-D's: files per second on one core.

tox run -e bench -- benchmarks/test_prepare.py
"""

from __future__ import annotations

import resource
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from serab_core.data.manifest import read_manifest
from serab_core.data.prepare import prepare_files
from serab_core.data.prepared import load
from serab_core.data.user_corpus import user_dataset
from serab_core.data.verify import verify
from serab_core.report.progress import Silent
from serab_core.store.home import Home

FILES, SECONDS = 1500, 2.5


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.RandomState(0)
    lines = ["path,label,speaker"]
    for number in range(FILES):
        samples = rng.randint(-3000, 3000, int(16000 * SECONDS)).astype(np.int16)
        soundfile.write(folder / f"{number}.wav", samples, 16000)
        lines.append(f"{number}.wav,{'ab'[number % 2]},{number % 20}")
    (folder / "manifest.csv").write_text("\n".join(lines))
    return folder


def prepare(corpus, home):
    read = read_manifest(corpus / "manifest.csv")
    spec = user_dataset("own", read, "und")
    return prepare_files(spec, [e.file for e in read.entries], "own", home.ensure(), Silent())


@pytest.mark.benchmark(group=f"{FILES} files of {SECONDS} s")
def test_index_and_hash(benchmark, corpus, tmp_path):
    benchmark.pedantic(prepare, args=(corpus, Home(tmp_path)), rounds=3, warmup_rounds=1)
    benchmark.extra_info["files_per_second"] = FILES / benchmark.stats.stats.median
    benchmark.extra_info["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.benchmark(group=f"{FILES} files of {SECONDS} s")
def test_verify(benchmark, corpus, tmp_path):
    home = Home(tmp_path)
    prepare(corpus, home)
    benchmark.pedantic(lambda: verify(load(home, "own"), None, Silent()), rounds=3, warmup_rounds=1)
    benchmark.extra_info["files_per_second"] = FILES / benchmark.stats.stats.median


@pytest.mark.benchmark(group=f"{FILES} files of {SECONDS} s")
def test_verify_with_log_mels(benchmark, corpus, tmp_path):
    """Verify a corpus with published log-mel statistics, which also computes the log-mels of the training split."""
    home = Home(tmp_path)
    prepare(corpus, home)
    spec = replace(user_dataset("own", read_manifest(corpus / "manifest.csv"), "und"), logmel=(0.0, 1.0))
    benchmark.pedantic(lambda: verify(load(home, "own"), spec, Silent()), rounds=3, warmup_rounds=1)
    benchmark.extra_info["files_per_second"] = FILES / benchmark.stats.stats.median


@pytest.mark.benchmark(group=f"{FILES} files of {SECONDS} s")
def test_decode_alone(benchmark, corpus):
    """Measure the peer: soundfile reads the same files and does nothing else."""

    def read() -> None:
        for number in range(FILES):
            soundfile.read(corpus / f"{number}.wav", dtype="float32")

    benchmark.pedantic(read, rounds=3, warmup_rounds=1)
    benchmark.extra_info["files_per_second"] = FILES / benchmark.stats.stats.median
