"""Checks of an extractor."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from serab_core import plugins
from serab_core.testing import identity, surroundings
from serab_core.testing.checks import Check, ConformanceError, Rationale, checker
from serab_core.testing.example import build_extractor, example_clips, odd_clips, voiced_clips
from serab_core.testing.sensitivity import sensitivity
from serab_core.testing.stored import stored_embeddings_agree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from serab_core.types import Embeddings, Extractor, ExtractorSpec, Waveform


def extractor_checks(name: str) -> list[Check]:
    """The checks of the extractor called `name`. Raises UnknownNameError or PluginError where there is none."""
    return list(_checks(name))


def _checks(name: str) -> Iterator[Check]:
    extractors: list[Extractor] = []

    def extractor() -> Extractor:
        if not extractors:
            extractors.append(build_extractor(plugins.extractor(name)))
        return extractors[0]

    def embed(*waveforms: Waveform) -> Embeddings:
        result = extractor().embed(list(waveforms))
        # A copy, as the core takes one: only `repeatable` is about an extractor that overwrites its earlier results.
        return result.copy() if isinstance(result, np.ndarray) else result

    def shape() -> None:
        spec = plugins.extractor(name)
        result = embed(*example_clips(spec.sample_rate))
        if not isinstance(result, np.ndarray):
            raise ConformanceError(f"embed returned {type(result).__name__}")
        if result.dtype != np.float32:
            raise ConformanceError(f"embed returned {result.dtype}")
        wanted = (len(example_clips(spec.sample_rate)), spec.dim)
        if result.shape != wanted:
            raise ConformanceError(f"embed returned shape {result.shape}, declared is {wanted}")

    def finite() -> None:
        rate = plugins.extractor(name).sample_rate
        for title, clip in odd_clips(rate).items():
            if not np.isfinite(embed(clip)).all():
                raise ConformanceError(f"embedding of {title} is not finite")

    def repeatable() -> None:
        spec = plugins.extractor(name)
        clips = example_clips(spec.sample_rate)
        first, second = embed(*clips), embed(*clips)
        same = np.array_equal if spec.deterministic else partial(np.allclose, rtol=1e-4, atol=1e-6)
        if not same(first, second):
            raise ConformanceError("the same batch gave two results")
        earlier = extractor().embed(clips[:1])
        before = np.array(earlier)
        extractor().embed(clips[1:2])
        if not np.array_equal(before, earlier, equal_nan=True):
            raise ConformanceError(
                "embed returns the same memory twice: the second call overwrote the result of the first"
            )

    def batch_independent() -> None:
        clips = example_clips(plugins.extractor(name).sample_rate)
        together = embed(*clips)
        alone = np.concatenate([embed(clip) for clip in clips])
        backwards = embed(*clips[::-1])[::-1]
        scale = np.abs(alone).max(axis=1, keepdims=True) + 1e-6
        if not (np.abs(together - alone) / scale).max() < 1e-4:
            raise ConformanceError("a clip embeds differently alone and in a batch")
        if not (np.abs(together - backwards) / scale).max() < 1e-4:
            raise ConformanceError("a clip embeds differently at another place")

    def input_unchanged() -> None:
        clips = example_clips(plugins.extractor(name).sample_rate)
        before = [clip.copy() for clip in clips]
        embed(*clips)
        if not all(np.array_equal(a, b) for a, b in zip(clips, before, strict=True)):
            raise ConformanceError("embed changed its input")

    def moved() -> str:
        rate = plugins.extractor(name).sample_rate
        return sensitivity(embed, voiced_clips(rate), rate)

    def afresh() -> None:
        spec = plugins.extractor(name)
        build_extractor(spec).embed(example_clips(spec.sample_rate))

    def elsewhere() -> None:
        with TemporaryDirectory() as scratch:
            here = embed(*example_clips(plugins.extractor(name).sample_rate))
            surroundings.check_other_process(name, here, Path(scratch))

    def scratch(held: Callable[[ExtractorSpec, str, Path], str]) -> Callable[[], str]:
        def run() -> str:
            with TemporaryDirectory() as folder:
                return held(plugins.extractor(name), name, Path(folder))

        return run

    check = checker("extractor", name, RATIONALES, plugins.extractor(name).expected_failures)
    yield check("shape", shape)
    yield check("finite", finite)
    yield check("repeatable", repeatable)
    yield check("batch-independent", batch_independent)
    yield check("input-kept", input_unchanged)
    yield check("long", partial(surroundings.supports_long_audio, name))
    yield check("sensitivity", moved)
    yield check("identity", lambda: identity.check_terms(plugins.extractor(name)))
    yield check("fingerprint", lambda: identity.check_fingerprint(plugins.extractor(name), name))
    yield check("stored-embeddings", lambda: stored_embeddings_agree(plugins.extractor(name)))
    yield check("light-import", partial(surroundings.check_imports, name))
    yield check("other-process", elsewhere)
    yield check("settings-kept", partial(surroundings.check_settings, afresh))
    yield check("no-network", partial(surroundings.check_no_network, afresh))
    yield check("missing-weights", scratch(identity.check_missing_weights))
    yield check("damaged-weights", scratch(identity.check_damaged_weights))


RATIONALES = {
    "shape": Rationale(
        "classifiers and caches rely on the declared dimension",
        "declare dim as it is, and return float32 (n, dim)",
    ),
    "finite": Rationale(
        "one NaN spoils the normalisation of a whole speaker",
        "pad what is too short, and guard divisions and logarithms",
    ),
    "repeatable": Rationale(
        "a score must be the same when it is made again",
        "switch dropout off and seed what is random, or declare deterministic=False for rounding's sake; "
        "return a copy of a buffer that the next call overwrites",
    ),
    "batch-independent": Rationale(
        "a score must not hang on how utterances fell into batches",
        "mask what is padded, or embed clip by clip",
    ),
    "input-kept": Rationale(
        "other extractors may be given the same arrays",
        "work on a copy",
    ),
    "long": Rationale(
        "a corpus may hold whole interviews",
        "embed piece by piece, and pool the pieces",
    ),
    "sensitivity": Rationale(
        "corpora differ in level and bandwidth; how far embeddings move with them is reported",
        "embed clips of any level",
    ),
    "identity": Rationale(
        "users must know what it is, on what terms, and whom to cite",
        "give summary, licence and citation, and of each WeightFile its address and licence",
    ),
    "fingerprint": Rationale(
        "caches are kept apart, and found again, by what the spec declares",
        "declare parameters that are plain values, the same in each process",
    ),
    "stored-embeddings": Rationale(
        "a score computed from stored embeddings must be that of the extractor as it is now",
        "declare what the numbers depend on: files as WeightFile, choices as parameters, packages as libraries; "
        "`serab eval X --fresh` replaces what is stored",
    ),
    "light-import": Rationale(
        "listing extractors must not load every library that one of them needs",
        "import libraries inside the factory",
    ),
    "other-process": Rationale(
        "extractors are made anew in each worker, on each machine",
        "keep what the numbers depend on in the spec and its weights",
    ),
    "settings-kept": Rationale(
        "other extractors and classifiers share the process",
        "use a generator of your own, and free_cores() for threads",
    ),
    "no-network": Rationale(
        "clusters' nodes have no network, and a download that changes changes scores",
        "declare what is loaded as a WeightFile, and load it from weights_path",
    ),
    "missing-weights": Rationale(
        "a user without the weights must hear which file, from where, and on what terms",
        "load what weights_path(file) gives",
    ),
    "damaged-weights": Rationale(
        "a score of damaged weights says nothing, and nobody would know",
        "load what weights_path(file) gives, which compares its sha256",
    ),
}
"""What each check protects, and what to do about it."""
