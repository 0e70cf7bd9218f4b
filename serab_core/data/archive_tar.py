"""Lists the members of tars, plain or compressed, within limits."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

from serab_core.data.archive_limits import (
    MAX_GLOBAL_HEADERS,
    MAX_SPARSE_PIECES,
    UNPACK,
    Budget,
    Problem,
    TarFileLimits,
    too_large,
)
from serab_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

_PADDING = 1 << 20  # zero bytes after a tar to search for another tar; tar itself writes at most 10 KiB
_DICTIONARY_BYTES = 1 << 28  # memory for unpacking xz; `xz -9` needs 65 MiB


def list_tar(
    opened: IO[bytes],
    kind: str,
    shown: str,
    files: dict[str, tuple[int, Callable[[], IO[bytes]]]],
    links: dict[str, str],
    stack: ExitStack,
    budget: Budget,
    max_position: int,
) -> list[Problem]:
    """Add the members of a tar to `files` and `links`; return problems.

    Args:
        opened: the archive.
        kind: `tar`, `gzip`, `bzip2` or `xz`.
        shown: the name of the archive in errors.
        files: receives size and opener of each regular member.
        links: receives the target of each link.
        stack: closes the files that this function opens.
        budget: counts the bytes that are read.
        max_position: the limit for the unpacked size, in bytes.

    Raises:
        DataError: the file is not a tar, or exceeds a limit.
    """
    limits = TarFileLimits(_open_stream(opened, kind, shown), shown, budget, max_position)
    try:
        return _list_members(limits, kind, shown, files, links, stack, budget)
    finally:
        limits.end_list()


def _list_members(
    limits: TarFileLimits,
    kind: str,
    shown: str,
    files: dict[str, tuple[int, Callable[[], IO[bytes]]]],
    links: dict[str, str],
    stack: ExitStack,
    budget: Budget,
) -> list[Problem]:
    sparse_pieces = 0
    start: int | None = 0
    while start is not None:
        limits.begin_member()
        limits.seek(start)
        try:
            archive = stack.enter_context(tarfile.TarFile(fileobj=cast("Any", limits)))
        except tarfile.ReadError as error:
            if kind == "tar":
                raise
            raise DataError(
                f"is compressed by {kind}, and does not hold a tar ({error})", where=shown, next_step=UNPACK
            ) from error
        for member in archive:  # the last of several members with the same name counts, as when a tar is unpacked
            limits.begin_member()
            budget.add_member(shown)
            member.pax_headers = {}  # tarfile has applied them, and holds a copy for each member
            sparse = getattr(member, "sparse", None)
            sparse_pieces += len(sparse or ())
            if sparse_pieces > MAX_SPARSE_PIECES or len(archive.pax_headers) > MAX_GLOBAL_HEADERS:
                raise too_large("holds headers of", MAX_SPARSE_PIECES, shown)
            if member.isfile():
                files[member.name] = (member.size, partial(_open_member, archive, member))
            elif member.islnk():
                links[member.name] = (
                    "/" + member.linkname
                )  # the target of a hard link is relative to the root of the archive
            elif member.issym():
                links[member.name] = member.linkname
        limits.begin_member()
        limits.seek(archive.offset)
        if any(limits.read(tarfile.BLOCKSIZE)):
            return [Problem("archive", shown, "is cut short or damaged: its list of files ends too early")]
        start = _next_tar(limits, archive.offset + tarfile.BLOCKSIZE)
    return []


def _open_stream(opened: IO[bytes], kind: str, shown: str) -> IO[bytes]:
    if kind == "gzip":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=opened))
    if kind == "bzip2":
        return cast("IO[bytes]", bz2.BZ2File(opened))
    if kind == "xz":
        head = opened.read(1 << 16)
        opened.seek(0)
        if not _decodes(head, _DICTIONARY_BYTES) and _decodes(head, None):
            raise too_large("needs for unpacking a memory of", _DICTIONARY_BYTES, shown)
        return cast("IO[bytes]", lzma.LZMAFile(opened))  # stays open as long as the archive
    return opened


def _decodes(head: bytes, memory_limit: int | None) -> bool:
    """Return whether the first byte of an xz file can be decoded within a memory limit, in bytes."""
    try:
        lzma.LZMADecompressor(memlimit=memory_limit).decompress(head, max_length=1)
    except lzma.LZMAError:
        return False
    except MemoryError:  # without a limit; the dictionary is allocated, but not filled
        return memory_limit is None
    return True


def _next_tar(stream: TarFileLimits, at: int) -> int | None:
    """Return the position of another tar after the end of a tar, as in joined files; None without another tar."""
    for place in range(at, at + _PADDING, tarfile.BLOCKSIZE):
        stream.begin_member()
        block = stream.read(tarfile.BLOCKSIZE)
        if len(block) < tarfile.BLOCKSIZE:
            return None
        if any(block):
            try:
                tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            except tarfile.HeaderError:
                return None
            return place
    return None


def _open_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = archive.extractfile(member)
    assert opened is not None, "a regular file"
    return opened
