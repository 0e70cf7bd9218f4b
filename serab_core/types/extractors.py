"""What an extractor declares, and what its factory returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from serab_core.types.arrays import CorpusState, Embeddings, Waveform


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file that an extractor needs: where it comes from, and what it must be.

    Attributes:
        name: what it is called below `$SERAB_HOME/weights`, such as `my-model.safetensors`.
        url: where it is published.
        sha256: of the published file; None where nobody has told it: then that of the first one is kept, and shown.
        size: of the published file, in bytes; None where it is not known.
        licence: SPDX id or words; shown before the file is fetched or imported.
        terms: what has to be agreed to first, in words; "" where nothing has.
        convert: makes the file that the extractor loads (second argument) of the published one (first), once; without
            it the published file is kept as it is. Raises ValueError, with what is wrong, for a file that is another.
        mirrors: other addresses of the same file, tried in order.
        folder: what the extractor loads is a folder, which is empty when `convert` gets it. A user may then import a
            folder, too; `convert` gets it as a tar.
        title: what to call the published file, where its address does not end in a name.
    """

    name: str
    url: str
    sha256: str | None = None
    size: int | None = None
    licence: str = ""
    terms: str = ""
    convert: Callable[[Path, Path], None] | None = None
    mirrors: tuple[str, ...] = ()
    folder: bool = False
    title: str = ""

    @property
    def published(self) -> str:
        """What the published file is called."""
        return self.title or self.url.rpartition("/")[2]


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
class WarmExtractor(Extractor, Protocol):
    """An extractor that can load what it needs ahead, while its worker has nothing else to do."""

    def warm(self) -> None:
        """Imports libraries and loads weights; `embed` does so too where this was not called."""
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
        layers: names of layers, where `dim` numbers are those of several layers, of equal length and one behind the
            other. Each classifier is then tuned on each layer, and goes on with the one that is best on validation.
        classifiers: names of those that it is scored with in place of a protocol's: for what is no embedding, such as a
            guess. Naming classifiers on the command line goes before it.
        expected_failures: conformance checks that are known to fail, with the reason.
        options: what may be added to the name, such as `my-model+bf16` or `my-model+window=400`, with a sentence each.
        configure: gives the spec with options, by name and value ("" for one without); the name is the core's to set.
            Raises ValueError, with what is wrong, for a value that does not fit.
        known_state: the corpus statistics of a task where they need not be computed, or None. Raises ValueError, with
            what is wrong, for a task that has none.
        tolerance: how far an embedding of the same audio may differ from one that another process computed, as a
            fraction of its largest number.
        code: the code that computes: `distribution`, `version` and `digest` of its files. Serab sets it.
        preflight: checks what the factory loads, in the process that plans a run and before any work is handed out.
            Raises WeightsError or UsageError. It remembers a success, for it is called before every run.
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
    layers: tuple[str, ...] = ()
    classifiers: tuple[str, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    configure: Callable[[Mapping[str, str]], ExtractorSpec] | None = None
    known_state: Callable[[str], CorpusState | None] | None = None
    tolerance: float = 1e-3
    code: Mapping[str, str] = field(default_factory=dict)
    preflight: Callable[[], None] | None = None
