"""Lists the files of the sources of a user: zips, tars, and folders that can hold zips and tars."""

from __future__ import annotations

import os
import re
import stat
import tempfile
import unicodedata
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

from serab_core.audio.pointers import is_annex_target
from serab_core.data.archive_limits import UNPACK, Budget, Problem
from serab_core.data.archives import (
    ARCHIVE_SUFFIXES,
    MAX_TOTAL_BYTES,
    Member,
    clean_name,
    copy_member,
    list_archive,
)
from serab_core.data.naming import AUDIO_SUFFIXES, OTHER_AUDIO_SUFFIXES, is_junk, is_junk_file, is_junk_folder
from serab_core.errors import DataError, PointerError
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OTHER_ARCHIVE_SUFFIXES = (
    ".rar",
    ".7z",
    ".tar.zst",
    ".tzst",
    ".tar.lz4",
    ".tar.z",
    ".z01",
    ".001",
    ".dmg",
    ".iso",
    ".cab",
)
"""Suffixes of archives that serab does not open."""
UNFINISHED_SUFFIXES = (".crdownload", ".part", ".partial", ".download", ".opdownload", ".filepart", ".aria2", ".!ut")
"""Suffixes of incomplete downloads by browsers and download tools."""
_PART = re.compile(r"\.(z\d\d|\d{3}|part\d+)$")  # the suffix of a part of a split archive


class Sources(tuple[SourceFile, ...]):
    """The files of all sources, and the problems in reading them."""

    problems: tuple[Problem, ...] = ()


@contextmanager
def open_sources(paths: Sequence[Path], scratch: Path | None = None) -> Iterator[Sources]:
    """Open all sources: a context manager that yields their files, which can be read inside the context.

    Archives inside folders count as sources too, and so do archives inside archives, one level deep. An archive
    that cannot be opened, and that the user did not name, is a problem of the sources, not an error. Links to folders
    are followed. No name from an archive is ever used as a path.

    Args:
        paths: the sources.
        scratch: a folder for archives within archives, such as a folder of the home; by default that of the system.

    Raises:
        DataError: a source is missing, or is neither a folder nor an archive that can be opened.
    """
    with ExitStack() as stack:
        reader = _Reader(stack, scratch)
        for path in paths:
            if path.is_dir():
                reader.add_folder(path)
            elif path.exists():
                reader.add_named_archive(path)
            else:
                raise _absent(path)
        sources = Sources(reader.files)
        sources.problems = tuple(reader.problems)
        yield sources


def _absent(path: Path) -> DataError:
    if not path.is_symlink():
        return DataError("does not exist", where=path, next_step="check the path")
    target = str(path.readlink())
    if is_annex_target(target):
        return DataError("is a git-annex link whose content is not here", where=path, next_step="run `git annex get .`")
    return DataError(f"is a link to {target}, which does not exist", where=path, next_step="check the link")


