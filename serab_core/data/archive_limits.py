"""Limits for reading archives, checked while they are read: a small archive cannot fill the memory or the disk.

The sizes that an archive states are never trusted. serab counts the unpacked bytes of all members and of the archives
within the archive, and compares them with the size of the archive on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from serab_core.errors import DataError

MAX_MEMBERS = 500_000  # members of the archives of one source; the largest corpora of emotional speech have 300,000
MAX_HEADER_BYTES = 1 << 20  # bytes of the headers of a member: names, attributes, maps of sparse files
MAX_SPARSE_PIECES = 100_000  # pieces of sparse files in one archive
MAX_GLOBAL_HEADERS = 1_000  # global PAX headers, which tarfile copies for each member
FREE_BYTES = 1 << 28  # unpacked bytes allowed for archives of any size: 2.3 hours of 16 kHz mono in 16 bits
MAX_RATIO = 100  # further unpacked bytes allowed per byte of the archives; speech packs to a half or a third
UNPACK = "unpack it, and name the folder"
DOWNLOAD = "download it again"
_CENTRAL_ENTRY = b"PK\x01\x02"  # the signature of an entry in the central directory of a zip
_CENTRAL_ENTRY_BYTES = 46  # bytes of the shortest entry
_SMALL_READ = 4096  # bytes of one read for formats whose input Python unpacks completely at once


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder of a source that could not be read, which may explain missing utterances.

    Attributes:
        kind: `link` (leads nowhere), `annex` (a link of git-annex without its content), `folder` (unreadable),
            `archive` (cannot be opened), `format` (audio of a kind that is not read), `download` (not finished).
        file: where it is, below the source.
        reason: what is wrong with it, as a predicate: "is a RAR archive".
    """

    kind: str
    file: str
    reason: str


class Budget:
    """Counts the bytes and members that are read from the archives of a source, and stops at the limits."""

    def __init__(self) -> None:
        self.read = 0  # bytes read, including bytes that are read again
        self.packed = 0  # bytes of the archives on disk
        self.unpacked = 0  # unpacked bytes of all members, each counted once
        self.members = 0
        self._positions: dict[tuple[str, str], int] = {}

    @property
    def limit(self) -> int:
        """The number of unpacked bytes that the open archives may have."""
        return FREE_BYTES + MAX_RATIO * self.packed

    def add_archive(self, packed: int) -> None:
        """Add an archive on disk, of `packed` bytes."""
        self.packed += packed

    def add_member(self, shown: str) -> None:
        """Add a member to the list. Raises DataError when there are more than `MAX_MEMBERS`."""
        self.members += 1
        if self.members > MAX_MEMBERS:
            raise too_many_members(shown)

    def add(self, size: int, shown: str, limit: int) -> None:
        """Add `size` bytes that were read. Raises DataError when the total exceeds `limit`."""
        self.read += size
        if self.read > limit:
            raise too_large("unpacks to", limit, shown)

    def advance(self, archive: str, member: str, position: int) -> None:
        """Note that a member was read up to a position; a member that is read twice counts once.

        Raises:
            DataError: the archives unpack to more than their size allows.
        """
        before = self._positions.get((archive, member), 0)
        if position > before:
            self._positions[archive, member] = position
            self.unpacked += position - before
            self.check(self.unpacked, archive)

    def check(self, unpacked: int, shown: str) -> None:
        """Compare a number of unpacked bytes with the limit. Raises DataError."""
        if unpacked > self.limit:
            raise DataError(
                f"unpacks to more than {self.limit:,} bytes, from archives of {self.packed:,} bytes: "
                f"the limit is {MAX_RATIO} times their size and {FREE_BYTES:,} bytes, and no corpus needs more",
                where=shown,
                next_step=f"{DOWNLOAD}; if you trust it, {UNPACK}",
            )


def too_large(predicate: str, limit: int, shown: str) -> DataError:
    """Return the error for a file, header or list with too many bytes."""
    return DataError(
        f"{predicate} more than {limit} bytes, as no corpus of speech does",
        where=shown,
        next_step=f"{DOWNLOAD}, or {UNPACK}",
    )


def too_many_members(shown: str) -> DataError:
    """Return the error for archives with too many members."""
    return DataError(
        f"holds more than {MAX_MEMBERS:,} files, as no corpus of speech does", where=shown, next_step=UNPACK
    )


class ZipFileLimits:
    """The file of a zip, which refuses to read a list of members that would fill the memory."""

    def __init__(self, file: IO[bytes], shown: str) -> None:
        self._file, self._shown = file, shown

    def read(self, size: int = -1) -> bytes:
        """Read bytes. zipfile reads the whole list of members at once. Raises DataError when it is too long."""
        if size > MAX_MEMBERS * _CENTRAL_ENTRY_BYTES:
            if size > MAX_MEMBERS * 2 * _CENTRAL_ENTRY_BYTES + (1 << 26):
                raise too_large("lists its files in", MAX_MEMBERS * 2 * _CENTRAL_ENTRY_BYTES + (1 << 26), self._shown)
            data = self._file.read(size)
            if data.count(_CENTRAL_ENTRY) > MAX_MEMBERS:
                raise too_many_members(self._shown)
            return data
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True: the file supports `seek`."""
        return True


class SmallReads:
    """A member of a zip, read in small pieces.

    For bzip2 and LZMA, zipfile unpacks the whole input of a read at once: 1 MB of bzip2 can become 40 GB in memory.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes, and at most `_SMALL_READ`."""
        return self._stream.read(min(size, _SMALL_READ))

    def __enter__(self) -> SmallReads:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()


class TarFileLimits:
    """The stream of a tar, with limits for the size of its headers and for its unpacked size."""

    def __init__(self, stream: IO[bytes], shown: str, budget: Budget, max_position: int) -> None:
        self._stream, self._shown, self._budget, self._max_position = stream, shown, budget, max_position
        self._header_bytes: int | None = 0  # None once members are read

    def begin_member(self) -> None:
        """Begin to count the header bytes of the next member."""
        self._header_bytes = 0

    def end_list(self) -> None:
        """Stop counting header bytes: from now on, the content of members is read."""
        self._header_bytes = None

    def read(self, size: int = -1) -> bytes:
        """Read bytes. Raises DataError when one member's headers are too long, or too much was unpacked."""
        if self._header_bytes is not None:
            self._header_bytes += size
            if size < 0 or self._header_bytes > MAX_HEADER_BYTES:
                raise too_large("holds a file with a header of", MAX_HEADER_BYTES, self._shown)
        data = self._stream.read(size)
        self._budget.check(self._stream.tell(), self._shown)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a position; a compressed tar is unpacked up to it. Raises DataError."""
        if offset > self._max_position:
            raise too_large("unpacks to", self._max_position, self._shown)
        self._budget.check(offset, self._shown)
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._stream.tell()

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
