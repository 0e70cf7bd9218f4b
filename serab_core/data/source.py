"""What a user downloaded, as a list of files: a zip, or a folder."""

from __future__ import annotations

import zipfile
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from serab_core.errors import DataError
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 1 << 30
MAX_RATIO = 200
_INTACT = "download it again"


@contextmanager
def open_source(path: Path) -> Iterator[tuple[SourceFile, ...]]:
    """The files of a zip or folder, sorted by name, readable while the context lasts.

    Nothing is unpacked here, and no name out of an archive is ever used as a path.

    Raises:
        DataError: there is nothing there, or it is neither a folder nor an intact zip.
    """
    if path.is_dir():
        yield _folder(path)
        return
    if not path.exists():
        raise DataError("there is no such file or folder", where=path, next_step="check the path")
    if not zipfile.is_zipfile(path):
        raise DataError("is neither a folder nor a zip", where=path, next_step=f"unpack it first, or {_INTACT}")
    try:
        with zipfile.ZipFile(path) as archive:
            yield _zip(path, archive)
    except zipfile.BadZipFile as error:
        raise DataError(f"is a damaged zip ({error})", where=path, next_step=_INTACT) from error
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=path, next_step="check the file") from error


def path_of(source: Path, file: SourceFile) -> Path | None:
    """Where a file lies on disk, so that it can be used in place; None inside an archive."""
    return source.absolute().joinpath(*file.name.parts) if source.is_dir() else None


def shown(source: Path, file: SourceFile) -> str:
    """What to call a file in a message: its path, or the archive and its name in there."""
    return str(path_of(source, file) or f"{source}: {file.name}")


def _folder(root: Path) -> tuple[SourceFile, ...]:
    try:
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return tuple(
            SourceFile(PurePosixPath(path.relative_to(root).as_posix()), path.stat().st_size, path.read_bytes)
            for path in paths
        )
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=error.filename or root) from error


def _zip(path: Path, archive: zipfile.ZipFile) -> tuple[SourceFile, ...]:
    files = []
    for member in sorted(archive.infolist(), key=lambda m: m.filename):
        if member.is_dir():
            continue
        if member.flag_bits & 0x1:
            raise DataError("is locked with a password", where=path, next_step="unpack it first, then name the folder")
        if member.file_size > MAX_FILE_BYTES or member.file_size > MAX_RATIO * max(member.compress_size, 4096):
            raise DataError(
                f"unpacks {member.filename!r} from {member.compress_size} to {member.file_size} bytes, "
                "as no corpus of speech does",
                where=path,
                next_step=_INTACT,
            )
        files.append(SourceFile(PurePosixPath(member.filename), member.file_size, _Member(path, archive, member)))
    return tuple(files)


class _Member:
    """Reads one file of a zip; a damaged one is named."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._path, self._archive, self._member = path, archive, member

    def __call__(self) -> bytes:
        try:
            return self._archive.read(self._member)
        except Exception as error:  # zipfile, zlib, bz2 and lzma each have their own
            raise DataError(
                f"holds {self._member.filename!r} damaged ({type(error).__name__})",
                where=self._path,
                next_step=_INTACT,
            ) from error
