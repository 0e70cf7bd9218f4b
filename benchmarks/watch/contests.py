"""The contests: small pieces of work of serab, each with a peer that does work of the same kind.

The ratio of serab's time to the peer's time must not grow.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np
import soundfile
import soxr

Call = Callable[[], object]


@dataclass(frozen=True)
class Contest:
    """A piece of work of serab and a peer. `make` loads what both need, and returns both as functions."""

    name: str
    make: Callable[[], tuple[Call, Call]]


@cache
def folder() -> Path:
    """Return a folder for temporary files."""
    temporary = tempfile.TemporaryDirectory(prefix="serab-watch-")
    folder.temporary = temporary  # removed at the end of the process
    return Path(temporary.name)


def speechlike(count: int, rate: int = 16_000) -> list[np.ndarray]:
    from serab_core.bench.clips import clip

    return [clip(2.0 + 0.1 * number, rate) for number in range(count)]


def log_mels() -> tuple[Call, Call]:
    from serab_core.audio.mel import SERAB
    from serab_core.audio.mel import log_mels as ours

    waves = speechlike(6)
    window = np.hanning(SERAB.n_fft + 1)[:-1].astype(np.float32)
    filters = np.abs(np.random.default_rng(0).standard_normal((SERAB.n_mels, SERAB.n_fft // 2 + 1))).astype(np.float32)

    def peer() -> None:
        for wave in waves:
            frames = np.lib.stride_tricks.sliding_window_view(wave, SERAB.n_fft)[:: SERAB.hop]
            np.log(filters @ (np.abs(np.fft.rfft(frames * window)) ** 2).T + 1e-6)

    return (lambda: ours(waves, SERAB)), peer


def decoding() -> tuple[Call, Call]:
    from serab_core.audio.decode import decode
    from serab_core.audio.resample import resample

    paths = []
    for number, wave in enumerate(speechlike(8, 44_100)):
        paths.append(folder() / f"{number}.wav")
        soundfile.write(paths[-1], wave, 44_100)

    def ours() -> None:
        for path in paths:
            decoded = decode(path, path.name)
            assert decoded.sha256
            resample(decoded.samples, decoded.rate, 16_000)

    def peer() -> None:
        for path in paths:
            samples, rate = soundfile.read(path, dtype="float32")
            soxr.resample(samples, rate, 16_000)

    return ours, peer


def mfcc() -> tuple[Call, Call]:
    from serab_core import plugins

    waves = speechlike(8)
    extractor = plugins.extractor("mfcc-stats").factory()

    def peer() -> None:
        for wave in waves:
            frames = np.lib.stride_tricks.sliding_window_view(wave, 400)[::160]
            spectra = np.abs(np.fft.rfft(frames, 512))
            spectra.mean(axis=0), spectra.std(axis=0)

    return (lambda: extractor.embed(waves)), peer


def _examples():
    from serab_core.types import Examples

    rng = np.random.default_rng(0)
    y = np.arange(160) % 4
    X = rng.standard_normal((160, 60)) + 0.5 * np.eye(4)[y].repeat(15, axis=1)
    return Examples(X[:110], y[:110], 4), Examples(X[110:], y[110:], 4)


def _grid(name: str, estimator) -> tuple[Call, Call]:
    """Return a contest in which serab searches the whole grid, and the peer fits four of its points."""
    from serab_core import plugins
    from serab_core.tune.points import grid_points

    spec = plugins.classifier(name)
    train, validation = _examples()
    points = grid_points(spec)

    def ours() -> None:
        workspace = spec.prepare(train, validation, seed=42)
        for params in points:
            workspace.fit(params).predict(validation.X)

    def peer() -> None:
        for params in points[:: max(1, len(points) // 4)][:4]:
            estimator().set_params(**params).fit(train.X, train.y).predict(validation.X)

    return ours, peer


def svc() -> tuple[Call, Call]:
    from sklearn.svm import SVC

    return _grid("svc", lambda: SVC(max_iter=10_000))


def lr() -> tuple[Call, Call]:
    from sklearn.linear_model import LogisticRegression

    return _grid("lr", lambda: LogisticRegression(max_iter=10_000))


def forest() -> tuple[Call, Call]:
    from sklearn.ensemble import RandomForestClassifier

    return _grid("rf", lambda: RandomForestClassifier(random_state=42))


def shards() -> tuple[Call, Call]:
    from serab_core.store.shards import Shard, read_shard, write_shard

    rows = np.random.default_rng(0).standard_normal((32, 2048)).astype(np.float32)
    names = tuple(f"{number:064x}" for number in range(32))
    shard, plain = Shard(folder(), "shard"), folder() / "plain.npy"

    def ours() -> None:
        write_shard(shard, rows, names, {})
        read_shard(shard, names)

    def peer() -> None:
        with plain.open("wb") as file:
            np.save(file, rows)
            file.flush()
        np.load(plain)

    return ours, peer


def journal() -> tuple[Call, Call]:
    from serab_core.store.journal import Hdf5JournalBackend

    entries = [{"op_code": 4, "trial_id": number, "value": number / 7, "text": "x" * 60} for number in range(300)]
    path = folder() / "journal.h5"

    def ours() -> None:
        path.unlink(missing_ok=True)
        backend = Hdf5JournalBackend(path)
        backend.append_logs(entries)
        backend.flush()
        assert len(list(Hdf5JournalBackend(path).read_logs(0))) == len(entries)

    def peer() -> None:
        text = "\n".join(json.dumps(entry) for entry in entries)
        for _ in range(2):
            assert len([json.loads(line) for line in text.split("\n")]) == len(entries)

    return ours, peer


def intervals() -> tuple[Call, Call]:
    from serab_core.score.bootstrap import drawn
    from serab_core.score.scored import Scored

    rng = np.random.default_rng(0)
    truth = np.array(["a", "b", "c", "d"])[rng.integers(0, 4, 400)]
    predicted = np.where(rng.random(400) < 0.6, truth, "a")
    speakers = np.array([f"s{number % 12}" for number in range(400)])
    test = Scored(tuple(f"u{n:03d}" for n in range(400)), truth, predicted, speakers)
    right = (truth == predicted).astype(float)

    def peer() -> None:
        np.random.default_rng(0).choice(right, (2000, 400)).mean(axis=1)

    return (lambda: drawn(test, 2000)), peer


def start() -> tuple[Call, Call]:
    serab = str(Path(sys.executable).with_name("serab"))

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    return (lambda: run(serab, "--help")), (lambda: run(sys.executable, "-c", "pass"))


def registry() -> tuple[Call, Call]:
    from serab_registry import Group

    from serab_core import plugins

    def ours() -> None:
        from serab_core.system.session import current_session

        current_session().close()
        plugins.registry().names(Group.EXTRACTORS)

    return ours, (lambda: metadata.entry_points(group="serab.extractors"))


def documents() -> tuple[Call, Call]:
    from serab_core.store.jsonio import dumps

    value = {"points": [{"params": {"C": number / 3}, "score": 0.5} for number in range(400)], "ids": ["u"] * 500}

    def peer() -> None:
        buffer = io.StringIO()
        json.dump(value, buffer)

    return (lambda: json.loads(dumps(value))), peer


CONTESTS = tuple(
    Contest(make.__name__.replace("_", "-"), make)
    for make in (
        log_mels, decoding, mfcc, svc, lr, forest, shards, journal, intervals, start, registry, documents,
    )
)  # fmt: skip
warnings.simplefilter("ignore")
