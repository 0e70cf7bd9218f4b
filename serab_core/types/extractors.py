"""What an extractor declares, and what its factory returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from serab_core.types.arrays import CorpusState, Embeddings, Waveform


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file that an extractor needs: where it comes from, and what it must be."""

    name: str
    url: str
    sha256: str
    size: int


@runtime_checkable
class Extractor(Protocol):
    """What an extractor's factory returns. It lives in one worker process and is called from one thread."""

    def embed(self, waveforms: Sequence[Waveform], /) -> Embeddings:
        """Embeds a batch.

        Args:
            waveforms: mono float32 at the declared sample rate, any lengths, each at least one sample.

        Returns:
            float32, shape (len(waveforms), dim), finite; row i depends on waveform i alone.
        """
        ...


@runtime_checkable
class CorpusExtractor(Extractor, Protocol):
    """An extractor that needs statistics of the training split, such as BYOL's log-mel mean and deviation."""

    def fit_corpus(self, train_waveforms: Iterable[Waveform], /) -> CorpusState:
        """Computes the statistics from the training split, seen once and in order."""
        ...

    def use_corpus(self, state: CorpusState, /) -> None:
        """Takes up statistics that `fit_corpus` returned, perhaps in another process."""
        ...


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """Declares an extractor, light enough to be read without its libraries.

    Attributes:
        name: the public name, the entry point's or `entry/variant`.
        factory: builds the extractor; heavy imports belong in here.
        dim: length of an embedding.
        summary: one line for lists.
        licence: of code and weights, as SPDX id or words.
        citation: BibTeX, or "".
        sample_rate: in Hz; waveforms arrive resampled to it.
        version: changes whenever the numbers do for another reason than those below.
        parameters: everything else that the numbers depend on, as plain values.
        weights: the files it loads.
        libraries: distributions whose version the numbers depend on, such as `("opensmile",)`.
        batch_size: how many waveforms `embed` likes at a time.
        deterministic: whether the same input gives the same bytes every time.
        uses_corpus: whether it is a `CorpusExtractor`.
        expected_failures: conformance checks that are known to fail, with the reason.
    """

    name: str
    factory: Callable[[], Extractor]
    dim: int
    summary: str
    licence: str
    citation: str = ""
    sample_rate: int = 16_000
    version: str = "1"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    weights: tuple[WeightFile, ...] = ()
    libraries: tuple[str, ...] = ()
    batch_size: int = 16
    deterministic: bool = True
    uses_corpus: bool = False
    expected_failures: Mapping[str, str] = field(default_factory=dict)
