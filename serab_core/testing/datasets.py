"""Checks of a dataset without its audio: they index the file names of its example or of its generated corpus."""

from __future__ import annotations

import tempfile
from collections import Counter
from functools import cached_property, partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.data.check import check as held_against
from serab_core.data.prepare import cut
from serab_core.data.splits import crossing_speakers, draw_groups
from serab_core.errors import DataError
from serab_core.store.jsonio import digest
from serab_core.testing.checks import Check, CheckSuite, ConformanceError, check
from serab_core.types import SPLITS, SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from serab_core.types import DatasetSpec, Index
    from serab_core.types.datasets import ExpectedAudio


class DatasetChecks(CheckSuite):
    """The checks of a dataset.

    Args:
        spec: the dataset.
        subject: its name; that of the spec by default.
    """

    kind = "dataset"

    def __init__(self, spec: DatasetSpec, subject: str = "") -> None:
        super().__init__(subject or spec.name, spec.expected_failures)
        self._spec = spec

    @cached_property
    def _files(self) -> Mapping[str, bytes]:
        """The example; empty if there is none, which the check `example` reports."""
        return _example(self._spec)

    def _indexed(self, change: str = "") -> Index:
        return self._spec.index(_sources(self._files, change))

    @check(
        "declared",
        protects="users must know the corpus, its terms, and how to get it",
        fix="fill in the fields of the spec",
    )
    def declared(self) -> None:
        """Look for empty fields."""
        _declared(self._spec)

    @check(
        "counts",
        protects="the expected counts distinguish an incomplete copy from a complete one",
        fix="count the labels of the corpus, and list every utterance once",
    )
    def counts(self) -> None:
        """Compare expected counts with labels and ids."""
        _counts(self._spec)

    @check(
        "variants",
        protects="each protocol selects a split variant by name",
        fix="give each variant a unique name, and set released_variant to one of them",
    )
    def variants(self) -> None:
        """Compare the names and groups of variants."""
        _variants(self._spec)

    @check(
        "foreign",
        protects="a folder of other files must not be accepted as the corpus",
        fix="let parse return None for a name that does not belong to the corpus",
    )
    def third_party_files(self) -> None:
        """Index files of another kind."""
        _third_party_files(self._spec)

    @check(
        "example",
        protects="without example files nobody knows whether a complete copy is indexed correctly",
        fix="declare example, which returns the file names of the corpus",
    )
    def example(self) -> None:
        """Look for an example."""
        if not self._files:
            raise ConformanceError("it declares neither example nor generate")

    @check(
        "whole",
        protects="a complete copy must be recognised as complete, with its labels and speakers",
        fix="let index recognise every file name of the corpus, and declare the expected values of the corpus",
    )
    def whole(self) -> str:
        """Index the whole example."""
        if not self._files:
            return ""
        spec, index = self._spec, self._indexed()
        repeated = [identifier for identifier, count in Counter(e.id for e in index.entries).items() if count > 1]
        if repeated:
            raise ConformanceError(f"{repeated[0]!r} is the id of several utterances")
        checked = held_against(spec, index, "its example")
        if checked.missing:
            raise ConformanceError(f"it misses utterances of its own example: {', '.join(checked.missing[:5])}")
        speakers = {entry.speaker for entry in checked.index.entries}
        if len(speakers) != spec.expected_speakers:
            raise ConformanceError(f"{len(speakers)} speakers, not {spec.expected_speakers}")
        unknown = set(spec.speaker_sex) - speakers
        if unknown:
            raise ConformanceError(f"speaker_sex names {sorted(unknown)[:3]}, who do not speak")
        return f"{len(checked.index.entries)} utterances, {len(speakers)} speakers"

    @check(
        "partial",
        protects="a score on part of a corpus must not be shown as a score on the complete corpus",
        fix="declare expected_ids, or the expected_counts of the complete corpus",
    )
    def part(self) -> None:
        """Index the example without some of its files."""
        spec = self._spec
        entries = sorted(self._indexed().entries, key=lambda entry: entry.id) if self._files else []
        for entry in entries[:: max(len(entries) // 3, 1)]:
            rest = {path: data for path, data in self._files.items() if PurePosixPath(path) != entry.file.name}
            try:
                checked = held_against(spec, spec.index(_sources(rest)), "part of its example")
            except DataError:
                continue
            if not checked.missing:
                raise ConformanceError(f"without {entry.file.name} the corpus is still accepted as complete")

    @check(
        "speakers",
        protects="a speaker in two splits makes every score too high",
        fix="split by speaker, or declare shares_speakers and explain it in the note of the variant",
    )
    def speakers(self) -> None:
        """Look for speakers in several splits."""
        if not self._files:
            return
        spec, index = self._spec, self._indexed()
        for variant in spec.variants:
            splits = {identifier: split for identifier, (_, split) in cut(variant, index, spec).items()}
            crossing = crossing_speakers({entry.id: entry.speaker for entry in index.entries}, splits)
            if variant.shares_speakers:
                if not crossing:
                    raise ConformanceError(
                        f"variant {variant.name} declares shares_speakers, but no speaker is in several splits"
                    )
            else:
                who, where = next(iter(crossing.items()), ("", ()))
                if crossing:
                    raise ConformanceError(f"in variant {variant.name} speaker {who} is in {' and '.join(where)}")

    @check(
        "stable",
        protects="the task must not depend on the location of its files or on their order",
        fix="derive ids from file names alone, without folder, position and suffix",
    )
    def stable(self) -> None:
        """Index the example in other folders and in another order."""
        if not self._files:
            return
        plain = _task_digest(self._indexed())
        for change, description in _CHANGES.items():
            if _task_digest(self._indexed(change)) != plain:
                raise ConformanceError(f"the task changes {description}")

    @check(
        "inside",
        protects="an index must contain only files of the source that it gets, and no other files on disk",
        fix="use the SourceFile objects that index gets",
    )
    def inside(self) -> None:
        """Look for files that were not given to index."""
        sources = _sources(self._files)
        given = {id(file) for file in sources}
        for entry in self._spec.index(sources).entries if sources else ():
            if id(entry.file) not in given:
                raise ConformanceError(f"index returns {entry.file.shown}, which it was not given")
            if not entry.id:
                raise ConformanceError(f"the id of {entry.file.name} is empty")
            if not entry.id.isprintable():
                raise ConformanceError(f"{entry.id!r} is not a valid id")

    @check(
        "published",
        protects="published facts about a corpus are compared with each copy, and must refer to its utterances",
        fix=(
            "declare expected_seconds, expected_audio, sentence, known_defects and siblings that match the ids "
            "and the example"
        ),
    )
    def published(self) -> None:
        """Compare published facts with the ids and the example."""
        _published(self._spec, self._files)


def dataset_checks(dataset: str | DatasetSpec) -> list[Check]:
    """Return the checks of a dataset.

    Args:
        dataset: its name, or a spec.

    Raises:
        UnknownNameError, PluginError: the name belongs to no working dataset.

    Example:
        >>> from serab_core.testing import dataset_checks
        >>> all(check() is not None for check in dataset_checks("demo"))
        True
    """
    if isinstance(dataset, str):
        return DatasetChecks(plugins.dataset(dataset), dataset).checks()
    return DatasetChecks(dataset).checks()


def _declared(spec: DatasetSpec) -> None:
    for field in ("title", "language", "licence", "how_to_get"):
        if not str(getattr(spec, field)).strip():
            raise ConformanceError(f"{field} is empty")
    if not (spec.citation.strip() or spec.synthetic):
        raise ConformanceError("citation is empty")
    if not len(set(spec.labels)) == len(spec.labels) >= 2:
        raise ConformanceError(f"labels are {spec.labels}")


def _counts(spec: DatasetSpec) -> None:
    if set(spec.expected_counts) != set(spec.labels):
        raise ConformanceError("expected_counts does not have the labels as its keys")
    if not all(count > 0 for count in spec.expected_counts.values()):
        raise ConformanceError("a label is expected in no utterance")
    if spec.expected_ids is not None:
        ids = spec.expected_ids()
        total = sum(spec.expected_counts.values())
        if len(ids) != total:
            raise ConformanceError(f"expected_ids has {len(ids)} ids, but expected_counts has {total} utterances")


def _published(spec: DatasetSpec, files: Mapping[str, bytes]) -> None:
    entries = spec.index(_sources(files)).entries if files else ()
    ids = spec.expected_ids() if spec.expected_ids is not None else {entry.id for entry in entries}
    unknown = sorted(set(spec.known_defects) - ids)
    if unknown:
        raise ConformanceError(f"known_defects names {unknown[0]!r}, which is not an utterance")
    if spec.name in spec.releases:
        raise ConformanceError("releases names the dataset itself")
    for folder, content in spec.siblings.items():
        if not content.strip():
            raise ConformanceError(f"siblings does not say what the folder {folder} holds")
        taken = [path for path in files if folder.lower() in map(str.lower, PurePosixPath(path).parts[:-1])]
        if taken:
            raise ConformanceError(
                f"{taken[0]} of its example lies in the folder {folder}, whose files are never taken"
            )
    if spec.expected_seconds is not None:
        _check_lengths(spec.expected_seconds(), spec.expected_audio, ids)
    if spec.expected_audio is not None:
        audio, mean = spec.expected_audio, spec.expected_audio.hours * 3600 / max(len(ids), 1)
        if not 0 < audio.shortest_s <= mean <= audio.longest_s:
            raise ConformanceError(
                f"expected_audio has utterances of {mean:.2f} s on average, shortest {audio.shortest_s} s, longest "
                f"{audio.longest_s} s"
            )
        if not audio.rates:
            raise ConformanceError("expected_audio has no rates")
    if spec.sentence is not None:
        for identifier in sorted(ids):
            try:
                code = spec.sentence(identifier)
            except Exception as error:
                raise ConformanceError(f"sentence raised {type(error).__name__} on {identifier!r}") from error
            if not isinstance(code, str):
                raise ConformanceError(f"sentence is {code!r} for {identifier!r}, which is not a string")
            if not code.strip():
                raise ConformanceError(f"sentence is empty for {identifier!r}")


def _check_lengths(seconds: Mapping[str, float], audio: ExpectedAudio | None, ids: AbstractSet[str]) -> None:
    """Check that published lengths belong to the utterances, and agree with `expected_audio` to 0.1 % of the hours."""
    unknown = sorted(set(seconds) - ids)
    if unknown:
        raise ConformanceError(f"expected_seconds has {unknown[0]!r}, which is not an utterance")
    if not all(length > 0 for length in seconds.values()):
        raise ConformanceError("expected_seconds has a length that is not above zero")
    if audio is not None and set(seconds) == ids:
        hours = sum(seconds.values()) / 3600
        if not abs(hours - audio.hours) <= 0.001 * hours:
            raise ConformanceError(
                f"expected_seconds adds up to {hours:.4f} h and expected_audio says {audio.hours:.4f} h"
            )


def _third_party_files(spec: DatasetSpec) -> None:
    def unread() -> bytes:
        raise ConformanceError("index read a file that its name already excludes from the corpus")

    third_party = [SourceFile(PurePosixPath(p), 1, unread) for p in ("readme.txt", "music/track 1.wav", "x.wav")]
    entries = spec.index(third_party).entries
    if entries:
        raise ConformanceError(f"index accepted {entries[0].file.name} as an utterance")


def _variants(spec: DatasetSpec) -> None:
    names = [variant.name for variant in spec.variants]
    if not len(set(names)) == len(names) >= 1:
        raise ConformanceError(f"variants are {names}")
    if spec.released_variant not in names:
        raise ConformanceError(f"released_variant {spec.released_variant!r} is not one of {names}")
    for variant in spec.variants:
        if variant.groups:
            drawn = set(draw_groups(variant.groups, variant.ratios).values())
            if drawn != set(SPLITS):
                raise ConformanceError(f"variant {variant.name} has groups only in {sorted(drawn)}")


def _example(spec: DatasetSpec) -> Mapping[str, bytes]:
    if spec.example is not None:
        return spec.example()
    if spec.generate is None:
        return {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        spec.generate(folder)
        paths = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


_CHANGES = {
    "backwards": "when its files are listed in reverse order",
    "deeper": "when its folder is inside another folder",
    "upper": "when the suffixes of its files are in upper case",
}


def _sources(files: Mapping[str, bytes], change: str = "") -> list[SourceFile]:
    sources = []
    for name, data in files.items():
        path = PurePosixPath("a") / "folder" / name if change == "deeper" else PurePosixPath(name)
        if change == "upper" and path.suffix in (".wav", ".flac", ".mp3", ".ogg"):
            path = path.with_suffix(path.suffix.upper())
        sources.append(SourceFile(path, len(data), partial(bytes, data), archive="example"))
    return sources[::-1] if change == "backwards" else sources


def _task_digest(index: Index) -> str:
    rows: Sequence[list[object]] = [
        [entry.id, entry.label, entry.speaker, dict(entry.groups), dict(entry.targets), entry.split]
        for entry in index.entries
    ]
    return digest(sorted(rows, key=str))
