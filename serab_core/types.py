"""The values that flow through the house: frozen, typed, without I/O.

A plugin author needs `ExtractorSpec`, `DatasetSpec` or `ClassifierSpec` and the small protocols that go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Waveform: TypeAlias = npt.NDArray[np.float32]
"""Mono audio, 1-D, in [-1, 1] as decoded, at a rate that the context states."""
Embeddings: TypeAlias = npt.NDArray[np.float32]
"""One row an utterance, shape (n, dim)."""
Features: TypeAlias = npt.NDArray[np.float64]
"""Normalised embeddings, shape (n, dim): what classifiers see."""
Labels: TypeAlias = npt.NDArray[np.int64]
"""Class indices into the labels of the task, shape (n,)."""

Split: TypeAlias = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
GridValue: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, GridValue]
CorpusState: TypeAlias = Mapping[str, float | Sequence[float]]
"""What an extractor computed once for a corpus, as plain numbers, so that it can be stored and shown."""


class Progress(Protocol):
    """Shows how far long work has come. The CLI draws it; the rooms only report."""

    def stage(self, title: str, total: int, /) -> AbstractContextManager[Callable[[int], None]]:
        """Opens a stage of `total` steps; what it yields is called with the number of steps just done."""
        ...

    def note(self, text: str, /) -> None:
        """Shows one line that stays."""
        ...


# --- extractors -------------------------------------------------------------------------------------------------


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


# --- datasets ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a download, in a folder or inside an archive.

    Attributes:
        name: its path below the source's root, with forward slashes.
        size: bytes, unpacked.
        read: returns its content.
    """

    name: PurePosixPath
    size: int
    read: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """An utterance as a corpus's index finds it.

    Attributes:
        id: unique within the dataset and independent of where the file lies.
        file: the audio.
        label: one of the dataset's labels.
        speaker: who truly speaks.
        groups: other groupings that a split variant cuts or normalises by, such as the released code's.
        targets: continuous annotations, such as valence.
        split: the corpus's own split, where it has one.
    """

    id: str
    file: SourceFile
    label: str
    speaker: str
    groups: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    split: Split | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was left out, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """What a corpus's index made of a source's files."""

    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitVariant:
    """One way of cutting a dataset.

    Attributes:
        name: `default`, `as_released`, ...
        ratios: shares of the groups for train, validation and test (reference 1.4).
        group: `speaker`, or the key in `Entry.groups` that is cut and normalised by.
        groups: every group id of the whole corpus, so that a partial copy is cut as the whole is; empty to take
            those that are there.
        excluded_labels: labels that this variant leaves out.
        own_splits: take `Entry.split` instead of drawing.
        note: what is odd about it, shown with every result.
    """

    name: str = "default"
    ratios: tuple[float, float, float] = (0.6, 0.2, 0.2)
    group: str = "speaker"
    groups: tuple[str, ...] = ()
    excluded_labels: tuple[str, ...] = ()
    own_splits: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """Declares a corpus: how its files give utterances, what must come out, and where to get it.

    Attributes:
        name: the task's public name.
        title: as its authors write it.
        language: BCP 47 tag.
        labels: every label of the task, in the order that class indices take.
        index: turns a source's files into entries; it decides by name and reads only what it must.
        licence: the corpus's terms, in words.
        citation: BibTeX.
        how_to_get: one sentence a user can follow.
        expected_counts: utterances by label.
        expected_speakers: how many speakers there are.
        expected_ids: every utterance id, where the list is known; gives the exact missing files.
        variants: ways of cutting it; the first is the default.
        released_variant: the variant that the protocol `serab-released` takes.
        speaker_sex: `f` or `m` by speaker, where the corpus declares it.
        logmel: published log-mel mean and deviation of the training split.
        synthetic: made by a program; never enters an aggregate.
        generate: makes the corpus in a folder, where there is nothing to download.
    """

    name: str
    title: str
    language: str
    labels: tuple[str, ...]
    index: Callable[[Sequence[SourceFile]], Index]
    licence: str
    citation: str
    how_to_get: str
    expected_counts: Mapping[str, int]
    expected_speakers: int
    expected_ids: Callable[[], frozenset[str]] | None = None
    variants: tuple[SplitVariant, ...] = (SplitVariant(),)
    released_variant: str = "default"
    speaker_sex: Mapping[str, str] = field(default_factory=dict)
    logmel: tuple[float, float] | None = None
    synthetic: bool = False
    generate: Callable[[Path], None] | None = None

    def variant(self, name: str) -> SplitVariant:
        """The split variant called `name`; KeyError when there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance of a prepared task, with its place in one split variant.

    Attributes:
        path: the audio file.
        speaker: the true speaker.
        group: whose statistics per-speaker normalisation takes; the speaker, but in `as_released` variants.
        sha256: of the decoded samples, before resampling.
        duration: in seconds.
    """

    id: str
    path: str
    label: str
    speaker: str
    group: str
    split: Split
    sha256: str
    duration: float
    targets: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """A prepared dataset in one split variant: what extractors and classifiers are run on.

    Attributes:
        utterances: sorted by id.
        labels: those that occur, in the dataset's order; class indices refer to it.
        digest: sha256 over the samples, labels, speakers and splits.
        partial: utterances are missing.
    """

    name: str
    title: str
    language: str
    variant: str
    labels: tuple[str, ...]
    utterances: tuple[Utterance, ...]
    digest: str
    synthetic: bool = False
    partial: bool = False
    note: str = ""

    def count(self, split: Split) -> int:
        """How many utterances are in a split."""
        return sum(u.split == split for u in self.utterances)


