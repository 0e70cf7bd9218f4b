"""Finds the files of a download source: their addresses, sizes and checksums."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import msgspec

from serab_core.errors import ContentError
from serab_core.store import codec
from serab_core.store.atomic import scratch_folder
from serab_core.store.download import download
from serab_core.store.http_stream import DownloadError
from serab_core.types import ZenodoSource

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.types import DownloadSource, Progress, RemoteFile

RESPONSE_S = 30.0  # seconds to wait for the response; archives of research data can take more than ten
_MAX_RECORD_BYTES = 1 << 23  # bytes; a record with a thousand files has less than one megabyte


class _Links(msgspec.Struct, frozen=True):
    """The links of a file; `content` is called `self` in the record."""

    content: str = msgspec.field(name="self")


class _RecordFile(msgspec.Struct, frozen=True):
    """A file of a record; `checksum` is such as `md5:bc696df6...`."""

    key: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    checksum: str
    links: _Links


class _Record(msgspec.Struct, frozen=True):
    """A record of Zenodo, as its interface sends it."""

    files: tuple[_RecordFile, ...]


def find_files(source: DownloadSource, folder: Path, progress: Progress) -> tuple[RemoteFile, ...]:
    """Return the files of a source, each with its address, a checksum and, if it is known, its size.

    Args:
        source: the source.
        folder: a folder for temporary files.
        progress: shows the download of a record.

    Raises:
        DownloadError: the source cannot be reached, or has other files.
        StoreError: the folder cannot be written.
    """
    if isinstance(source, ZenodoSource):
        return _find_in_record(source, folder, progress)
    return source.files


def _find_in_record(source: ZenodoSource, folder: Path, progress: Progress) -> tuple[RemoteFile, ...]:
    url = f"{source.api}/{quote(source.record, safe='')}"
    with scratch_folder(folder) as scratch:
        path = download(
            url, scratch / "record.json", max_bytes=_MAX_RECORD_BYTES, progress=progress,
            title=f"record {source.record}", response_s=RESPONSE_S,
        )  # fmt: skip
        content = path.read_bytes()
    try:
        record = codec.decode(content, _Record, where=url)
    except ContentError as error:
        raise DownloadError(f"{url} is not a record with files: {error.what}") from error
    by_key = {file.key: file for file in record.files}
    return tuple(_find_file(file, by_key, url) for file in source.files)


def _find_file(file: RemoteFile, by_key: dict[str, _RecordFile], url: str) -> RemoteFile:
    """Return a file with the address, size and md5 of the record. Raises DownloadError if the record contradicts it."""
    published = by_key.get(file.name)
    if published is None:
        raise DownloadError(f"the record {url} has no file {file.name}")
    algorithm, _, digest = published.checksum.lower().partition(":")
    md5 = digest if algorithm == "md5" and digest else None
    if md5 is not None and file.md5 not in (None, md5):
        raise DownloadError(f"the record has changed: the md5 of {file.name} is {md5} there, and should be {file.md5}")
    if file.size not in (None, published.size):
        raise DownloadError(
            f"the record has changed: {file.name} has {published.size:,} bytes there, and should have {file.size:,}"
        )
    try:
        remote = replace(file, url=published.links.content, size=published.size, md5=file.md5 or md5)
    except ValueError as error:
        raise DownloadError(f"the record {url} is damaged: {error}") from error
    if not (remote.md5 or remote.sha256):
        raise DownloadError(f"the record {url} states no md5 of {file.name}, so nothing shows whether it is complete")
    return remote
