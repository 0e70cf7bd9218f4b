"""The declaration of an extractor, and the interface of the object that its factory returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from serab_core.types.arrays import CorpusState, Embeddings, Waveform


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A weight file that an extractor loads: its source and its checksum.

    Attributes:
        name: path below `$SERAB_HOME/weights`, such as `my-model.safetensors`.
        url: address of the published file.
        sha256: SHA-256 of the published file; None if it is not published. Serab then records and shows the checksum
            of the first file.
        size: size of the published file in bytes; None if it is not known.
        licence: SPDX id, or text; shown before the file is downloaded or imported.
        terms: text that the user must agree to before; "" if there is none.
        convert: converts the published file (first argument) into the file that the extractor loads (second argument),
            once; without it the published file is stored as it is. Raises ValueError, with the reason, for a wrong
            file.
        mirrors: other addresses of the same file, tried in order.
        folder: whether the extractor loads a folder; the folder is empty when `convert` gets it. A user may then also
            import a folder, which `convert` gets as a tar.
        title: name of the published file, if its address does not end in a file name.
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
        """The name of the published file."""
        return self.title or self.url.rpartition("/")[2]


@runtime_checkable
class Extractor(Protocol):
    """The object that an extractor's factory returns. It lives in one worker process and is called from one thread."""

    def embed(self, waveforms: Sequence[Waveform], /) -> Embeddings:
        """Embed a batch.

        Args:
            waveforms: mono float32 at the declared sampling rate, of any lengths, each with at least one sample.

        Returns:
            float32, shape (len(waveforms), dim), finite; row i depends only on waveform i.
        """
        ...


@runtime_checkable
class WarmExtractor(Extractor, Protocol):
    """An extractor that can load its libraries and weights in advance, while its worker is idle."""

    def warm(self) -> None:
        """Import libraries and load weights; `embed` must do so too if this was not called."""
        ...


@runtime_checkable
class CorpusExtractor(Extractor, Protocol):
    """An extractor that needs statistics of the training split, such as BYOL's log-mel mean and deviation."""

    def fit_corpus(self, train_waveforms: Iterable[Waveform], /) -> CorpusState:
        """Compute the statistics from the training split, in one pass and in order."""
        ...

    def use_corpus(self, state: CorpusState, /) -> None:
        """Use statistics that `fit_corpus` returned, possibly in another process."""
        ...


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """The declaration of an extractor, which can be read without importing its libraries.

    Attributes:
        name: the public name: the name of the entry point, or `entry/variant`.
        factory: builds the extractor; import heavy libraries inside it.
        dim: length of an embedding.
        summary: one line for lists.
        licence: licence of code and weights, as SPDX id or text.
        citation: BibTeX, or "".
        sample_rate: sampling rate in Hz; `embed` gets waveforms that are resampled to it.
        version: change it whenever embeddings change for a reason that the fields below do not record.
        parameters: everything else that affects the embeddings, as plain values.
        weights: the weight files.
        libraries: distributions whose version affects the embeddings, such as `("opensmile",)`.
        batch_size: number of waveforms that `embed` gets at a time.
        deterministic: whether the same input always gives the same bytes.
        uses_corpus: whether the extractor is a `CorpusExtractor`.
        layers: names of the layers, if an embedding concatenates several layers of equal length. Each classifier is
            then tuned on each layer, and uses the layer that is best on validation.
        classifiers: names of the classifiers to use in place of the protocol's, for an extractor whose output is no
            embedding, such as a guess. Classifiers that the user names take precedence.
        expected_failures: conformance checks that are known to fail, with the reason.
        options: options that users may add to the name, such as `my-model+bf16` or `my-model+window=400`, each with a
            sentence.
        configure: returns the spec with options, given by name and value ("" for an option without a value). The core
            sets the name. Raises ValueError, with the reason, for an invalid value.
        known_state: returns the corpus statistics of a task if they need not be computed, or None. Raises ValueError,
            with the reason, for a task that has no such statistics.
        tolerance: maximum difference between two embeddings of the same audio from different processes, as a fraction
            of the largest number of the embedding.
        code: identity of the plugin's code: `distribution`, `version` and `digest` of its files. Serab sets it.
        preflight: checks the files that the factory loads, in the process that plans a run, before any job is
            submitted. Raises WeightsError or UsageError. It is called before every run and should remember a success.
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
