"""Helps a dataset to index files by their names alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.types import Entry, Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serab_core.types import SourceFile

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au", ".w64", ".opus"})
"""File endings that are taken for audio, lower case."""


def index_by_name(
    parse: Callable[[SourceFile], Entry | None],
    known_bad: Mapping[str, str] | None = None,
) -> Callable[[Sequence[SourceFile]], Index]:
    """Makes a dataset's `index` out of a function that reads one file name.

    Files that are no audio are passed over in silence, as are the shadow files that macOS leaves in archives. Of two
    files that give the same utterance, one on disk is kept before one in an archive, then the one nearest to the root.

    Args:
        parse: the entry of an audio file, or None for one that is not of this corpus.
        known_bad: utterance ids to leave out, with the reason.
    """

    def index(files: Sequence[SourceFile]) -> Index:
        entries: dict[str, Entry] = {}
        skipped: list[Skipped] = []
        for file in sorted(files, key=lambda f: (f.path is None, len(f.name.parts), str(f.name))):
            if file.name.suffix.lower() not in AUDIO_SUFFIXES or is_litter(file):
                continue
            entry = parse(file)
            if entry is None:
                skipped.append(Skipped(str(file.name), "its name is not of this corpus"))
            elif entry.id in (known_bad or {}):
                skipped.append(Skipped(str(file.name), (known_bad or {})[entry.id]))
            elif entry.id in entries:
                skipped.append(Skipped(str(file.name), f"a second copy of {entries[entry.id].file.name}"))
            else:
                entries[entry.id] = entry
        return Index(tuple(entries[key] for key in sorted(entries)), tuple(skipped))

    return index


def is_litter(file: SourceFile) -> bool:
    """Whether macOS put the file there beside a real one."""
    return "__MACOSX" in file.name.parts or file.name.name.startswith("._")
