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
    """Return the checks of the extractor called `name`.

    Raises:
        UnknownNameError, PluginError: the name belongs to no working extractor.
    """
    return list(_checks(name))


def _checks(name: str) -> Iterator[Check]:
    extractors: list[Extractor] = []

    def extractor() -> Extractor:
        if not extractors:
            extractors.append(build_extractor(plugins.extractor(name)))
        return extractors[0]

    def embed(*waveforms: Waveform) -> Embeddings:
        result = extractor().embed(list(waveforms))
        # A copy, as in the core: only the check `repeatable` is about extractors that overwrite earlier results.
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
            raise ConformanceError(f"embed returned shape {result.shape}, but the spec declares {wanted}")

    def finite() -> None:
        rate = plugins.extractor(name).sample_rate
        for title, clip in odd_clips(rate).items():
            if not np.isfinite(embed(clip)).all():
                raise ConformanceError(f"the embedding of {title} is not finite")

    def repeatable() -> None:
        spec = plugins.extractor(name)
        clips = example_clips(spec.sample_rate)
        first, second = embed(*clips), embed(*clips)
        same = np.array_equal if spec.deterministic else partial(np.allclose, rtol=1e-4, atol=1e-6)
        if not same(first, second):
            raise ConformanceError("the same batch gave different embeddings")
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
            raise ConformanceError("a clip has different embeddings alone and in a batch")
        if not (np.abs(together - backwards) / scale).max() < 1e-4:
            raise ConformanceError("a clip has different embeddings at different positions of a batch")

    def input_unchanged() -> None:
        clips = example_clips(plugins.extractor(name).sample_rate)
        before = [clip.copy() for clip in clips]
        embed(*clips)
        if not all(np.array_equal(a, b) for a, b in zip(clips, before, strict=True)):
            raise ConformanceError("embed changed its input")

    def level_and_bandwidth() -> str:
        rate = plugins.extractor(name).sample_rate
        return sensitivity(embed, voiced_clips(rate), rate)

    def embed_once() -> None:
        spec = plugins.extractor(name)
        build_extractor(spec).embed(example_clips(spec.sample_rate))

    def elsewhere() -> None:
        with TemporaryDirectory() as scratch:
            here = embed(*example_clips(plugins.extractor(name).sample_rate))
            surroundings.check_other_process(name, here, Path(scratch))

    def in_scratch_folder(function: Callable[[ExtractorSpec, str, Path], str]) -> Callable[[], str]:
        def run() -> str:
            with TemporaryDirectory() as folder:
                return function(plugins.extractor(name), name, Path(folder))

        return run

    check = checker("extractor", name, RATIONALES, plugins.extractor(name).expected_failures)
    yield check("shape", shape)
    yield check("finite", finite)
    yield check("repeatable", repeatable)
    yield check("batch-independent", batch_independent)
    yield check("input-kept", input_unchanged)
    yield check("long", partial(surroundings.supports_long_audio, name))
    yield check("sensitivity", level_and_bandwidth)
    yield check("identity", lambda: identity.check_terms(plugins.extractor(name)))
    yield check("fingerprint", lambda: identity.check_fingerprint(plugins.extractor(name), name))
    yield check("stored-embeddings", lambda: stored_embeddings_agree(plugins.extractor(name)))
    yield check("light-import", partial(surroundings.check_imports, name))
    yield check("other-process", elsewhere)
    yield check("settings-kept", partial(surroundings.check_settings, embed_once))
    yield check("no-network", partial(surroundings.check_no_network, embed_once))
    yield check("missing-weights", in_scratch_folder(identity.check_missing_weights))
    yield check("damaged-weights", in_scratch_folder(identity.check_damaged_weights))


RATIONALES = {
    "shape": Rationale(
        "classifiers and caches rely on the declared dimension",
        "declare the correct dim, and return float32 of shape (n, dim)",
    ),
    "finite": Rationale(
        "one NaN corrupts the normalised features of a whole speaker",
        "pad clips that are too short, and protect divisions and logarithms",
    ),
    "repeatable": Rationale(
        "a score must be reproducible",
        "disable dropout and seed random numbers, or declare deterministic=False if only rounding differs; return a "
        "copy of a buffer that the next call overwrites",
    ),
    "batch-independent": Rationale(
        "a score must not depend on how utterances are grouped into batches",
        "mask the padding, or embed clip by clip",
    ),
    "input-kept": Rationale(
        "other extractors may get the same arrays",
        "work on a copy",
    ),
    "long": Rationale(
        "a corpus may contain long recordings, such as interviews",
        "embed long clips in segments, and pool the segments",
    ),
    "sensitivity": Rationale(
        "corpora differ in level and bandwidth; the check reports how much embeddings change with them",
        "accept clips of any level",
    ),
    "identity": Rationale(
        "users must know the extractor, its terms, and its citation",
        "declare summary, licence and citation, and the url and licence of each WeightFile",
    ),
    "fingerprint": Rationale(
        "the cache key of embeddings is computed from the spec",
        "declare parameters as plain values that are the same in each process",
    ),
    "stored-embeddings": Rationale(
        "a score from stored embeddings must be that of the current extractor",
        "declare everything that affects embeddings: files as WeightFile, choices as parameters, packages as "
        "libraries; `serab eval X --fresh` replaces stored embeddings",
    ),
    "light-import": Rationale(
        "listing extractors must not import the libraries of each of them",
        "import libraries inside the factory",
    ),
    "other-process": Rationale(
        "each worker process builds its own extractor, on any machine",
        "let embeddings depend only on the spec and its weights",
    ),
    "settings-kept": Rationale(
        "other extractors and classifiers share the process",
        "use your own random generator, and free_cores() for the number of threads",
    ),
    "no-network": Rationale(
        "cluster nodes often have no network, and a changed download would change scores",
        "declare each file as a WeightFile, and load it from weights_path",
    ),
    "missing-weights": Rationale(
        "without the weights, the error must name the file, its source and its terms",
        "load the path that weights_path(file) returns",
    ),
    "damaged-weights": Rationale(
        "a score with damaged weights is wrong, and nobody would notice",
        "load the path that weights_path(file) returns, which compares the SHA-256",
    ),
}
"""The rationale of each check by its name."""
