"""Finds the audio file that a row of a manifest names, and refuses rows that name the same file."""

from __future__ import annotations

import difflib
import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from serab_core.data.disk_names import disk_name
from serab_core.data.label_values import shown_places
from serab_core.data.segments import Segment, segment_id
from serab_core.data.source import find_file
from serab_core.errors import DataError
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE_ADDRESS = re.compile(r"file:(?://(?:localhost)?(?=/))?(?P<path>.*)", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)  # two letters or more, because C:/ is a drive
_ONCE = (
    "name each file once; if the rows are segments of it, give columns start and end in seconds, and ask for segments"
)


@dataclass(slots=True)
class RowFiles:
    """The files of the rows of a manifest, each of which is looked up once."""

    _files: dict[tuple[Path, str], SourceFile | str] = field(default_factory=dict)
    _roots: dict[Path, str] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)
    _claimed: dict[tuple[str, Segment | None], tuple[str, str]] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)

    def find(self, root: Path, cell: str) -> SourceFile | str:
        """Return the file that a cell names, relative to `root`; or the fault, as a text."""
        key = (root, cell)
        cell = disk_name(cell)
        file = self._files.get(key)
        if file is None:
            if root not in self._roots:
                self._roots[root] = str(root.absolute())
            file = self._files[key] = _plain_source(self._roots[root], cell) or _source(root, cell)
        return file

    def claim(self, source: SourceFile, segment: Segment | None, identifier: str, where: str, place: str) -> None:
        """Record that a row uses a file, or a segment of it.

        Raises:
            DataError: another row uses the same file or segment.
        """
        assert source.path is not None, "a file on disk"
        key = (self._real_path(str(source.path)), segment)
        utterance = segment_id(identifier, segment)
        first = self._claimed.get(key)
        if first is not None:
            other, other_place = first
            same = f"names {utterance} a second time (first: {other_place})"
            if other != utterance:
                same = f"names {utterance}, the same file as {other} (first: {other_place}): both are {key[0]}"
            raise DataError(same, where=f"{where}, {place}", next_step=_ONCE)
        if utterance in self._ids:
            raise DataError(
                f"names {utterance} a second time (first: {self._ids[utterance]}), but with another file",
                where=f"{where}, {place}",
                next_step="write the full paths",
            )
        self._claimed[key] = (utterance, place)
        self._ids[utterance] = place

    def _real_path(self, path: str) -> str:
        """Return the path without links and `..`; each folder is resolved once."""
        if os.path.islink(path):  # noqa: PTH114  called for each row; os.path is four times as fast as pathlib
            return os.path.realpath(path)
        folder, name = os.path.split(path)
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.join(self._folders[folder], name)  # noqa: PTH118  as above


def relative_id(cell: str, prefix: str = "") -> str:
    """Return the id of an utterance: its path with forward slashes; a relative path is below `prefix`."""
    path = PurePosixPath(cell.replace("\\", "/"))
    return path.as_posix() if path.is_absolute() else (PurePosixPath(prefix) / path).as_posix()


def missing_files_error(faults: list[tuple[str, str, str]]) -> DataError:
    """Return the error for rows whose files cannot be used: `(where, place, fault)` of each."""
    where, place, fault = faults[0]
    more = ""
    if len(faults) > 1:
        more = f"; {len(faults)} rows name files that cannot be used ({shown_places([f[1] for f in faults])})"
    return DataError(
        fault + more,
        where=f"{where}, {place}",
        next_step="correct the path (it is relative to the folder of the manifest or database), get the file, or "
        "delete the row",
    )


def _plain_source(root: str, cell: str) -> SourceFile | None:
    """Return the file that a cell names exactly as written; None if the cell needs the slower search."""
    if "\\" in cell or cell != cell.strip():
        return None
    path = os.path.join(root, cell)  # noqa: PTH118  as above
    try:
        status = os.stat(path)  # noqa: PTH116  as above
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    file = Path(path)
    return SourceFile(PurePosixPath(cell), status.st_size, file.read_bytes, file)


