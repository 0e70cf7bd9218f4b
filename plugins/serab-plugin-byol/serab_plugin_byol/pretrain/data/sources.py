"""The audio files that an argument of the command line names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.plugin import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".opus", ".w64"})


def audio_files(sources: Sequence[Path]) -> list[Path]:
    """Return the audio files of folders and lists, sorted and without duplicates.

    Args:
        sources: folders (all audio files below them), text files with one path per line (relative to the list's
            folder; blank lines and lines that begin with # are skipped), or audio files.

    Raises:
        DataError: a source does not exist, is not text, or names a missing file, or there is no audio file.
    """
    paths: dict[Path, None] = {}
    for source in sources:
        for path in sorted(_files_of(source)):
            paths[path.absolute()] = None
    if not paths:
        raise DataError(
            "no audio file found", where=", ".join(map(str, sources)), next_step="name a folder of WAV or FLAC files"
        )
    return list(paths)


def _files_of(source: Path) -> list[Path]:
    if source.is_dir():
        return [
            path
            for path in source.rglob("*")
            if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
        ]
    if not source.is_file():
        raise DataError("is neither a folder nor a file", where=source, next_step="check the path")
    if source.suffix.lower() in SUFFIXES:
        return [source]
    try:
        lines = source.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"is not a list of files ({type(error).__name__})",
            where=source,
            next_step="write one path per line, in UTF-8",
        ) from error
    paths = [source.parent / line.strip() for line in lines if line.strip() and not line.startswith("#")]
    for number, path in enumerate(paths):
        if not path.is_file():
            raise DataError(
                f"names a missing file: {path}, entry {number + 1} of {len(paths)}", where=source,
                next_step="correct the list; its paths are relative to its own folder",
            )  # fmt: skip
    return paths
