"""Where the files of a corpus come from: one class for each kind of source.

A further kind is a class here, in `DownloadSource`, and the function in `serab_core.data.remote` that finds its files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

_DIGEST = {"sha256": re.compile(r"[0-9a-f]{64}"), "md5": re.compile(r"[0-9a-f]{32}")}


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A published file of a corpus.

    Raises:
        ValueError: the name has a folder, or a checksum is not one.

    Attributes:
        name: its name, without a folder.
        size: size in bytes; None if it is not known.
        sha256: SHA-256 in lower case; None if it is not known.
        md5: MD5 in lower case, for publishers that state only this one.
        url: address; "" in a source that finds it by the name.
    """

    name: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None
    url: str = ""

    def __post_init__(self) -> None:
        if not self.name or self.name[0] == "." or re.search(r"[/\\\x00-\x1f]", self.name):
            raise ValueError(f"{self.name!r} is not the name of a file")
        for algorithm, pattern in _DIGEST.items():
            digest = getattr(self, algorithm)
            if digest is not None and not pattern.fullmatch(digest):
                raise ValueError(f"{self.name}: {digest!r} is not a {algorithm} in lower case")


@dataclass(frozen=True, slots=True)
class UrlSource:
    """Files at fixed addresses. An address may use plain http, because the checksum protects the content.

    Raises:
        ValueError: a file has no address, or no checksum.

    Attributes:
        files: the files, each with an address and a checksum.
    """

    files: tuple[RemoteFile, ...]

    def __post_init__(self) -> None:
        for file in self.files:
            if not file.url or not (file.sha256 or file.md5):
                raise ValueError(f"{file.name} needs an address and a checksum")

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return "url"

    def __str__(self) -> str:
        return ", ".join(file.url for file in self.files)


@dataclass(frozen=True, slots=True)
class ZenodoSource:
    """Files of a record of Zenodo. The record states their addresses, sizes and md5.

    Attributes:
        record: the id of the record.
        files: the files, by the keys that they have in the record. A size or checksum that is given here is binding:
            a record that states another one is refused. Without one, the record's md5 is used.
        api: address of the interface for records; another installation of InvenioRDM has the same one.
    """

    record: str
    files: tuple[RemoteFile, ...]
    api: str = "https://zenodo.org/api/records"

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return "zenodo"

    def __str__(self) -> str:
        return f"{self.api.removesuffix('/api/records')}/records/{self.record}"


@dataclass(frozen=True, slots=True)
class ManualSource:
    """Files that a person must get.

    Attributes:
        text: what to request, where, and which file to bring; a phrase such as "register at example.org and download
            a.zip".
    """

    text: str

    @property
    def kind(self) -> str:
        """The kind of the source."""
        return "manual"

    def __str__(self) -> str:
        return self.text


DownloadSource: TypeAlias = UrlSource | ZenodoSource
Source: TypeAlias = DownloadSource | ManualSource
