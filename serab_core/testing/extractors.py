"""Checks of an extractor."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from serab_core import plugins
from serab_core.embed.fingerprint import fingerprint_digest
from serab_core.testing import surroundings
from serab_core.testing.checks import Check, checker
from serab_core.types import CorpusExtractor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from serab_core.types import Embeddings, Extractor, ExtractorSpec, Waveform


def extractor_checks(name: str) -> Iterator[Check]:
    """The checks of the extractor called `name`."""
    made: list[Extractor] = []

    def extractor() -> Extractor:
        if not made:
            made.append(made_extractor(plugins.extractor(name)))
        return made[0]

    def embed(*waveforms: Waveform) -> Embeddings:
        return extractor().embed(list(waveforms))

    def shape() -> None:
        spec = plugins.extractor(name)
        result = embed(*example_clips(spec.sample_rate))
        assert isinstance(result, np.ndarray), f"embed returned {type(result).__name__}"
        assert result.dtype == np.float32, f"embed returned {result.dtype}"
        wanted = (len(example_clips(spec.sample_rate)), spec.dim)
        assert result.shape == wanted, f"embed returned shape {result.shape}, declared is {wanted}"

    def finite() -> None:
        rate = plugins.extractor(name).sample_rate
        for title, clip in _odd_clips(rate).items():
            assert np.isfinite(embed(clip)).all(), f"embedding of {title} is not finite"

    def repeatable() -> None:
        clips = example_clips(plugins.extractor(name).sample_rate)
        assert np.array_equal(embed(*clips), embed(*clips)), "the same batch gave two results"

    def batch_independent() -> None:
        clips = example_clips(plugins.extractor(name).sample_rate)
        together = embed(*clips)
        alone = np.concatenate([embed(clip) for clip in clips])
        backwards = embed(*clips[::-1])[::-1]
        scale = np.abs(alone).max(axis=1, keepdims=True) + 1e-6
        assert (np.abs(together - alone) / scale).max() < 1e-4, "a clip embeds differently alone and in a batch"
        assert (np.abs(together - backwards) / scale).max() < 1e-4, "a clip embeds differently at another place"

    def input_kept() -> None:
        clips = example_clips(plugins.extractor(name).sample_rate)
        before = [clip.copy() for clip in clips]
        embed(*clips)
        assert all(np.array_equal(a, b) for a, b in zip(clips, before, strict=True)), "embed changed its input"

    def identity() -> None:
        spec = plugins.extractor(name)
        assert fingerprint_digest(spec) == fingerprint_digest(spec), "the fingerprint is not stable"
        assert spec.licence.strip(), "no licence is declared"
        assert spec.summary.strip(), "no summary is declared"

    def afresh() -> None:
        spec = plugins.extractor(name)
        made_extractor(spec).embed(example_clips(spec.sample_rate))

    def elsewhere() -> None:
        with TemporaryDirectory() as scratch:
            here = embed(*example_clips(plugins.extractor(name).sample_rate))
            surroundings.same_in_another_process(name, here, Path(scratch))

    def told() -> None:
        with TemporaryDirectory() as scratch:
            surroundings.missing_weights_are_told(name, Path(scratch))

    check = checker("extractor", name, _PROTECTS, plugins.extractor(name).expected_failures)
    yield check("shape", shape, "declare dim as it is, and return float32 (n, dim)")
    yield check("finite", finite, "pad what is too short, and guard divisions and logarithms")
    yield check("repeatable", repeatable, "switch dropout off and seed what is random, or declare deterministic=False")
    yield check("batch-independent", batch_independent, "mask what is padded, or embed clip by clip")
    yield check("input-kept", input_kept, "work on a copy")
    yield check("identity", identity, "give licence and summary, and parameters that are plain values")
    yield check(
        "light-import", partial(surroundings.imports_nothing_heavy, name), "import libraries inside the factory"
    )
    yield check("other-process", elsewhere, "keep what the numbers depend on in the spec and its weights")
    yield check(
        "settings-kept",
        partial(surroundings.leaves_settings_alone, afresh),
        "use a generator of your own, and free_cores() for threads",
    )
    yield check(
        "no-network",
        partial(surroundings.asks_no_network, afresh),
        "declare what is loaded as a WeightFile, and load it from weights_path",
    )
    yield check("missing-weights", told, "give each WeightFile an address and a licence")


def made_extractor(spec: ExtractorSpec) -> Extractor:
    """An extractor that is ready to embed; its corpus statistics are those of the example clips."""
    fresh = spec.factory()
    if spec.uses_corpus:
        assert isinstance(fresh, CorpusExtractor), "uses_corpus is declared; fit_corpus or use_corpus is missing"
        fresh.use_corpus(fresh.fit_corpus(example_clips(spec.sample_rate)))
    return fresh


_PROTECTS = {
    "shape": "classifiers and caches rely on the declared dimension",
    "finite": "one NaN spoils the normalisation of a whole speaker",
    "repeatable": "a score must be the same when it is made again",
    "batch-independent": "a score must not hang on how utterances fell into batches",
    "input-kept": "other extractors may be given the same arrays",
    "identity": "caches are kept apart, and users know the terms, by what the spec declares",
    "light-import": "listing extractors must not load every library that one of them needs",
    "other-process": "extractors are made anew in each worker, on each machine",
    "settings-kept": "other extractors and classifiers share the process",
    "no-network": "clusters' nodes have no network, and a download that changes changes scores",
    "missing-weights": "a user without the weights must hear which file, from where, and on what terms",
}


def example_clips(rate: int) -> list[Waveform]:
    """Three clips of noise, of different lengths, the same every time."""
    rng = np.random.RandomState(0)
    return [
        (0.1 * rng.standard_normal(int(seconds * rate)) * np.hanning(int(seconds * rate))).astype(np.float32)
        for seconds in (1.0, 0.4, 2.3)
    ]


def _odd_clips(rate: int) -> dict[str, Waveform]:
    time = np.arange(rate) / rate
    return {
        "a single sample": np.full(1, 0.1, np.float32),
        "10 ms": (0.1 * np.sin(2 * np.pi * 200 * time[: rate // 100])).astype(np.float32),
        "silence": np.zeros(rate, np.float32),
        "a constant": np.full(rate, 0.5, np.float32),
        "clipping": np.sign(np.sin(2 * np.pi * 150 * time)).astype(np.float32),
    }