def _source(root: Path, cell: str) -> SourceFile | str:
    """Return the file that a cell names, or the fault, as a text."""
    target = (root / cell.strip().replace("\\", "/")).absolute()
    # As written first: on Linux a name may begin with a blank or hold a backslash.
    spellings = dict.fromkeys((cell, cell.strip(), cell.strip().replace("\\", "/"), *_other_notations(cell.strip())))
    try:
        path = next((candidate for spelling in spellings if (candidate := find_file(root, spelling)) is not None), None)
        if path is None:
            with suppress(FileNotFoundError, NotADirectoryError):
                os.lstat(target)  # a folder without permission and a name that is too long raise an OSError
            return _missing(root, cell.strip(), target)
        path = path.absolute()
        if path.is_file():
            return SourceFile(PurePosixPath(relative_id(cell.strip())), path.stat().st_size, path.read_bytes, path)
        if path.is_dir():
            return f"names {path}, which is a folder, not a file"
        if path.is_symlink():
            return f"names {path}, which is a broken link (to {path.readlink()})"
    except (OSError, ValueError) as error:  # a name that is too long, or a folder without permission
        return f"names {target}, which cannot be read ({(getattr(error, 'strerror', None) or str(error)).lower()})"
    return f"names {path}, which is not a regular file"


def _other_notations(cell: str) -> Iterator[str]:
    """Yield the paths that a cell may mean: a `file:` address, codes such as %20, and ~ for the user's folder."""
    address = _FILE_ADDRESS.match(cell)
    if address:
        yield unquote(address["path"])
    elif _ADDRESS.match(cell):
        return
    elif "%" in cell:
        yield unquote(cell.replace("\\", "/"))
    if cell.startswith("~"):
        with suppress(RuntimeError):  # no user has that name
            yield str(Path(cell.replace("\\", "/")).expanduser())


def _missing(root: Path, cell: str, target: Path) -> str:
    """Return the fault of a cell that names no file, with the file that it may mean."""
    address = _ADDRESS.match(cell)
    if address and not _FILE_ADDRESS.match(cell):
        return f"names the address {cell}, and serab only reads files on disk: download it"
    elsewhere = Path.cwd() / cell
    if elsewhere.is_file():
        return f"names {target}, which does not exist (but {elsewhere} does)"
    names = PurePosixPath(cell.replace("\\", "/")).parts
    absolute = names[:1] == ("/",) or ":" in "".join(names[:1])
    # /kaggle/input/corpus/wav/a.wav if wav/a.wav exists; a.wav need not be the file that s1/a.wav names
    for start in range(1, len(names) - (not absolute)):
        inner = "/".join(names[start:])
        if find_file(root, inner) is not None:
            return f"names {target}, which does not exist (but {inner} does, in {root})"
    if len(names) == 1:
        below = sorted(folder.name for folder in root.iterdir() if (folder / cell).is_file())
        if below:
            return f"names {target}, which does not exist (but {below[0]}/{cell} does)"
    return f"names {target}, which does not exist{_nearest(target)}"


def _nearest(path: Path) -> str:
    """Return a similar name in the folder (other case or suffix), or the first missing folder, for a message."""
    if not path.parent.is_dir():
        missing = next((p for p in reversed(path.parents) if not p.is_dir()), path.parent)
        other = next((n for n in _listing(missing.parent) if n.casefold() == missing.name.casefold()), "")
        if other:
            return f" (nor does its folder {missing}, but {other!r} does)"
        return f" (nor does its folder {missing})"
    names = _listing(path.parent)
    name = path.name.casefold()
    near = [entry for entry in names if entry.casefold() == name]
    near += [entry for entry in names if Path(entry).stem.casefold() in (path.stem.casefold(), name)]
    near += difflib.get_close_matches(path.name, names[:2000], n=1, cutoff=0.9)
    return f" (but {near[0]!r} does)" if near else ""


def _listing(folder: Path) -> list[str]:
    """Return the names in a folder, sorted; empty if it cannot be listed."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []
