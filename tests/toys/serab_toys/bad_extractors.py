import os
import sys
import time

import numpy as np

from serab_core import ExtractorSpec, hookimpl


def returns(make):
    class Bad:
        def embed(self, waveforms):
            print("chatter on stdout")
            return make(len(waveforms))

    return Bad


def boom(n):
    raise RuntimeError("boom\n  in two lines")


def nan(n):
    result = np.zeros((n, 4), np.float32)
    result[-1, 0] = np.nan
    return result


def slow(n):
    time.sleep(0.4)
    return np.random.RandomState(0).standard_normal((n, 4)).astype(np.float32)


def missing_factory():
    raise ImportError("no module named gigantic")


class Reused:
    """Returns views of one buffer, as interpreters of exported networks do."""

    def __init__(self):
        self.buffer = np.zeros((16, 4), np.float32)

    def embed(self, waveforms):
        for row, waveform in enumerate(waveforms):
            self.buffer[row] = [len(waveform), np.abs(waveform).mean(), waveform.std(), waveform.max()]
        return self.buffer[: len(waveforms)]


KINDS = {
    "reused": Reused,
    "boom": returns(boom),
    "exit": returns(lambda n: sys.exit(3)),
    "die": returns(lambda n: os._exit(9)),
    "nan": returns(nan),
    "shape": returns(lambda n: np.zeros((n, 5), np.float32)),
    "dtype": returns(lambda n: np.zeros((n, 4))),
    "list": returns(lambda n: [[0.0] * 4] * n),
    "slow": returns(slow),
    "factory": missing_factory,
}


@hookimpl
def serab_register_extractors(register):
    for name, factory in KINDS.items():
        register(
            ExtractorSpec(name=f"toy-bad/{name}", factory=factory, dim=4, summary="bad", licence="none", batch_size=4),
            default=name == "boom",
        )
    register(
        ExtractorSpec(
            name="toy-bad/nocorpus",
            factory=KINDS["nan"],
            dim=4,
            summary="bad",
            licence="none",
            uses_corpus=True,
        )
    )
    register(
        ExtractorSpec(
            name="toy-bad/params",
            factory=KINDS["nan"],
            dim=4,
            summary="bad",
            licence="none",
            parameters={"x": {1, 2}},
        )
    )
    register(
        ExtractorSpec(
            name="toy-bad/library",
            factory=KINDS["nan"],
            dim=4,
            summary="bad",
            licence="none",
            libraries=("not-a-library",),
        )
    )
