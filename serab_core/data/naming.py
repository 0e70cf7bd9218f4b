"""Builds the index of a dataset from the names of its files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core.errors import DataError
from serab_core.types import Entry, Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serab_core.types import SourceFile

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au", ".w64", ".opus"})
"""Suffixes of audio files, in lower case."""
OTHER_AUDIO_SUFFIXES = frozenset(
    {".m4a", ".aac", ".wma", ".webm", ".mp4", ".amr", ".3gp", ".3gpp", ".caf", ".m4b", ".mp2", ".mka", ".mkv", ".mov",
     ".avi", ".flv", ".ape", ".wv", ".ra", ".sph", ".ac3", ".dts", ".awb", ".oga", ".spx", ".mpga", ".mpg", ".mpeg"}
)  # fmt: skip
"""Suffixes of audio and video files that serab does not read, in lower case."""
JUNK_FOLDERS = frozenset(
    {"__MACOSX", ".git", ".hg", ".svn", ".dvc", ".AppleDouble", ".Trashes", ".Trash", "@eaDir", "@Recycle", "#recycle",
     "$RECYCLE.BIN", "RECYCLER", "System Volume Information", "lost+found", ".ipynb_checkpoints", ".snapshot",
     ".snapshots", "#snapshot"}
)  # fmt: skip
"""Folders that systems and tools add to data: bins, snapshots, and second copies such as those of git-annex."""
_BIN = ".Trash-"  # the recycle bin of a disk on a Linux desktop; the number of the user follows
JUNK_FILES = frozenset({".ds_store", "desktop.ini", "thumbs.db"})
OTHER_NAME = "its name is not of this corpus"


def index_by_name(
    parse: Callable[[SourceFile], Entry | None],
    known_bad: Mapping[str, str] | None = None,
) -> Callable[[Sequence[SourceFile]], Index]:
    """Return the `index` function of a dataset, made from a function that parses the name of a file.

    Files that are not audio are ignored, and so are the shadow files that macOS writes into archives. If several files
    give the same utterance, its entry has the other files as `alternatives`, and `prepare` chooses.

    Args:
        parse: returns the entry of an audio file, or None for a file that does not belong to this corpus.
        known_bad: the reason for each utterance id to leave out.

    Raises:
        DataError: (from the returned function) two files of an utterance have different labels or speakers.
    """

    def index(files: Sequence[SourceFile]) -> Index:
        entries: dict[str, list[Entry]] = {}
        skipped: list[Skipped] = []
        for file in sorted(files, key=preference):
            if file.name.suffix.lower() not in AUDIO_SUFFIXES or is_junk(file):
                continue
            entry = parse(file)
            if entry is None:
                skipped.append(Skipped(str(file.name), OTHER_NAME))
            elif entry.id in (known_bad or {}):
                skipped.append(Skipped(str(file.name), (known_bad or {})[entry.id]))
            else:
                entries.setdefault(entry.id, []).append(entry)
        return Index(tuple(_merge(entries[key]) for key in sorted(entries)), tuple(skipped))

    return index


def preference(file: SourceFile) -> tuple[bool, int, str, str]:
    """Return a sort key for files of one utterance: on disk first, then nearest to the root, then by name."""
    return file.path is None, len(file.name.parts), str(file.name), file.shown


def _merge(entries: list[Entry]) -> Entry:
    """Merge entries with the same id. Raises DataError if they contradict each other."""
    first, *others = entries
    for other in others:
        for attribute in ("label", "speaker"):
            if getattr(first, attribute) != getattr(other, attribute):
                raise DataError(
                    f"is {attribute} {getattr(other, attribute)!r} of {other.id}, and {first.file.shown} is "
                    f"{attribute} {getattr(first, attribute)!r} of it",
                    where=other.file.shown,
                    next_step="find out which of the two is right, and name a source that has only this file",
                )
    return replace(first, alternatives=tuple(other.file for other in others)) if others else first


def is_junk(file: SourceFile) -> bool:
    """Whether a system or a tool wrote the file (macOS, Windows, git, a network drive), not the corpus."""
    return is_junk_file(file.name.name) or any(map(is_junk_folder, file.name.parts[:-1]))


def is_junk_folder(name: str) -> bool:
    """Whether a folder of this name belongs to a system or a tool, so that its files are not the user's data."""
    return name in JUNK_FOLDERS or name.startswith(_BIN)


def is_junk_file(name: str) -> bool:
    """Whether a system writes files of this name."""
    return name.startswith("._") or name.lower() in JUNK_FILES
