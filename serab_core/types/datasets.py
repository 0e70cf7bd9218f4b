"""The declaration of a dataset, the result of its index, and the task that a prepared dataset becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from serab_core.types.arrays import Split
from serab_core.types.sources import DownloadSource, ManualSource, Source


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a download, in a folder or inside an archive.

    Attributes:
        name: path below the root of the source, with forward slashes.
        size: unpacked size in bytes.
        read: returns the content.
        path: path on disk; None for a file inside an archive.
        archive: the archive that holds the file; "" for a file on disk.
        containers: the source as the user named it, followed by each archive that encloses the file. Empty for a file
            that comes from elsewhere, such as a manifest.
    """

    name: PurePosixPath
    size: int
    read: Callable[[], bytes]
    path: Path | None = None
    archive: str = ""
    containers: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """The name for messages: the path, or the archive and the name inside it."""
        return str(self.path) if self.path is not None else f"{self.archive}: {self.name}"


@dataclass(frozen=True, slots=True)
class Entry:
    """An utterance that the index of a corpus lists.

    Attributes:
        id: identifier, unique within the dataset and independent of the location of the file.
        file: the audio file.
        label: one of the labels of the dataset.
        speaker: the true speaker.
        groups: other groupings that a split variant splits or normalises by, such as those of the released code.
        targets: continuous annotations, such as valence.
        split: the split that the corpus itself defines, if it does.
        fold: the fold of the corpus's own cross-validation, such as the session; "" if it defines none.
        segment: start and end of the utterance in the file, in seconds; None for the whole file. An end of None means
            the end of the file.
        alternatives: other files of the source with the same utterance. `prepare` compares them with `file`.
    """

    id: str
    file: SourceFile
    label: str
    speaker: str
    groups: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    split: Split | None = None
    segment: tuple[float, float | None] | None = None
    alternatives: tuple[SourceFile, ...] = ()
    fold: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedAudio:
    """Audio properties of a complete copy of a corpus, as its authors published them.

    Attributes:
        hours: total length of all utterances.
        rates: sampling rates that occur, in Hz.
        shortest_s: length of the shortest utterance, in seconds.
        longest_s: length of the longest utterance, in seconds.
    """

    hours: float
    rates: tuple[int, ...]
    shortest_s: float
    longest_s: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that the index skipped, and the reason."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Index:
    """The utterances that the index of a corpus recognised among the files of a source, and the skipped files."""

    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, slots=True)
