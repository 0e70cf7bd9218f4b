"""Decoding of WAV and FLAC, and resampling from 44.1 to 16 kHz, against librosa, soundfile, torchaudio and SciPy.

tox run -e bench -- benchmarks/test_decode.py

`serab` also hashes the samples, compares their number with the bytes of the container, and checks that they are finite;
`no hash` does the same without the hash. WAV of 16 bits or floats needs no decoder, so serab is faster than soundfile.
"""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from serab_core.audio.decode import decode
from serab_core.audio.resample import resample
from serab_core.bench.clips import clip

FILES, RATE, TARGET = 40, 44_100, 16_000
KINDS = {"wav": "PCM_16", "flac": "PCM_16"}
LOADERS = ("serab", "no hash", "soundfile", "librosa")
RESAMPLERS = ("serab", "librosa", "torchaudio", "scipy")


@pytest.fixture(scope="module", params=KINDS)
def files(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio")
    paths = [folder / f"{number}.{request.param}" for number in range(FILES)]
    for number, path in enumerate(paths):
        soundfile.write(path, clip(2.0 + number / FILES, RATE), RATE, subtype=KINDS[request.param])
    return paths


def loader(name):
    if name == "librosa":
        librosa = pytest.importorskip("librosa")
        return lambda path: librosa.load(path, sr=None, mono=True)
    if name == "soundfile":
        return lambda path: soundfile.read(path, dtype="float32")
    if name == "no hash":
        return lambda path: decode(path, path.name)
    return lambda path: decode(path, path.name).sha256


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # librosa's audioread
@pytest.mark.parametrize("name", LOADERS)
def test_decoding(benchmark, files, name):
    benchmark.group = f"decoding {FILES} {files[0].suffix[1:].upper()} files of 2.5 s"
    load = loader(name)
    benchmark.pedantic(lambda: [load(path) for path in files], rounds=10, warmup_rounds=2)


def resampler(name):
    if name == "librosa":
        librosa = pytest.importorskip("librosa")
        return lambda wave: librosa.resample(wave, orig_sr=RATE, target_sr=TARGET)
    if name == "torchaudio":
        torch, functional = pytest.importorskip("torch"), pytest.importorskip("torchaudio.functional")
        return lambda wave: functional.resample(torch.from_numpy(wave), RATE, TARGET)
    if name == "scipy":
        from scipy.signal import resample_poly

        return lambda wave: resample_poly(wave, 160, 441).astype(np.float32)
    return lambda wave: resample(wave, RATE, TARGET)


@pytest.mark.benchmark(group=f"resampling {FILES} clips of 2.5 s from 44.1 to 16 kHz")
@pytest.mark.parametrize("name", RESAMPLERS)
def test_resampling(benchmark, name):
    waves = [clip(2.0 + number / FILES, RATE) for number in range(FILES)]
    convert = resampler(name)
    benchmark.pedantic(lambda: [convert(wave) for wave in waves], rounds=10, warmup_rounds=2)
