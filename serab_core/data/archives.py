"""Lists the files of zips and tars, and reads them within limits.

No name from an archive ever becomes a path on disk.
"""

from __future__ import annotations

import os
import stat
import tarfile
import unicodedata
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from serab_core.audio.pointers import POINTER_BYTES, pointer
from serab_core.data.archive_limits import (
    DOWNLOAD,
    UNPACK,
    Budget,
    Problem,
    SmallReads,
    ZipFileLimits,
    too_large,
)
from serab_core.data.archive_links import folders_of_members, link_target, resolve_link
from serab_core.data.archive_tar import list_tar
from serab_core.errors import DataError, PointerError
from serab_core.types import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack

    Opener = Callable[[], IO[bytes]]

MAX_FILE_BYTES = 1 << 30  # bytes of an audio file; 1.5 hours of 48 kHz stereo in 16 bits are 1 GiB
MAX_TOTAL_BYTES = 1 << 38  # bytes read from the archives of one source: 256 GiB; no corpus of speech is larger
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")

_PIECE = 1 << 20  # bytes per read
_TAIL = 65_557  # bytes of the end record of a zip with the longest comment
_MAGIC = (
    (b"PK\x03\x04", "zip"), (b"PK\x05\x06", "zip"), (b"PK\x07\x08", "zip"),
    (b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"),
    (b"Rar!\x1a\x07", "RAR"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"\x28\xb5\x2f\xfd", "Zstandard"), (b"MSCF", "CAB"),
    (b"RIFF", "audio"), (b"RIFX", "audio"), (b"RF64", "audio"), (b"fLaC", "audio"), (b"OggS", "audio"),
    (b"ID3", "audio"), (b"FORM", "audio"), (b"\xff\xfb", "audio"), (b"\xff\xf3", "audio"), (b".snd", "audio"),
)  # fmt: skip
_METHODS = {
    1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 9: "Deflate64", 10: "PKWARE Implode",
    18: "IBM TERSE", 19: "IBM LZ77", 93: "Zstandard", 94: "MP3", 95: "XZ", 96: "JPEG", 97: "WavPack", 98: "PPMd",
    99: "AES",
}  # fmt: skip
_READABLE_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive, and a function that opens it for reading piece by piece."""

    file: SourceFile
    open: Opener


def clean_name(name: str) -> PurePosixPath:
    """Return the name of a file as a relative path in Unicode's composed form (NFC).

    Backslashes separate folders, because tools on Windows write them. A drive, a leading slash, `.` and `..` are
    removed.
    """
    components = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if components and len(components[0]) == 2 and components[0][1] == ":":
        components = components[1:]
    return PurePosixPath(*(part if part.isascii() else unicodedata.normalize("NFC", part) for part in components))


def list_archive(
    opened: IO[bytes], shown: str, containers: tuple[str, ...], stack: ExitStack, budget: Budget
) -> tuple[list[Member], list[Problem]]:
    """Return the files of an archive, and its links that lead nowhere.

    Args:
        opened: the archive, which stays open as long as `stack`.
        shown: the name of the archive in errors.
        containers: see `SourceFile.containers`; the last is this archive.
        stack: closes the files that this function opens.
        budget: counts the bytes that are read.

    Raises:
        DataError: the archive cannot be opened.
    """
    kind = _kind(opened, shown)
    opened.seek(0)
    files: dict[str, tuple[int, Opener]] = {}
    links: dict[str, str] = {}
    problems: list[Problem] = []
    try:
        if kind == "zip":
            _list_zip(opened, shown, files, links, stack, budget)
        else:
            problems += list_tar(opened, kind, shown, files, links, stack, budget, MAX_TOTAL_BYTES)
    except DataError:
        raise
    except Exception as error:  # zipfile, tarfile, zlib, bz2 and lzma raise different errors
        raise DataError(f"is a damaged archive ({error})", where=shown, next_step=DOWNLOAD) from error
    folders = folders_of_members(files) if links else frozenset()
    for name, target in links.items():
        real = resolve_link(name, target, files, links)
        if real is not None:
            files[name] = files[real]
        elif link_target(name, target) not in folders:
            problems.append(Problem("link", f"{shown}: {name}", f"is a link to {target}, which the archive lacks"))
    members = []
    for name, (size, opener) in files.items():
        cleaned = clean_name(name)
        if cleaned.parts:
            read = partial(read_member, opener, str(cleaned), shown, budget)
            members.append(Member(SourceFile(cleaned, size, read, None, shown, containers), opener))
    return members, problems


def read_member(opener: Opener, name: str, shown: str, budget: Budget) -> bytes:
    """Return a member's content. Raises DataError when it is damaged, locked or too large."""
    pieces: list[bytes] = []
    copy_member(opener, pieces.append, MAX_FILE_BYTES, name, shown, budget)
    return b"".join(pieces)


def copy_member(
    opener: Opener, write: Callable[[bytes], object], limit: int, name: str, shown: str, budget: Budget
) -> None:
    """Pass a member's content to `write`, piece by piece. Raises as `read_member` does."""
    size = 0
    with _guarded(name, shown), opener() as stream:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > limit:
                raise too_large(f"holds {name!r}, which unpacks to", limit, shown)
            budget.add(len(piece), shown, MAX_TOTAL_BYTES)
            budget.advance(shown, name, size)
            write(piece)


@contextmanager
def _guarded(name: str, shown: str) -> Iterator[None]:
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # zipfile and tarfile raise different errors, as in `list_archive`
        if isinstance(error, OSError) and error.strerror:
            raise DataError(f"cannot be read at {name!r} ({error.strerror})", where=shown) from error
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise DataError(f"holds {name!r}, which is damaged ({reason})", where=shown, next_step=DOWNLOAD) from error


def _kind(opened: IO[bytes], shown: str) -> str:
    """Return `zip`, `tar`, `gzip`, `bzip2` or `xz`, by the first bytes, because a zip may follow a tar.

    Raises:
        DataError: the file is of another kind, which the error names.
    """
    head = opened.read(512)
    if head[257:262] == b"ustar":
        return "tar"
    kind = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    if kind == "zip":
        _check_end(opened, shown)
    if kind in ("zip", "gzip", "bzip2", "xz"):
        return kind
    if not head:
        raise DataError("is empty: it has no bytes (a download that failed?)", where=shown, next_step=DOWNLOAD)
    if pointer_fault := pointer(head[:POINTER_BYTES]):
        raise PointerError(pointer_fault[0], where=shown, next_step=pointer_fault[1])
    if kind == "audio":
        raise DataError(
            "is a single audio file, not a corpus", where=shown, next_step="name the folder that holds the corpus"
        )
    if kind:
        raise DataError(f"is a {kind} archive, which serab does not open", where=shown, next_step=UNPACK)
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(
            "is a web page, not an archive: the server sent no file",
            where=shown,
            next_step="open it in a browser to see why, then download the archive",
        )
    if zipfile.is_zipfile(opened):  # other bytes precede the zip
        _check_end(opened, shown)
        return "zip"
    opened.seek(0)
    if len(head) == 512 and any(head) and _is_tar(opened):
        return "tar"  # a tar from before 1988, without a signature
    raise DataError("is neither a folder nor a zip or tar", where=shown, next_step=f"{UNPACK}, or {DOWNLOAD}")


def _is_tar(opened: IO[bytes]) -> bool:
    try:
        return tarfile.is_tarfile(opened)
    except Exception:  # tarfile raises errors of several classes
        return False


def _check_end(opened: IO[bytes], shown: str) -> None:
    """Refuse a zip whose end is missing or lies in another file. Raises DataError."""
    size = opened.seek(0, os.SEEK_END)
    opened.seek(max(0, size - _TAIL))
    tail = opened.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise DataError(
            "is cut short: the end of the zip is missing (a download that did not finish, one of several parts, "
            "or other bytes behind its end?)",
            where=shown,
            next_step=DOWNLOAD,
        )
    disk = int.from_bytes(tail[at + 4 : at + 6], "little")
    if 0 < disk < 0xFFFF and size < 1 << 40:
        raise DataError(f"is the last of {disk + 1} parts of one zip", where=shown, next_step=UNPACK)


def _list_zip(
    opened: IO[bytes],
    shown: str,
    files: dict[str, tuple[int, Opener]],
    links: dict[str, str],
    stack: ExitStack,
    budget: Budget,
) -> None:
    archive = stack.enter_context(zipfile.ZipFile(cast("IO[bytes]", ZipFileLimits(opened, shown))))
    contents: dict[str, tuple[int, int]] = {}
    for info in archive.infolist():
        budget.add_member(shown)
        name = _readable_name(info)
        if name.endswith(("/", "\\")):
            continue
        opener = partial(_open_zip_member, archive, info, name, shown)
        content = info.CRC, info.file_size
        if contents.setdefault(name, content) != content:
            opener = partial(_refuse_doubled_name, name, shown)
        if info.create_system == 3 and stat.S_ISLNK(info.external_attr >> 16) and info.file_size <= 4096:
            with _guarded(name, shown), opener() as stream:
                links[name] = stream.read(4096).decode("utf-8", "surrogateescape")
        else:
            files[name] = (info.file_size, opener)


def _refuse_doubled_name(name: str, shown: str) -> IO[bytes]:
    raise DataError(
        f"holds two different files named {name!r}",
        where=shown,
        next_step="find out which of the two is right, unpack it, and name the folder",
    )


def _readable_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name. A name in UTF-8 without the flag for UTF-8 is decoded as UTF-8, not as cp437."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _open_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, shown: str) -> IO[bytes]:
    if info.flag_bits & 0x1:
        raise DataError(f"holds {name!r}, which is locked with a password", where=shown, next_step=UNPACK)
    if info.compress_type not in _READABLE_METHODS:
        method = _METHODS.get(info.compress_type, f"method {info.compress_type}")
        raise DataError(
            f"holds {name!r}, compressed by {method}, which Python cannot read",
            where=shown,
            next_step=UNPACK,
        )
    stream = archive.open(info)
    if info.compress_type in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        return cast("IO[bytes]", SmallReads(stream))
    return stream
