"""The types of the documents that commands print about corpora."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from serab_core.data.index_document import NoticeDocument
from serab_core.documents.reports import ChanceOnTest, Names
from serab_core.store.result_documents import Count, Fraction


class Digests(msgspec.Struct, frozen=True):
    """The digests of a prepared corpus: of each task by split variant, and of the samples."""

    tasks: dict[str, str]
    audio: str


class Corpus(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared corpus."""

    name: str
    title: str
    language: str
    utterances: Count
    labels: dict[str, Count]
    speakers: Count
    hours: float
    splits: dict[str, Count]
    synthetic: bool
    partial: bool
    missing: Names
    skipped: tuple[tuple[str, str], ...]
    continuous: dict[str, Names]
    split_rule: str
    notes: Names
    choices: tuple[dict[str, Any], ...]
    notices: tuple[NoticeDocument, ...]
    digests: Digests
    folder: str


class Chance(ChanceOnTest, frozen=True):
    """The scores of guessing; `accuracy` is that of guessing `majority`, the most frequent class of training."""

    majority: str
    accuracy: Fraction


class Replaced(msgspec.Struct, frozen=True):
    """The prepared corpus that a new one replaces; null if its index could not be read."""

    name: str
    utterances: Count | None
    labels: dict[str, Count]
    splits: dict[str, Count]
    prepared: str | None
    shared_utterances: Count


class CorpusDocument(Corpus, frozen=True, kw_only=True):
    """What `serab data prepare`, `add` and `show` print.

    Attributes:
        chance: of `show`; null for a corpus without classes.
        results_on_other_data: of `prepare` and `add`.
        replaces: of `add`; null if the name is new.
    """

    schema: Literal["serab.dataset-summary/1"]
    chance: Chance | None = None
    results_on_other_data: Names = ()
    replaces: Replaced | None = None


class DownloadSourceRow(msgspec.Struct, frozen=True):
    """Where a corpus comes from: an address, a record, or what a person must do."""

    kind: Literal["url", "zenodo", "manual"]
    text: str


class KnownCorpus(msgspec.Struct, frozen=True):
    """A corpus that is installed, prepared, or part of the suite.

    Attributes:
        access: null if no installed plugin has the corpus.
        download_bytes: null if nothing is downloaded, or if only the publisher knows the size.
    """

    name: str
    in_suite: bool
    installed: bool
    language: str | None
    expected_utterances: Count | None
    licence: str | None
    how_to_get: str | None
    access: Literal["fetchable", "manual", "generated"] | None
    download_bytes: Count | None
    sources: tuple[DownloadSourceRow, ...]
    continuous: dict[str, Names]
    prepared: Corpus | None


class CorpusListDocument(msgspec.Struct, frozen=True):
    """What `serab data list` prints."""

    schema: Literal["serab.dataset-list/1"]
    home: str
    datasets: tuple[KnownCorpus, ...]


class FetchedFileRow(msgspec.Struct, frozen=True):
    """A downloaded file. `pinned` says that the plugin states a checksum of it; otherwise only the publisher does."""

    path: str
    url: str
    size: Count
    sha256: str
    pinned: bool


class FetchedCorpus(msgspec.Struct, frozen=True):
    """A corpus that was fetched.

    Attributes:
        folder: the folder of the download; a download in the home is deleted once the corpus is prepared.
        files: empty for a dry run, and for a corpus that was prepared before.
        prepared: null for a dry run, and without preparation.
    """

    name: str
    title: str
    licence: str
    download_bytes: Count | None
    prepared_bytes: Count
    sources: tuple[DownloadSourceRow, ...]
    folder: str
    files: tuple[FetchedFileRow, ...]
    prepared: Corpus | None


class FetchDocument(msgspec.Struct, frozen=True):
    """What `serab data fetch` prints."""

    schema: Literal["serab.fetch/1"]
    dry_run: bool
    corpora: tuple[FetchedCorpus, ...]


class Finding(msgspec.Struct, frozen=True):
    """One result of the verification of a corpus."""

    name: str
    verdict: str
    text: str
    names: Names


class VerificationDocument(msgspec.Struct, frozen=True):
    """What `serab data verify` prints."""

    schema: Literal["serab.verification/1"]
    name: str
    findings: tuple[Finding, ...]


class RemovalDocument(msgspec.Struct, frozen=True):
    """What `serab data remove` prints; counts are null if the index could not be read."""

    schema: Literal["serab.dataset-removal/1"]
    name: str
    folder: str
    removed: bool
    utterances: Count | None
    in_place: Count | None
    copied: Count
    copied_bytes: Count
