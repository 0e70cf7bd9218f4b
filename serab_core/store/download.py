"""Downloads one file over https, atomically and within size limits, and resumes it if that is safe.

The received content is stored next to the destination as `NAME.partial`, with a note `NAME.json` of the version of
the file on the server. A later call resumes there if the server confirms that it still has this version. A partial
file that is not resumed is deleted after a week.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from functools import partial as bind
from typing import IO, TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from serab_core.errors import StoreError
from serab_core.store import codec
from serab_core.store.atomic import write_bytes
from serab_core.store.durable import fsync_folder
from serab_core.store.http_stream import RESPONSE_S, DownloadError, HttpStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import requests

    from serab_core.types import Progress

MAX_BYTES = 1 << 35  # bytes (34 GB); limit for a file whose size is not known beforehand
PARTIAL_AGE_S = 7 * 24 * 3600.0  # seconds after which a partial file that was not resumed is deleted
_FLUSH_EVERY_BYTES = 64 << 20  # bytes between two flushes; a kill or power cut loses at most these
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_COMPRESSED_SUFFIXES = (".gz", ".tgz", ".svgz", ".xz", ".bz2", ".zst", ".zip")


class _RestartError(Exception):
    """The partial file belongs to another version than the one on the server."""


class DownloadNote(msgspec.Struct, frozen=True):
    """The version of the file that the partial file belongs to.

    Attributes:
        flushed: bytes of the partial file that are on the disk; after a power cut the bytes behind them are undefined.
    """

    schema: Literal["serab.download/1"]
    url: str
    etag: str = ""
    last_modified: str = ""
    total: int | None = None
    flushed: int = 0

    @property
    def validator(self) -> str:
        """The header `If-Range`; "" if the server sent nothing that distinguishes two versions."""
        text = self.etag if self.etag.startswith('"') else self.last_modified
        return text if text.isascii() and text.isprintable() else ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that request the rest of the file."""
        condition = {"If-Range": self.validator} if self.validator else {}
        return {"Range": f"bytes={self.flushed}-", **condition}


def download(
    url: str,
    destination: Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Progress,
    title: str = "",
    response_s: float = RESPONSE_S,
    plain_http: bool = False,
) -> Path:
    """Download a file.

    Args:
        url: the https address; each address that it redirects to must use https too.
        destination: the path of the file. An existing file is used, unless it has another checksum.
        sha256: the checksum, if it is known.
        md5: the same, for corpora that publish only this one.
        size: the size in bytes, if it is known.
        max_bytes: the largest size to accept if `size` is not given.
        progress: receives the number of kilobytes.
        title: the name to show; the name of the file by default.
        response_s: seconds to wait for the response.
        plain_http: allow addresses with plain http if a checksum is known.

    Returns:
        the destination.

    Raises:
        DownloadError: the server does not send the file. The partial file stays for the next call.
        OSError: the file cannot be written.
        OfflineError: offline mode disables the network.
    """
    checksums = {"sha256": sha256, "md5": md5}
    checked = any(checksums.values())
    if destination.is_file() and not file_fault(destination, checksums, size):
        return destination
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f"{destination.name}.partial")
    note_path = destination.with_name(f"{destination.name}.json")
    limit = max_bytes if size is None else size
    with _locked(partial) as file:
        for attempt in (1, 2):
            if checked and not file_fault(partial, checksums, size):
                break  # the file is complete: an earlier call was killed before it renamed it
            note = _read_note(note_path, url, os.fstat(file.fileno()).st_size, checked)
            file.truncate(0 if note is None else note.flushed)
            try:
                if note is None or note.total != os.fstat(file.fileno()).st_size or not checked:
                    headers = {"Accept-Encoding": "identity"} | ({} if note is None else note.headers)
                    stream = HttpStream(url, headers, plain_http=plain_http and checked)
                    _transfer(stream, url, file, note, note_path, limit, size, progress, title or destination.name,
                              response_s)  # fmt: skip
                break
            except _RestartError as error:
                file.truncate(0)
                note_path.unlink(missing_ok=True)
                if attempt == 2:
                    raise DownloadError(str(error)) from error
        file.flush()
        os.fsync(file.fileno())
        fault = file_fault(partial, checksums, size)
        if fault:
            partial.unlink()
            note_path.unlink(missing_ok=True)
            raise DownloadError(f"the server sent another file: {fault}")
        os.replace(partial, destination)  # noqa: PTH105 as in store/atomic.py
        note_path.unlink(missing_ok=True)
    fsync_folder(destination.parent)
    return destination


def sweep_downloads(folder: Path, older_than_s: float = PARTIAL_AGE_S) -> list[Path]:
    """Delete the files of downloads that nobody has written for a while, and return their paths."""
    removed = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if path.is_file() and time.time() - path.stat().st_mtime > older_than_s:
                path.unlink()
                removed.append(path)
    return removed


