"""Distinguishes the releases of a corpus by file names, and recognises other corpora by file names."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.errors import DataError, SerabError
from serab_core.plugins.entry_points import Group
from serab_core.system.hints import command
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from serab_core.types import DatasetSpec, Entry, Skipped

_MIN_KNOWN = 0.25  # minimum fraction of the files that a recommended corpus knows; the rest can be other files


@dataclass(frozen=True, slots=True)
class Release:
    """Another release of a corpus: a dataset, and all its utterance ids."""

    spec: DatasetSpec
    ids: frozenset[str]


def other_releases(spec: DatasetSpec) -> Iterator[Release]:
    """Yield the other releases that the dataset declares, if they are installed and list their ids."""
    for name in spec.releases:
        with contextlib.suppress(SerabError):
            other = plugins.dataset_or_none(name)
            if other is not None and other.expected_ids is not None:
                yield Release(other, other.expected_ids())


def refuse_other_release(
    spec: DatasetSpec, known: Collection[str], other: Release, entries: Sequence[Entry], source: str
) -> str:
    """Refuse files of another release; return a note if the names are ambiguous, else "".

    A name that only one release has identifies the release. If the source has such names of both releases, the files of
    the other release must be in a separate folder. A name that both releases have may be two different recordings, so
    that a mixture would be neither release.

    Args:
        spec: the dataset that is prepared.
        known: its ids.
        other: the other release.
        entries: the entries of the dataset's index, which may have ids of the other release.
        source: the name of the source in errors.

    Raises:
        DataError: the files are those of the other release, or a mixture of both.
    """
    this_ids = sorted(entry.id for entry in entries if entry.id in known and entry.id not in other.ids)
    other_ids = sorted(entry.id for entry in entries if entry.id not in known and entry.id in other.ids)
    if other_ids and not this_ids:
        raise DataError(
            f"holds {other.spec.title}, which is another release and another task than {spec.title}: "
            f"{_names(other_ids)} only in {other.spec.name}, and no name is only in {spec.name}",
            where=source,
            next_step=f"prepare it under that name with {command('data prepare', other.spec.name, 'PATH')}",
        )
    if other_ids and not _are_separate(entries, known, set(other_ids)):
        raise DataError(
            f"holds files of two releases, mixed: {_names(this_ids)} only in {spec.name}, {_names(other_ids)} only in "
            f"{other.spec.name}, and a name that is in both need not be the same recording",
            where=source,
            next_step=f"name the folder or the archives that hold only one release ({spec.name} is {spec.title}, "
            f"{other.spec.name} is {other.spec.title})",
        )
    shared = sum(entry.id in known for entry in entries)
    if this_ids or other_ids or not shared:
        return ""
    return (
        f"the release is ambiguous: the names of all {shared} utterances are in {spec.name} and in "
        f"{other.spec.name}, and the same name need not be the same recording"
    )


def _names(ids: Sequence[str]) -> str:
    return f"1 name ({ids[0]}) is" if len(ids) == 1 else f"{len(ids)} names, such as {ids[0]}, are"


def _are_separate(entries: Sequence[Entry], known: Collection[str], other_ids: Collection[str]) -> bool:
    """Whether the deepest folder with all files of the other release holds no file of this release."""
    folder = os.path.commonpath([_place(entry).parent for entry in entries if entry.id in other_ids])
    return not any(_place(entry).is_relative_to(folder) for entry in entries if entry.id in known)


def _place(entry: Entry) -> PurePosixPath:
    """Return the path of a file; an archive counts as a folder."""
    file = entry.file
    shown = f"{file.archive}/{file.name}" if file.path is None else file.path.as_posix()
    return PurePosixPath("/", shown)


def corpus_of(spec: DatasetSpec, skipped: Sequence[Skipped]) -> str:
    """Return the name of the other installed dataset that knows most of the file names; "" if no dataset does."""
    files = [SourceFile(PurePosixPath(skip.file), 0, bytes) for skip in skipped]
    counts = {
        other.name: len({entry.id for entry in _indexed(other, files)})
        for other in plugins.all_specs(Group.DATASETS).values()
        if other.name != spec.name and other.expected_ids is not None
    }
    best = max(counts, key=lambda name: counts[name], default="")
    return best if counts.get(best) and counts[best] >= _MIN_KNOWN * len(files) else ""


def _indexed(spec: DatasetSpec, files: Sequence[SourceFile]) -> list[Entry]:
    """Return the utterances of a dataset among files whose content is not available."""
    assert spec.expected_ids is not None
    ids = spec.expected_ids()
    with contextlib.suppress(Exception):  # this index only serves a recommendation, so its errors are ignored
        return [entry for entry in spec.index(files).entries if entry.id in ids]
    return []
