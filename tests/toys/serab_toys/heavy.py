"""An extractor with weights, options, statistics that are known, and others that are made of a word."""

from pathlib import Path

import numpy as np

from serab_core import ExtractorSpec, WeightFile, hookimpl, weights_path
from serab_core.errors import UsageError


def convert(source, target):
    if not source.read_bytes().startswith(b"gain "):
        raise ValueError("it has no gain")
    target.write_bytes(source.read_bytes()[5:])


PLAIN = WeightFile("heavy.txt", "https://127.0.0.1:9/heavy.pth", licence="CC0", convert=convert)
STRICT = WeightFile("strict.txt", "https://127.0.0.1:9/strict.pth", licence="theirs", terms="No distribution.")


class Heavy:
    def __init__(self, path, offset=0.0):
        self.path, self.offset, self.mean, self.warmed = path, offset, None, False

    def warm(self):
        self.warmed = True

    def fit_corpus(self, train_waveforms):
        return {"mean": float(np.mean([np.abs(w).mean() for w in train_waveforms]))}

    def use_corpus(self, state):
        self.mean = state["mean"]

    def embed(self, waveforms):
        gain = float(self.path.read_text())
        rows = [[gain * np.abs(w).mean() - self.mean + self.offset, np.abs(w).max()] for w in waveforms]
        return np.array(rows, np.float32)


def spec(name, weights=(PLAIN,), offset=0.0, known=None):
    def configure(options):
        shift = float(options.get("shift", "0"))  # ValueError for what is no number
        return spec(name, weights, shift, states if "known" in options else None)

    def states(task):
        if task != "tones":
            raise ValueError("nobody has published statistics for this task")
        return {"mean": 0.25}

    return ExtractorSpec(
        name=name,
        factory=lambda: Heavy(weights_path(weights[0]), offset),
        dim=2,
        summary="a toy with weights",
        licence="CC0",
        weights=weights,
        uses_corpus=True,
        parameters={"offset": offset},
        options={"shift": "adds a number", "known": "takes known statistics"},
        configure=configure,
        known_state=known,
    )


@hookimpl
def serab_register_extractors(register):
    register(spec("heavy"), default=True)
    register(spec("heavy/strict", (STRICT,)))
    register(spec("heavy/two", (PLAIN, STRICT)))


@hookimpl
def serab_make_extractor(argument):
    if argument == "nothing":
        raise UsageError("nothing comes of nothing", where="heavy", next_step="say something")
    if argument == "wrong":
        return 3
    if argument == "boom":
        raise RuntimeError("boom")
    path = Path(argument)
    return spec("" if not path.is_dir() else path.name)