class SplitVariant:
    """One way to split a dataset.

    Attributes:
        name: `default`, `as_released`, ...
        ratios: fractions of the groups for train, validation and test.
        group: `speaker`, or the key in `Entry.groups`, by which the dataset is split and normalised.
        groups: every group id of the complete corpus, so that a partial copy has the same splits as the complete
            corpus; empty to use the groups that are present.
        excluded_labels: labels that this variant leaves out.
        own_splits: whether to use `Entry.split` instead of drawing the splits.
        shares_speakers: whether some true speakers are known to be in several splits, as in the released code.
        note: a peculiarity of the variant, shown with every result.
        fold_note: the part of `note` that holds for other splits, too: shown with results of protocols with folds.
    """

    name: str = "default"
    ratios: tuple[float, float, float] = (0.6, 0.2, 0.2)
    group: str = "speaker"
    groups: tuple[str, ...] = ()
    excluded_labels: tuple[str, ...] = ()
    own_splits: bool = False
    shares_speakers: bool = False
    note: str = ""
    fold_note: str = ""


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """The declaration of a corpus: how to index its files, what a complete copy contains, and where to get it.

    Attributes:
        name: the public name of the task.
        title: the name that the authors use.
        language: BCP 47 tag.
        labels: every label of the task, in the order of the class indices.
        index: converts the files of a source into entries; it should decide by file name and read as few files as
            possible.
        licence: the terms of the corpus, as text.
        citation: BibTeX.
        how_to_get: one sentence that tells a user how to get the corpus.
        expected_counts: number of utterances by label.
        expected_speakers: number of speakers.
        expected_ids: returns every utterance id, if the list is known; missing files can then be named exactly.
        variants: the split variants; the first one is the default.
        released_variant: the variant that the protocol `serab-released` uses.
        continuous: targets of the continuous tasks on these utterances, by suffix: `vad` makes the task `NAME/vad`.
        speaker_sex: `f` or `m` by speaker, if the corpus declares it.
        logmel: published mean and standard deviation of the log-mel spectrograms of the training split.
        siblings: names and contents of folders that the download has next to the folder with the audio, such as
            `{"laryngo": "the laryngograph signal"}`. Their files never become utterances.
        expected_audio: published hours, sampling rates and lengths, if they are known.
        expected_seconds: returns the published length of each utterance in seconds, by id, if it is known.
        sentence: returns the spoken sentence of an utterance id, if the file names state it.
        releases: names of datasets that are other releases of this corpus. Most of their file names are the same, but
            their labels are not: `prepare` refuses the files of one release under the name of another.
        known_defects: the defect by utterance id, for utterances that stay in the task in spite of it.
        synthetic: whether a program generated the corpus; it never enters a mean.
        generate: generates the corpus in a folder, if there is nothing to download.
        example: returns the files of a complete copy by name, as the download arranges them: the content that `index`
            reads, and b"" for audio. Conformance checks index it. Invented if no list of the files is public.
        expected_failures: conformance checks that are known to fail, with the reason.
        sources: where `serab data fetch` downloads the corpus: alternatives, each complete, tried in order. A
            `ManualSource` says what a person must do if none of them works; by default it says `how_to_get`.
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
    continuous: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    speaker_sex: Mapping[str, str] = field(default_factory=dict)
    logmel: tuple[float, float] | None = None
    siblings: Mapping[str, str] = field(default_factory=dict)
    expected_audio: ExpectedAudio | None = None
    expected_seconds: Callable[[], Mapping[str, float]] | None = None
    sentence: Callable[[str], str] | None = None
    releases: tuple[str, ...] = ()
    known_defects: Mapping[str, str] = field(default_factory=dict)
    synthetic: bool = False
    generate: Callable[[Path], None] | None = None
    example: Callable[[], Mapping[str, bytes]] | None = None
    expected_failures: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    @property
    def downloads(self) -> tuple[DownloadSource, ...]:
        """The sources that serab can download."""
        return tuple(source for source in self.sources if not isinstance(source, ManualSource))

    @property
    def manual(self) -> str:
        """What a person must do to get the corpus, as a phrase."""
        texts = [source.text for source in self.sources if isinstance(source, ManualSource)]
        return "; ".join(texts) or self.how_to_get

    @property
    def access(self) -> Literal["fetchable", "manual", "generated"]:
        """How a user gets the corpus."""
        return "generated" if self.generate is not None else "fetchable" if self.downloads else "manual"

    @property
    def download_bytes(self) -> int | None:
        """The size of the first download in bytes; None if it is not known before the publisher is asked."""
        sizes = [file.size for source in self.downloads[:1] for file in source.files]
        return None if not sizes or None in sizes else sum(size or 0 for size in sizes)

    def variant(self, name: str) -> SplitVariant:
        """Return the split variant called `name`. Raises KeyError if it does not exist."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact about a prepared corpus that a reader of its scores must know.

    Attributes:
        kind: such as `crossing-speakers`; `serab_core.data.integrity` defines all kinds.
        severity: a `fault` makes scores wrong, and `serab data verify` fails; a `caution` limits the meaning of
            scores; an `info` is common in corpora of acted speech.
        text: one sentence without the full stop.
        names: the utterances, speakers, labels or sentences that are affected.
    """

    kind: str
    severity: Literal["fault", "caution", "info"]
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance of a prepared task, with its split in one split variant.

    Attributes:
        path: the audio file.
        speaker: the true speaker.
        group: the group within which per-speaker normalisation computes statistics: the speaker, except in
            `as_released` variants.
        sha256: SHA-256 of the decoded samples before resampling.
        duration: length in seconds.
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
class Fold:
    """A fold: the split of every speaker. Speakers are the unit, so that no speaker can be in two splits.

    Attributes:
        name: the test speakers, the fold of the corpus, or the number of the draw.
        splits: the split by speaker.
    """

    name: str
    splits: Mapping[str, Split]

    @property
    def test_speakers(self) -> tuple[str, ...]:
        """The speakers of the test split, sorted."""
        return tuple(sorted(speaker for speaker, split in self.splits.items() if split == "test"))


@dataclass(frozen=True, slots=True)
class Task:
    """A prepared dataset in one split variant: the input of an evaluation.

    Attributes:
        utterances: sorted by id.
        labels: the labels that occur, in the order of the dataset; class indices refer to them.
        digest: SHA-256 over the utterances, labels, speakers and splits; it does not depend on the audio.
        audio_digest: SHA-256 over the samples of this copy.
        partial: whether utterances are missing.
        target: the continuous target that is predicted, such as valence; "" for a task of classes, which has labels.
        splits: one phrase on how the splits were drawn.
        cautions: sentences that a reader of a score on this task must know.
        faulty: whether one of the cautions is a fault, which makes scores wrong.
        folds: the folds of a protocol that has several; the split of every utterance is then `test`.
        fold: the name of the fold whose splits the utterances have; "" for a task with one split.
    """

    name: str
    title: str
    language: str
    variant: str
    labels: tuple[str, ...]
    utterances: tuple[Utterance, ...]
    digest: str
    audio_digest: str
    synthetic: bool = False
    partial: bool = False
    note: str = ""
    target: str = ""
    splits: str = ""
    cautions: tuple[str, ...] = ()
    faulty: bool = False
    folds: tuple[Fold, ...] = ()
    fold: str = ""

    @property
    def speakers(self) -> tuple[str, ...]:
        """The true speakers, sorted."""
        return tuple(sorted({utterance.speaker for utterance in self.utterances}))

    def count(self, split: Split) -> int:
        """Return the number of utterances in a split."""
        return sum(u.split == split for u in self.utterances)
