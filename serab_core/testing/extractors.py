"""Checks of an extractor."""

from __future__ import annotations

from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from serab_core import plugins
from serab_core.testing import identity, surroundings
from serab_core.testing.checks import NOT_APPLICABLE, Check, CheckSuite, ConformanceError, check
from serab_core.testing.example import build_extractor, example_clips, odd_clips, voiced_clips
from serab_core.testing.sensitivity import sensitivity
from serab_core.testing.stored import stored_embeddings_agree

if TYPE_CHECKING:
    from collections.abc import Callable

    from serab_core.types import Embeddings, Extractor, ExtractorSpec, Waveform


class ExtractorChecks(CheckSuite):
    """The checks of an extractor.

    Args:
        spec: the extractor.
        name: its name, by which another process finds it; "" where no plugin registers it.
    """

    kind = "extractor"

    def __init__(self, spec: ExtractorSpec, name: str) -> None:
        super().__init__(name or spec.name, spec.expected_failures)
        self._spec, self._name = spec, name

    @cached_property
    def _extractor(self) -> Extractor:
        return build_extractor(self._spec)

    @property
    def _clips(self) -> list[Waveform]:
        return example_clips(self._spec.sample_rate)

    def _embed(self, *waveforms: Waveform) -> Embeddings:
        result = self._extractor.embed(list(waveforms))
        # A copy, as in the core: only the check `repeatable` is about extractors that overwrite earlier results.
        return result.copy() if isinstance(result, np.ndarray) else result

    def _embed_once(self) -> None:
        build_extractor(self._spec).embed(self._clips)

    def _elsewhere(self, function: Callable[[str], str | None]) -> str:
        """Run a check that needs the extractor in another process, which finds it by its name."""
        if not self._name:
            return f"{NOT_APPLICABLE}no plugin registers the extractor, so that no other process can build it"
        return function(self._name) or ""

    def _with_scratch_folder(self, function: Callable[[ExtractorSpec, str, Path], str]) -> str:
        def run(name: str) -> str:
            with TemporaryDirectory() as folder:
                return function(self._spec, name, Path(folder))

        return self._elsewhere(run)

    @check(
        "shape",
        protects="classifiers and caches rely on the declared dimension",
        fix="declare the correct dim, and return float32 of shape (n, dim)",
    )
    def shape(self) -> None:
        """Check dtype and shape of the embeddings."""
        clips = self._clips
        result = self._embed(*clips)
        if not isinstance(result, np.ndarray):
            raise ConformanceError(f"embed returned {type(result).__name__}")
        if result.dtype != np.float32:
            raise ConformanceError(f"embed returned {result.dtype}")
        wanted = (len(clips), self._spec.dim)
        if result.shape != wanted:
            raise ConformanceError(f"embed returned shape {result.shape}, but the spec declares {wanted}")

    @check(
        "finite",
        protects="one NaN corrupts the normalised features of a whole speaker",
        fix="pad clips that are too short, and protect divisions and logarithms",
    )
    def finite(self) -> None:
        """Embed silence, clicks, and clips of very few samples."""
        for title, clip in odd_clips(self._spec.sample_rate).items():
            if not np.isfinite(self._embed(clip)).all():
                raise ConformanceError(f"the embedding of {title} is not finite")

    @check(
        "repeatable",
        protects="a score must be reproducible",
        fix=(
            "disable dropout and seed random numbers, or declare deterministic=False if only rounding differs; "
            "return a copy of a buffer that the next call overwrites"
        ),
    )
    def repeatable(self) -> None:
        """Embed a batch twice."""
        clips = self._clips
        first, second = self._embed(*clips), self._embed(*clips)
        same = np.array_equal if self._spec.deterministic else partial(np.allclose, rtol=1e-4, atol=1e-6)
        if not same(first, second):
            raise ConformanceError("the same batch gave different embeddings")
        earlier = self._extractor.embed(clips[:1])
        before = np.array(earlier)
        self._extractor.embed(clips[1:2])
        if not np.array_equal(before, earlier, equal_nan=True):
            raise ConformanceError(
                "embed returns the same memory twice: the second call overwrote the result of the first"
            )

    @check(
        "batch-independent",
        protects="a score must not depend on how utterances are grouped into batches",
        fix="mask the padding, or embed clip by clip",
    )
    def batch_independent(self) -> None:
        """Embed clips in a batch, alone, and in reverse order."""
        clips = self._clips
        together = self._embed(*clips)
        alone = np.concatenate([self._embed(clip) for clip in clips])
        backwards = self._embed(*clips[::-1])[::-1]
        scale = np.abs(alone).max(axis=1, keepdims=True) + 1e-6
        if not (np.abs(together - alone) / scale).max() < 1e-4:
            raise ConformanceError("a clip has different embeddings alone and in a batch")
        if not (np.abs(together - backwards) / scale).max() < 1e-4:
            raise ConformanceError("a clip has different embeddings at different positions of a batch")

    @check(
        "input-kept",
        protects="other extractors may get the same arrays",
        fix="work on a copy",
    )
    def input_unchanged(self) -> None:
        """Compare the input before and after."""
        clips = self._clips
        before = [clip.copy() for clip in clips]
        self._embed(*clips)
        if not all(np.array_equal(a, b) for a, b in zip(clips, before, strict=True)):
            raise ConformanceError("embed changed its input")

    @check(
        "long",
        protects="a corpus may contain long recordings, such as interviews",
        fix="embed long clips in segments, and pool the segments",
        starts_processes=True,
    )
    def long_audio(self) -> str:
        """Embed ten minutes of audio in another process."""
        return self._elsewhere(surroundings.supports_long_audio)

    @check(
        "sensitivity",
        protects="corpora differ in level and bandwidth; the check reports how much embeddings change with them",
        fix="accept clips of any level",
    )
    def level_and_bandwidth(self) -> str:
        """Report how much embeddings change with level and bandwidth."""
        rate = self._spec.sample_rate
        return sensitivity(self._embed, voiced_clips(rate), rate)

    @check(
        "identity",
        protects="users must know the extractor, its terms, and its citation",
        fix="declare summary, licence and citation, and the url and licence of each WeightFile",
    )
    def terms(self) -> None:
        """Check summary, licence and citation."""
        identity.check_terms(self._spec)

    @check(
        "fingerprint",
        protects="the cache key of embeddings is computed from the spec",
        fix="declare parameters as plain values that are the same in each process",
        starts_processes=True,
    )
    def fingerprint(self) -> str:
        """Compare fingerprints in two processes, and after changes."""
        return self._elsewhere(lambda name: identity.check_fingerprint(self._spec, name))

    @check(
        "stored-embeddings",
        protects="a score from stored embeddings must be that of the current extractor",
        fix=(
            "declare everything that affects embeddings: files as WeightFile, choices as parameters, packages as "
            "libraries; a fresh evaluation replaces stored embeddings"
        ),
    )
    def stored_embeddings(self) -> str:
        """Compare stored embeddings with new ones."""
        return stored_embeddings_agree(self._spec)

    @check(
        "light-import",
        protects="listing extractors must not import the libraries of each of them",
        fix="import libraries inside the factory",
        starts_processes=True,
    )
    def light_import(self) -> str:
        """Look at what reading the spec imports."""
        return self._elsewhere(surroundings.check_imports)

    @check(
        "other-process",
        protects="each worker process builds its own extractor, on any machine",
        fix="let embeddings depend only on the spec and its weights",
        starts_processes=True,
    )
    def other_process(self) -> str:
        """Compare embeddings with those of another process."""

        def run(name: str) -> None:
            with TemporaryDirectory() as scratch:
                surroundings.check_other_process(name, self._embed(*self._clips), Path(scratch))

        return self._elsewhere(run)

    @check(
        "settings-kept",
        protects="other extractors and classifiers share the process",
        fix="use your own random generator, and free_cores() for the number of threads",
    )
    def settings_unchanged(self) -> None:
        """Compare global settings before and after."""
        surroundings.check_settings(self._embed_once)

    @check(
        "no-network",
        protects="cluster nodes often have no network, and a changed download would change scores",
        fix="declare each file as a WeightFile, and load it from weights_path",
    )
    def no_network(self) -> None:
        """Embed without network."""
        surroundings.check_no_network(self._embed_once)

    @check(
        "missing-weights",
        protects="without the weights, the error must name the file, its source and its terms",
        fix="load the path that weights_path(file) returns",
        starts_processes=True,
    )
    def missing_weights(self) -> str:
        """Build the extractor in a home without its weights."""
        return self._with_scratch_folder(identity.check_missing_weights)

    @check(
        "damaged-weights",
        protects="a score with damaged weights is wrong, and nobody would notice",
        fix="load the path that weights_path(file) returns, which compares the SHA-256",
        starts_processes=True,
    )
    def damaged_weights(self) -> str:
        """Build the extractor in a home with damaged weights."""
        return self._with_scratch_folder(identity.check_damaged_weights)


def extractor_checks(extractor: str | ExtractorSpec) -> list[Check]:
    """Return the checks of an extractor.

    Args:
        extractor: its name, or a spec. For a spec, the checks that start processes are not applicable: another process
            finds an extractor by its name only.

    Raises:
        UnknownNameError, PluginError: the name belongs to no working extractor.

    Example:
        >>> from serab_core.testing import extractor_checks
        >>> len(extractor_checks("mfcc-stats"))
        16
    """
    if isinstance(extractor, str):
        return ExtractorChecks(plugins.extractor(extractor), extractor).checks()
    return ExtractorChecks(extractor, "").checks()