class _Reader:
    """Collects files and problems over all sources."""

    def __init__(self, stack: ExitStack, scratch: Path | None) -> None:
        self.files: list[SourceFile] = []
        self.problems: list[Problem] = []
        self._stack = stack
        self._scratch = scratch
        self._budget = Budget()
        self._seen: set[tuple[int, int]] = set()  # device and inode of folders and archives, to detect loops

    def _is_new(self, status: os.stat_result) -> bool:
        key = (status.st_dev, status.st_ino)
        if not status.st_ino:  # a file system without inodes
            return True
        new = key not in self._seen
        self._seen.add(key)
        return new

    def add_folder(self, path: Path) -> None:
        """Add the files below a folder, and those of the archives in it. Raises DataError if it cannot be read."""
        root = path.absolute()
        try:
            listed = sorted(self._walk(str(root)))
        except OSError as error:
            raise DataError(
                f"cannot be read ({error.strerror})", where=path, next_step="check its permissions"
            ) from error
        archives = []
        for names, place, size in listed:
            name = clean_name("/".join(names))
            file = Path(place)
            source = SourceFile(name, size, partial(_read, file), file, containers=(str(root),))
            self.files.append(source)
            self._note_kind(source)
            if name.name.lower().endswith(ARCHIVE_SUFFIXES) and not is_junk(source):
                archives.append(source)
        for source in archives:
            assert source.path is not None, "a file on disk"
            try:
                if self._is_new(source.path.stat()):
                    self._add_archive(source.path, (str(root), str(source.name)))
            except (DataError, OSError) as error:
                self._note_archive(str(source.name), error)

    def add_named_archive(self, path: Path) -> None:
        """Add the files of an archive that the user named. Raises DataError when it cannot be opened."""
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise DataError("is neither a folder nor a file", where=path, next_step="check the path")
            if self._is_new(status):
                self._add_archive(path, (str(path.absolute()),))
        except OSError as error:
            raise DataError(f"cannot be read ({error.strerror})", where=path, next_step="check the file") from error
        except DataError as error:
            lower = path.name.lower()
            if path.suffix.lower() in AUDIO_SUFFIXES | OTHER_AUDIO_SUFFIXES:
                raise DataError(
                    "is a single audio file, not a corpus",
                    where=path,
                    next_step=f"name the folder that holds the corpus, such as {path.parent}",
                ) from error
            if _PART.search(lower):
                raise DataError(
                    f"is one of several parts of an archive ({error.what})",
                    where=path,
                    next_step="unpack all parts together (7z x does), and name the folder",
                ) from error
            if lower.endswith(UNFINISHED_SUFFIXES):
                raise DataError(
                    f"is a download that has not finished ({error.what})", where=path, next_step="download it again"
                ) from error
            raise

    def _walk(self, root: str) -> Iterator[tuple[tuple[str, ...], str, int]]:
        """Yield the folder and file names of the path of each file below the root, its path on disk, and its size."""
        waiting: list[tuple[tuple[str, ...], str]] = [((), root)]
        while waiting:
            names, folder = waiting.pop()
            try:
                if not self._is_new(Path(folder).stat()):
                    continue
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda entry: entry.name)
            except OSError as error:
                if not names:
                    raise
                self._note("folder", "/".join(names), f"is a folder that cannot be read ({error.strerror})")
                continue
            folders = []
            for entry in entries:
                below = (*names, entry.name)
                try:
                    status = entry.stat()
                except OSError as error:
                    self._note_link(entry, "/".join(below), error)
                    continue
                if stat.S_ISDIR(status.st_mode):
                    if not is_junk_folder(entry.name):
                        folders.append((below, entry.path, entry.is_symlink()))
                elif stat.S_ISREG(status.st_mode):
                    yield below, entry.path, status.st_size
            # A folder is listed by its real name rather than by the name of a link to it.
            waiting += [(below, place) for below, place, _ in sorted(folders, key=lambda f: (f[2], f[0]), reverse=True)]

    def _add_archive(self, path: Path, containers: tuple[str, ...]) -> None:
        shown = str(path)
        opened = self._stack.enter_context(path.open("rb"))
        self._budget.add_archive(os.fstat(opened.fileno()).st_size)
        for member in self._add_members(opened, shown, containers):
            name = member.file.name
            try:
                inner: IO[bytes] = self._stack.enter_context(tempfile.TemporaryFile(dir=self._scratch))  # noqa: SIM115
                copy_member(member.open, inner.write, MAX_TOTAL_BYTES, str(name), shown, self._budget)
                inner.seek(0)
                deeper = self._add_members(inner, member.file.shown, (*containers, str(name)))
            except (DataError, OSError) as error:
                self._note_archive(member.file.shown, error)
                continue
            for nested in deeper:
                self._note("archive", nested.file.shown, f"is in an archive that is in an archive: {UNPACK}")

    def _add_members(self, opened: IO[bytes], shown: str, containers: tuple[str, ...]) -> list[Member]:
        """Add the files of an archive; return its members that are archives."""
        members, problems = list_archive(opened, shown, containers, self._stack, self._budget)
        self.files += [member.file for member in members]
        self.problems += problems
        inner = []
        for member in members:
            self._note_kind(member.file)
            if member.file.name.name.lower().endswith(ARCHIVE_SUFFIXES) and not is_junk(member.file):
                inner.append(member)
        return inner

    def _note(self, kind: str, file: str, reason: str) -> None:
        self.problems.append(Problem(kind, file, reason))

    def _note_kind(self, file: SourceFile) -> None:
        """Note a file whose suffix shows that it cannot be read."""
        shown = str(file.name) if file.path is not None else file.shown
        name = file.name.name.lower()
        if is_junk(file):
            return
        if name.endswith(OTHER_ARCHIVE_SUFFIXES):
            self._note("archive", shown, "is an archive of a kind that serab does not open")
        elif name.endswith(UNFINISHED_SUFFIXES):
            self._note("download", shown, "is a download that has not finished")
        elif file.name.suffix.lower() in OTHER_AUDIO_SUFFIXES:
            self._note("format", shown, "is audio or video of a kind that serab does not read")

    def _note_archive(self, shown: str, error: DataError | OSError) -> None:
        reason = error.what if isinstance(error, DataError) else f"cannot be read ({error.strerror})"
        if isinstance(error, PointerError):
            reason += f": {error.next_step}"
        self._note("archive", shown, reason)

    def _note_link(self, entry: os.DirEntry[str], shown: str, error: OSError) -> None:
        if is_junk_file(entry.name):
            return
        if not entry.is_symlink():
            self._note("folder", shown, f"cannot be read ({error.strerror})")
            return
        target = str(Path(entry.path).readlink())
        if is_annex_target(target):
            self._note("annex", shown, "is a git-annex link whose content is not here")
        else:
            self._note("link", shown, f"is a link to {target}, which cannot be reached ({error.strerror})")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=path, next_step="check the file") from error