# --- classifiers ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled features: X float64 (n, d), y class indices (n,), and how many classes the task has."""

    X: Features
    y: Labels
    n_classes: int


class Predictor(Protocol):
    """A fitted classifier."""

    def predict(self, X: Features, /) -> Labels:
        """Class indices for features of shape (n, d)."""
        ...


class Workspace(Protocol):
    """Holds what all points of a search share. Both methods raise `PointError` for a point that cannot be fitted."""

    def fit(self, params: Params, /) -> Predictor:
        """Fits on the training examples."""
        ...

    def refit(self, params: Params, /) -> Predictor:
        """Fits on training and validation examples together."""
        ...


class PointError(Exception):
    """A point of the search cannot be fitted; the message says why. It is recorded and the search goes on."""


class Prepare(Protocol):
    """Does the work that every point of a search shares."""

    def __call__(self, train: Examples, validation: Examples, /, *, seed: int) -> Workspace:
        """Returns the workspace for one task."""
        ...


@dataclass(frozen=True, slots=True)
class ClassifierSpec:
    """Declares a classifier and the space it is searched over.

    Attributes:
        name: the public name.
        title: as tables show it.
        search_space: candidate values by parameter. Grid order is keys sorted, the last key fastest.
        prepare: builds the workspace; heavy imports belong in here.
        order: its place among the protocol's classifiers, which settles ties.
        version: changes whenever its predictions do for another reason than those below.
        libraries: distributions whose version its predictions depend on.
        expected_failures: conformance checks that are known to fail, with the reason.
    """

    name: str
    title: str
    search_space: Mapping[str, Sequence[GridValue]]
    prepare: Prepare
    summary: str = ""
    order: int = 100
    version: str = "1"
    libraries: tuple[str, ...] = ()
    expected_failures: Mapping[str, str] = field(default_factory=dict)


# --- protocol and results ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProtocolSpec:
    """How a score is made (design section 4); stored with every result and shown with every table.

    Attributes:
        splits: `default`, or `released` for the variant that the authors' code cut.
        normalisation: `speaker` (within each split, transductive) or `train` (training split's statistics only).
        objective: what the search over parameters maximises on the validation split.
        selection: the split on which the classifier is chosen; `test` is optimistic.
        classifiers: in the order that settles ties.
        caution: what a reader must know, shown beside every figure made this way.
    """

    name: str
    splits: Literal["default", "released"]
    normalisation: Literal["speaker", "train"]
    objective: Literal["accuracy", "uar"]
    selection: Literal["validation", "test"]
    classifiers: tuple[str, ...]
    summary: str
    caution: str = ""
    seed: int = 42


@dataclass(frozen=True, slots=True)
class Predictions:
    """Per-utterance predictions on one split, as labels, in order of utterance id."""

    ids: tuple[str, ...]
    truth: tuple[str, ...]
    predicted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a search: its parameters and validation score, or why it could not be fitted."""

    params: Params
    score: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ClassifierOutcome:
    """What one classifier reached on one task.

    Attributes:
        params: the chosen point; None when no point could be fitted.
        validation: the chosen point's validation score, by the protocol's objective.
        test: predictions after the refit on train and validation.
    """

    classifier: str
    title: str
    points: tuple[Point, ...]
    params: Params | None
    validation: float | None
    test: Predictions | None
    accuracy: float | None
    uar: float | None


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The score of one extractor on one task under one protocol.

    Attributes:
        chosen: the classifier that the protocol reports.
        provenance: versions, fingerprint, dataset digest, seeds, command and machine.
    """

    extractor: str
    task: str
    language: str
    protocol: str
    variant: str
    counts: Mapping[str, int]
    chosen: str
    accuracy: float
    uar: float
    outcomes: tuple[ClassifierOutcome, ...]
    synthetic: bool
    partial: bool
    cautions: tuple[str, ...]
    key: str
    provenance: Mapping[str, Any]

    def outcome(self, classifier: str) -> ClassifierOutcome:
        """The outcome of one classifier; KeyError when it was not run."""
        for outcome in self.outcomes:
            if outcome.classifier == classifier:
                return outcome
        raise KeyError(classifier)


@dataclass(frozen=True, slots=True)
class Failure:
    """A piece of the work that could not be done, and why."""

    extractor: str
    task: str
    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of `serab eval`: what was asked and what came of it.

    Attributes:
        reused: keys of the results that were already there.
        missing: tasks of the suite that have no prepared corpus.
    """

    protocol: ProtocolSpec
    extractors: tuple[str, ...]
    tasks: tuple[str, ...]
    results: tuple[TaskResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    reused: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