@contextlib.contextmanager
def _locked(partial: Path) -> Iterator[IO[bytes]]:
    """Open the partial file for this process alone. Raises DownloadError while another process writes it."""
    with partial.open("ab+") as file:
        try:
            import fcntl
        except ImportError:  # Windows: two processes that write the same file end with a wrong checksum
            pass
        else:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                moved = os.fstat(file.fileno()).st_ino != partial.stat().st_ino
            except (BlockingIOError, FileNotFoundError):
                moved = True
            if moved:
                raise DownloadError("another process is downloading the same file: wait for it, then retry")
        yield file


def _read_note(path: Path, url: str, have: int, checked: bool) -> DownloadNote | None:
    """Return the note of a partial file that can be resumed; None if the download must start from the beginning.

    A checksum (`checked`) shows at the end whether parts of two versions were joined; without one, the server must
    confirm the version.
    """
    try:
        note = codec.decode(path.read_bytes(), DownloadNote, where=path)
    except (OSError, StoreError):
        return None
    same = note.url == url and 0 < note.flushed <= have and (note.total is None or note.flushed <= note.total)
    return note if same and (note.validator or (checked and note.total is not None)) else None


def file_fault(path: Path, checksums: dict[str, str | None], size: int | None) -> str:
    """Return how a file differs from the published one; "" if it does not."""
    actual_size = path.stat().st_size
    if size is not None and actual_size != size:
        return f"it has {actual_size:,} bytes, and should have {size:,}"
    for algorithm, wanted in checksums.items():
        if wanted:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, algorithm).hexdigest()
            if digest != wanted.lower():
                return f"its {algorithm} is {digest}, and should be {wanted}"
    return ""


def _transfer(
    stream: HttpStream,
    url: str,
    file: IO[bytes],
    note: DownloadNote | None,
    note_path: Path,
    limit: int,
    size: int | None,
    progress: Progress,
    title: str,
    response_s: float,
) -> None:
    """Append the response of the server to the partial file. Raises DownloadError, _RestartError."""
    have = os.fstat(file.fileno()).st_size
    try:
        response = stream.response(response_s)
        resumed = _check_response(response, note, have)
        if not resumed:
            have = 0
            file.truncate(0)
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() and len(length) < 20 else None
        if total is not None and (total > limit or (size is not None and total != size)):
            raise DownloadError(f"the file on the server has {total:,} bytes, and {limit:,} are allowed")
        if total is None and size is None and "chunked" not in response.headers.get("Transfer-Encoding", "").lower():
            raise DownloadError("the server does not send the length of the file, which shows whether it is complete")
        if not resumed or note is None:
            etag, modified = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
            note = DownloadNote("serab.download/1", url, etag, modified, total)
            write_bytes(note_path, codec.encode(note))
        checkpoint = bind(_flush, file, note_path, note)
        with progress.task(f"Fetching {title} (kB)", (total or 0) // 1000) as advance:
            _write(stream, file, have, limit, advance, checkpoint)
        received = os.fstat(file.fileno()).st_size
        if total is not None and received != total:
            raise DownloadError(f"the connection closed after {received:,} of {total:,} bytes")
    finally:
        stream.stop()


def _flush(file: IO[bytes], note_path: Path, note: DownloadNote) -> None:
    """Flush the partial file to the disk, and then the note with its flushed length."""
    file.flush()
    os.fsync(file.fileno())
    write_bytes(note_path, codec.encode(msgspec.structs.replace(note, flushed=os.fstat(file.fileno()).st_size)))


def _write(
    stream: HttpStream, file: IO[bytes], have: int, limit: int, advance: Any, checkpoint: Callable[[], None]
) -> None:
    """Write the pieces of a stream, and flush them, also after an error of the stream."""
    advance(have // 1000)
    flushed = have
    try:
        for piece in stream.pieces():
            if have + len(piece) > limit:
                file.truncate(0)
                raise DownloadError(f"the server sends more than the {limit:,} bytes that are allowed")
            file.write(piece)
            advance((have + len(piece)) // 1000 - have // 1000)
            have += len(piece)
            if have - flushed >= _FLUSH_EVERY_BYTES:
                checkpoint()
                flushed = have
    finally:
        checkpoint()


def _check_response(response: requests.Response, note: DownloadNote | None, have: int) -> bool:
    """Return whether the response continues the partial file, or else is the whole file.

    Raises:
        DownloadError: the server does not send the file.
        _RestartError: the server has another version of the file.
    """
    status = response.status_code
    if note is not None and status == 416:  # the partial file is longer than the file
        raise _RestartError("the server does not have the rest of the file")
    if status not in (200, 206):
        raise DownloadError(f"the server responds {status} {' '.join((response.reason or '').split())[:100]}")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity") and not urlsplit(response.url).path.lower().endswith(_COMPRESSED_SUFFIXES):
        raise DownloadError(f"the server compresses the file by {encoding[:20]!r}, which was not requested")
    if status == 200:
        return False
    if note is None:
        raise DownloadError("the server sends a part of the file, which was not requested")
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
    total = None if match is None or match[3] == "*" else int(match[3])
    same_version = (
        response.headers.get("ETag", note.etag) == note.etag
        and response.headers.get("Last-Modified", note.last_modified) == note.last_modified
        and (total is None or note.total is None or total == note.total)
    )
    if match is None or int(match[1]) != have or not same_version:
        raise _RestartError("the server sends the rest of another version of the file")
    return True