def find_file(root: Path, relative: str) -> Path | None:
    """Return the file or folder at `relative` below `root`, in any Unicode form of its accented letters on disk.

    Such a letter can be one code point (NFC), two (NFD), or a byte of Latin-1. If the path does not exist as written,
    each of its names is looked up in the other forms.

    Args:
        root: the folder to begin with.
        relative: a path below it, with forward slashes.

    Returns:
        the path on disk, or None if no form exists. A broken link counts as existing.

    Raises:
        DataError: two names on disk differ only by their form, and neither is equal to that in `relative`.
    """
    path = root / relative
    if _exists(path):
        return path
    folder, names = (root, Path(relative).parts) if not Path(relative).is_absolute() else (Path("/"), path.parts[1:])
    for name in names:
        if name == ".." or _exists(folder / name):
            folder = folder / name
            continue
        form = unicodedata.normalize("NFC", name)
        matches = () if name.isascii() else _names_by_form(folder).get(form, ())
        if len(matches) > 1:
            raise DataError(
                f"holds {len(matches)} files named {form!r}, which differ only by their Unicode form",
                where=folder,
                next_step="rename one of them",
            )
        if not matches:
            return None
        folder = folder / matches[0]
    return folder if _exists(folder) else None


def _exists(path: Path) -> bool:
    """Whether the name exists; a broken link counts as existing."""
    try:
        path.lstat()
    except (OSError, ValueError):  # a file name that is too long, or has a zero byte
        return False
    return True


def _names_by_form(folder: Path) -> dict[str, tuple[str, ...]]:
    try:
        return _listing(folder, folder.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=64)
def _listing(folder: Path, changed: int) -> dict[str, tuple[str, ...]]:
    """Return the names in a folder by their NFC form; `changed`, its time of change, is part of the cache key."""
    names: dict[str, tuple[str, ...]] = {}
    for name in sorted(path.name for path in folder.iterdir()):
        form = unicodedata.normalize("NFC", _in_unicode(name))
        names[form] = (*names.get(form, ()), name)
    return names


def _in_unicode(name: str) -> str:
    """Decode a name whose bytes are not UTF-8 as Latin-1, the encoding of old archives."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("latin-1")
    return name
