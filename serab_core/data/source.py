"""What a user downloaded, as a list of files: zips, tars, and folders that may hold some of these."""

from __future__ import annotations

import os
import tarfile
import tempfile
import zipfile
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from serab_core.data.naming import is_litter
from serab_core.errors import DataError
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_FILE_BYTES = 1 << 30
MAX_TOTAL_BYTES = 1 << 38
MAX_RATIO = 200
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_INTACT = "download it again"


@contextmanager
def open_sources(paths: Sequence[Path]) -> Iterator[tuple[SourceFile, ...]]:
    """The files of all sources, readable while the context lasts.

    Archives inside folders count as sources too, and so do archives inside archives, one level deep. No name out of an
    archive is ever used as a path, and links in archives are passed over.

    Raises:
        DataError: a source is missing, is neither a folder nor an intact archive, or unpacks to more than any corpus.
    """
    with ExitStack() as stack:
        files: list[SourceFile] = []
        for path in paths:
            if path.is_dir():
                own = _folder(path)
                files += own
                for file in own:
                    if file.path is not None and file.name.name.lower().endswith(_ARCHIVES):
                        files += _archive(file.path, stack)
            elif path.exists():
                files += _archive(path, stack)
            else:
                raise DataError("there is no such file or folder", where=path, next_step="check the path")
        yield tuple(files)


def _folder(root: Path) -> list[SourceFile]:
    root = root.absolute()
    try:
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return [
            SourceFile(PurePosixPath(path.relative_to(root).as_posix()), path.stat().st_size, path.read_bytes, path)
            for path in paths
        ]
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=error.filename or root) from error


def _archive(path: Path, stack: ExitStack) -> list[SourceFile]:
    try:
        opened = stack.enter_context(path.open("rb"))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=path, next_step="check the file") from error
    files = _members(str(path), opened, stack)
    for file in [file for file in files if file.name.name.lower().endswith(_ARCHIVES) and not is_litter(file)]:
        inner = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 it is as long open as the sources
        inner.write(file.read())
        files += _members(file.shown, inner, stack)
    return files


def _members(named: str, opened: IO[bytes], stack: ExitStack) -> list[SourceFile]:
    """The files of one archive, which `named` tells apart in errors."""
    try:
        if zipfile.is_zipfile(opened):
            return _zip(named, stack.enter_context(zipfile.ZipFile(opened)))
        opened.seek(0)
        if tarfile.is_tarfile(opened):
            size = opened.seek(0, os.SEEK_END)
            opened.seek(0)
            return _tar(named, size, stack.enter_context(tarfile.open(fileobj=opened)))
    except DataError:
        raise
    except Exception as error:  # zipfile, tarfile, zlib, bz2 and lzma each have errors of their own
        raise DataError(f"is a damaged archive ({error})", where=named, next_step=_INTACT) from error
    raise DataError("is neither a folder nor a zip or tar", where=named, next_step=f"unpack it first, or {_INTACT}")


def _zip(named: str, archive: zipfile.ZipFile) -> list[SourceFile]:
    members = [member for member in archive.infolist() if not member.is_dir()]
    if any(member.flag_bits & 0x1 for member in members):
        raise DataError("is locked with a password", where=named, next_step="unpack it first, then name the folder")
    _limit(named, ((member.filename, member.file_size, member.compress_size) for member in members))
    return [_member(named, member.filename, member.file_size, partial(archive.read, member)) for member in members]


def _tar(named: str, packed: int, archive: tarfile.TarFile) -> list[SourceFile]:
    members = [member for member in archive.getmembers() if member.isfile()]
    _limit(named, ((member.name, member.size, packed) for member in members))

    def read(member: tarfile.TarInfo) -> bytes:
        opened = archive.extractfile(member)
        assert opened is not None, "a regular file"
        return opened.read()

    return [_member(named, member.name, member.size, partial(read, member)) for member in members]


def _limit(named: str, members: Iterator[tuple[str, int, int]]) -> None:
    """Refuses what would fill a disk: names, sizes and packed sizes are the archive's own claims."""
    total = 0
    for name, size, packed in members:
        total += size
        if size > MAX_FILE_BYTES or size > MAX_RATIO * max(packed, 4096) or total > MAX_TOTAL_BYTES:
            raise DataError(
                f"unpacks {name!r} from {packed} to {size} bytes, as no corpus of speech does",
                where=named,
                next_step=_INTACT,
            )


def _member(named: str, name: str, size: int, read: Callable[[], bytes]) -> SourceFile:
    def guarded() -> bytes:
        try:
            return read()
        except Exception as error:  # as above
            raise DataError(
                f"holds {name!r} damaged ({type(error).__name__})", where=named, next_step=_INTACT
            ) from error

    return SourceFile(PurePosixPath(name), size, guarded, archive=named)
