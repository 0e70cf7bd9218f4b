"""What a dataset declares, what its index gives, and what it becomes once prepared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from serab_core.types.arrays import Split


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of a download, in a folder or inside an archive.

    Attributes:
        name: its path below the source's root, with forward slashes.
        size: bytes, unpacked.
        read: returns its content.
        path: where it lies on disk; None inside an archive.
        archive: the archive that holds it; "" for a file on disk.
        containers: the source as the user named it, then each archive on the way to the file. Empty where a file comes
            from elsewhere, such as a manifest.
    """

    name: PurePosixPath
    size: int
    read: Callable[[], bytes]
    path: Path | None = None
    archive: str = ""
    containers: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What to call it in a message: its path, or the archive and its name in there."""
        return str(self.path) if self.path is not None else f"{self.archive}: {self.name}"


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
        segment: start and end of the utterance in the file, in seconds; None for the whole file. An end of None is the
            end of the file.
        alternatives: other files of the source that give the same utterance. `prepare` compares them with `file`.
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


@dataclass(frozen=True, slots=True)
class ExpectedAudio:
    """What a whole copy of a corpus sounds like, as its authors published it.

    Attributes:
        hours: length of all utterances together.
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
        shares_speakers: it is known to put true speakers into several splits, as the released code did.
        note: what is odd about it, shown with every result.
    """

    name: str = "default"
    ratios: tuple[float, float, float] = (0.6, 0.2, 0.2)
    group: str = "speaker"
    groups: tuple[str, ...] = ()
    excluded_labels: tuple[str, ...] = ()
    own_splits: bool = False
    shares_speakers: bool = False
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
        continuous: targets of the continuous tasks on these utterances, by suffix: `vad` makes the task `NAME/vad`.
        speaker_sex: `f` or `m` by speaker, where the corpus declares it.
        logmel: published log-mel mean and deviation of the training split.
        siblings: folders that the corpus's download has beside the one with its audio, by name, and what they hold:
            `{"laryngo": "the laryngograph signal"}`. Their files are never taken for utterances.
        expected_audio: published hours, rates and lengths, where they are known.
        expected_seconds: published length of each utterance in seconds, by id, where it is known.
        sentence: the sentence that is spoken, by utterance id, where the names tell it.
        releases: names of other datasets that are other releases of this corpus. Their names are mostly the same, but
            their labels are not: `prepare` refuses the files of one release under the name of another.
        known_defects: utterances that stay in the task although something is wrong with them, by id, and what it is.
        synthetic: made by a program; never enters an aggregate.
        generate: makes the corpus in a folder, where there is nothing to download.
        example: the files of a whole copy as its download lays them out, by name: what `index` reads, b"" for audio.
            Conformance checks index it. Made up where no list of the corpus's files is public.
        expected_failures: conformance checks that are known to fail, with the reason.
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

    def variant(self, name: str) -> SplitVariant:
        """The split variant called `name`; KeyError when there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Notice:
    """A fact about a prepared corpus that a reader of its scores must know.

    Attributes:
        kind: such as `crossing-speakers`; `serab_core.data.integrity` has them all.
        severity: a `fault` makes scores wrong, and fails `serab data verify`; a `caution` limits what they mean; an
            `info` is usual in corpora of acted speech.
        text: one sentence without its full stop.
        names: the utterances, speakers, labels or sentences that it is about.
    """

    kind: str
    severity: Literal["fault", "caution", "info"]
    text: str
    names: tuple[str, ...] = ()


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
        digest: sha256 over the utterances, labels, speakers and splits: the task, whatever became of its audio.
        audio_digest: sha256 over the samples: the copy that is there.
        partial: utterances are missing.
        target: the continuous target that is predicted, such as valence; "" for a task of classes, which has labels.
        splits: how the splits were made, in one phrase.
        cautions: what a reader of a score on this task must know, a sentence each.
        faulty: one of the cautions is a fault, which makes scores wrong.
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

    def count(self, split: Split) -> int:
        """How many utterances are in a split."""
        return sum(u.split == split for u in self.utterances)
