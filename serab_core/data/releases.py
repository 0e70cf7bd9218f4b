"""Tells the releases of a corpus apart by the names of their files, and recognises another corpus by its names."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from serab_registry import Group

from serab_core import plugins
from serab_core.errors import DataError, SerabError
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from serab_core.types import DatasetSpec, Entry, Skipped

_ENOUGH = 0.25
"""Share of the files that another corpus must know before it is recommended: room for copies and for other files."""


@dataclass(frozen=True, slots=True)
class Release:
    """Another release of a corpus: a dataset, and every utterance id of it."""

    spec: DatasetSpec
    ids: frozenset[str]


def other_releases(spec: DatasetSpec) -> Iterator[Release]:
    """The releases that the dataset declares beside itself, as far as they are installed and list their ids."""
    for name in spec.releases:
        with contextlib.suppress(SerabError):
            other = plugins.dataset_or_none(name)
            if other is not None and other.expected_ids is not None:
                yield Release(other, other.expected_ids())


def refuse_other_release(
    spec: DatasetSpec, known: Collection[str], other: Release, entries: Sequence[Entry], source: str
) -> str:
    """Refuses files of another release, and returns a note where the names do not tell which release they are.

    A name that only one release has tells the release. Where names of both kinds are there, the files of the other
    release must lie apart from all files that would be taken: the names that both releases have need not be the same
    recordings, so that a mixture of the two would be neither.

    Args:
        spec: the dataset that is prepared.
        known: its ids.
        other: the other release.
        entries: what the dataset's index found, ids of the other release among them.
        source: what to call the source in an error.

    Raises:
        DataError: the files are of the other release, or the two releases lie mixed.
    """
    here = sorted(entry.id for entry in entries if entry.id in known and entry.id not in other.ids)
    there = sorted(entry.id for entry in entries if entry.id not in known and entry.id in other.ids)
    if there and not here:
        raise DataError(
            f"holds {other.spec.title}, which is another release and another task than {spec.title}: "
            f"{_names(there)} only in {other.spec.name}, and no name is only in {spec.name}",
            where=source,
            next_step=f"serab data prepare {other.spec.name} PATH",
        )
    if there and not _lie_apart(entries, known, set(there)):
        raise DataError(
            f"holds files of two releases, mixed: {_names(here)} only in {spec.name}, {_names(there)} only in "
            f"{other.spec.name}, and a name that is in both need not be the same recording",
            where=source,
            next_step=f"name the folder or the archives that hold one release alone ({spec.name} is {spec.title}, "
            f"{other.spec.name} is {other.spec.title})",
        )
    shared = sum(entry.id in known for entry in entries)
    if here or there or not shared:
        return ""
    return (
        f"the release cannot be told: the names of all {shared} utterances are in {spec.name} and in "
        f"{other.spec.name}, and the same name need not be the same recording"
    )


def _names(ids: Sequence[str]) -> str:
    return f"1 name ({ids[0]}) is" if len(ids) == 1 else f"{len(ids)} names, such as {ids[0]}, are"


def _lie_apart(entries: Sequence[Entry], known: Collection[str], there: Collection[str]) -> bool:
    """Whether no file that would be taken lies in the lowest folder that holds all files of the other release."""
    folder = os.path.commonpath([_place(entry).parent for entry in entries if entry.id in there])
    return not any(_place(entry).is_relative_to(folder) for entry in entries if entry.id in known)


def _place(entry: Entry) -> PurePosixPath:
    """Where a file lies; an archive counts as a folder."""
    file = entry.file
    shown = f"{file.archive}/{file.name}" if file.path is None else file.path.as_posix()
    return PurePosixPath("/", shown)


def corpus_of(spec: DatasetSpec, skipped: Sequence[Skipped]) -> str:
    """The name of the other installed dataset that knows most of the names of the files; empty where none does."""
    files = [SourceFile(PurePosixPath(skip.file), 0, bytes) for skip in skipped]
    counts = {
        other.name: len({entry.id for entry in _indexed(other, files)})
        for other in plugins.all_specs(Group.DATASETS).values()
        if other.name != spec.name and other.expected_ids is not None
    }
    best = max(counts, key=lambda name: counts[name], default="")
    return best if counts.get(best) and counts[best] >= _ENOUGH * len(files) else ""


def _indexed(spec: DatasetSpec, files: Sequence[SourceFile]) -> list[Entry]:
    """The utterances of a dataset among files of which only the names are known."""
    assert spec.expected_ids is not None
    ids = spec.expected_ids()
    with contextlib.suppress(Exception):  # another corpus's index is only asked for advice
        return [entry for entry in spec.index(files).entries if entry.id in ids]
    return []
