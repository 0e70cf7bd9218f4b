"""Write corpora of any size with the synthetic voice of `demo`, and an extractor of any dimension."""

from __future__ import annotations

import csv
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
UTTERANCES_PER_SPEAKER = 100  # as in SERAB's larger corpora

WIDE = '''
"""Embeddings of any dimension: a fixed random layer over a mean spectrum."""
import numpy as np
from serab_core import ExtractorSpec, hookimpl

class Wide:
    def __init__(self, dim, seed):
        self.weights = np.random.RandomState(seed).standard_normal((129, dim)).astype(np.float32)

    def embed(self, waveforms):
        frames = [wave[: len(wave) // 256 * 256].reshape(-1, 256) for wave in waveforms]
        spectra = np.stack([np.log(np.abs(np.fft.rfft(clip)).mean(axis=0) + 1e-3) for clip in frames])
        return np.tanh(spectra.astype(np.float32) @ self.weights / 11)

@hookimpl
def serab_register_extractors(register):
    for dim in DIMS:
        for copy in range(COPIES):
            name = f"wide/{dim}" + (f"-{copy}" if copy else "")
            register(ExtractorSpec(name, lambda d=dim, s=copy: Wide(d, s), dim, "a random layer", "Apache-2.0",
                                   parameters={"seed": copy}, citation="@misc{wide}", batch_size=64),
                     default=name == f"wide/{DIMS[0]}")
'''


def install_wide(site: Path, dims: list[int], copies: int) -> None:
    """Write the extractor into a folder of packages, with the metadata that make it count as installed."""
    info = site / "serab_wide-0.1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: serab-wide\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[serab.extractors]\nwide = serab_wide\n")
    (site / "serab_wide.py").write_text(f"DIMS, COPIES = {dims}, {copies}\n{WIDE}")


def write_corpus(folder: Path, utterances: int, seed: int = 0) -> Path:
    """Write utterances of one second each, and a manifest of them. Return the path of the manifest."""
    manifest = folder / "manifest.csv"
    if manifest.exists():
        return manifest
    folder.mkdir(parents=True, exist_ok=True)
    count = max(5, -(-utterances // UTTERANCES_PER_SPEAKER))
    each = -(-utterances // count)
    with ProcessPoolExecutor() as pool:
        spoken = pool.map(_speak_all, [folder] * count, range(count), [each] * count, [seed] * count, chunksize=4)
        rows = [row for rows in spoken for row in rows][:utterances]
    with manifest.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "label", "speaker"), *rows])
    return manifest


def _speak_all(folder: Path, number: int, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Write the utterances of one speaker and return their manifest rows. Each call of `speak` gives two utterances."""
    from serab_plugin_datasets.demo.corpus import MOODS
    from serab_plugin_datasets.demo.voice import Speaker, speak

    rng = np.random.RandomState(zlib.crc32(f"{seed} {number}".encode()))
    speaker = Speaker(pitch=rng.uniform(90, 240), tract=rng.uniform(0.88, 1.21), breath=rng.uniform(0.03, 0.09))
    name = f"{seed}-{number:04d}"
    (folder / name).mkdir(exist_ok=True)
    rows = []
    for take in range(0, count, 2):
        mood = sorted(MOODS)[take // 2 % len(MOODS)]
        samples = speak(speaker, MOODS[mood], rng)
        for part in range(min(2, count - take)):
            path = f"{name}/{take + part:03d}_{mood}.wav"
            soundfile.write(folder / path, samples[part * RATE : (part + 1) * RATE], RATE)
            rows.append((path, mood, name))
    return rows
