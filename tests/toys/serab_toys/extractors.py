import os
import time

import numpy as np

from serab_core import ExtractorSpec, hookimpl

SERAB_API_VERSION = 1
CALLS = []


class Toy:
    def __init__(self, bands):
        self.bands = bands

    def embed(self, waveforms):
        CALLS.append(len(waveforms))
        time.sleep(float(os.environ.get("SERAB_TOY_SLOW", "0")))
        rows = []
        for wave in waveforms:
            spectrum = np.abs(np.fft.rfft(wave, 2048)) + 1e-6
            parts = np.array_split(spectrum[:1024], self.bands)
            rows.append([np.log(part.mean()) for part in parts])
        return np.array(rows, dtype=np.float32)


class Corpus(Toy):
    mean = None

    def fit_corpus(self, train_waveforms):
        waves = list(train_waveforms)
        CALLS.append(("fit", len(waves)))
        return {"mean": float(np.mean([np.mean(np.abs(w)) for w in waves]))}

    def use_corpus(self, state):
        self.mean = state["mean"]

    def embed(self, waveforms):
        return super().embed(waveforms) - np.float32(self.mean)


def spec(name, factory, dim, **more):
    return ExtractorSpec(
        name=name, factory=factory, dim=dim, summary="a toy", licence="Apache-2.0", citation="@misc{toy}", **more
    )


@hookimpl
def serab_register_extractors(register):
    register(spec("toy", lambda: Toy(8), 8))
    register(spec("toy/wide", lambda: Toy(64), 64, parameters={"bands": 64}, batch_size=5))
    register(spec("toy/corpus", lambda: Corpus(8), 8, uses_corpus=True))
