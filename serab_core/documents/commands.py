"""The types of the documents that commands print about the home, plugins, corpora and files."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from serab_core.bench.history import Moment
from serab_core.data.index_document import NoticeDocument
from serab_core.documents.reports import ChanceOnTest, Names, Params
from serab_core.results.reproduce import Difference
from serab_core.store.result_documents import Count, Fraction, PointDocument
from serab_core.testing.runner import Outcome
from serab_core.tune.exported import ClassifierMetadata


class ResultRow(msgspec.Struct, frozen=True):
    """A stored result; `conflict` says that another one has the same key and other content."""

    extractor: str
    task: str
    target: str | None
    protocol: str
    accuracy: Fraction | None
    uar: Fraction | None
    ccc: float | None
    imported: str
    key: str
    fingerprint: str
    dataset_digest: str
    conflict: bool


class ResultListDocument(msgspec.Struct, frozen=True):
    """What `serab results ls` prints."""

    schema: Literal["serab.result-list/2"]
    results: tuple[ResultRow, ...]


class TransferDocument(msgspec.Struct, frozen=True):
    """What `serab results export`, `import` and `merge` print; `known` counts results that were stored before."""

    schema: Literal["serab.exchange/1"]
    file: str
    results: Count
    known: Count
    conflicts: Names
    other_data: Names


class Chosen(msgspec.Struct, frozen=True):
    """The classifier that was chosen."""

    then: str
    now: str


class ReproductionDocument(msgspec.Struct, frozen=True):
    """What the reproduction of a result prints."""

    schema: Literal["serab.locked/1"]
    file: str
    extractor: str
    task: str
    protocol: str
    same: bool
    equal_predictions: Count
    utterances: Count
    chosen: Chosen
    differences: tuple[Difference, ...]


class StudySummary(msgspec.Struct, frozen=True, kw_only=True):
    """A study; `points` of it are planned, and `trials` are done."""

    study: str
    journal: str
    extractor: str
    task: str
    protocol: str
    classifier: str
    tuner: str
    points: Count
    finished: bool
    trials: Count
    validation: float | None
    params: Params | None


class StudiesDocument(msgspec.Struct, frozen=True):
    """What `serab studies ls` prints."""

    schema: Literal["serab.studies/1"]
    studies: tuple[StudySummary, ...]


class StudyPointsDocument(StudySummary, frozen=True, kw_only=True):
    """What `serab studies show` prints."""

    schema: Literal["serab.study-points/1"]
    all_points: tuple[PointDocument, ...]


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


class WeightsRow(msgspec.Struct, frozen=True, kw_only=True):
    """A weight file of an extractor."""

    extractor: str
    name: str
    installed: bool
    path: str
    url: str
    size: Count | None
    sha256: str | None
    licence: str
    source: str | None


class WeightsDocument(WeightsRow, frozen=True, kw_only=True):
    """What `serab weights import` and `fetch` print for a file."""

    schema: Literal["serab.weights-file/1"]


class WeightsListDocument(msgspec.Struct, frozen=True):
    """What `serab weights list` prints."""

    schema: Literal["serab.weights-list/1"]
    home: str
    weights: tuple[WeightsRow, ...]


class Holding(msgspec.Struct, frozen=True):
    """A part of the home; `used` is the time of the last change, in seconds since 1970."""

    room: str
    name: str
    files: Count
    bytes: Count
    used: float
    folder: str
    superseded: bool


class CacheDocument(msgspec.Struct, frozen=True):
    """What `serab cache ls` prints."""

    schema: Literal["serab.cache/1"]
    home: str
    bytes: Count
    holdings: tuple[Holding, ...]


class Damaged(msgspec.Struct, frozen=True):
    """A damaged file; `aside` says that it was quarantined."""

    path: str
    what: str
    aside: bool


class Unreadable(msgspec.Struct, frozen=True):
    """A file that could not be read."""

    path: str | None
    what: str


class CacheVerifyDocument(msgspec.Struct, frozen=True):
    """What `serab cache verify` prints."""

    schema: Literal["serab.cache-verify/1"]
    home: str
    files: Count
    damaged: tuple[Damaged, ...]
    unreadable: tuple[Unreadable, ...]


class Waste(msgspec.Struct, frozen=True):
    """A file or folder that can be deleted."""

    path: str
    bytes: Count
    why: str


class CacheClearDocument(msgspec.Struct, frozen=True):
    """What `serab cache gc` prints; `removed` says that the files were deleted."""

    schema: Literal["serab.cache-gc/1"]
    removed: bool
    bytes: Count
    waste: tuple[Waste, ...]


class CacheExportDocument(msgspec.Struct, frozen=True):
    """What `serab cache export` prints."""

    schema: Literal["serab.cache-export/1"]
    file: str
    utterances: Count
    dim: Count


class ExportDocument(msgspec.Struct, frozen=True):
    """What `serab export` prints; `result` is the key of the result."""

    schema: Literal["serab.export/1"]
    folder: str
    about: ClassifierMetadata
    result: str
    notices: Names


class ReportDocument(msgspec.Struct, frozen=True):
    """What `serab report` prints; `throughput` has the seconds of audio that one worker embeds per second."""

    schema: Literal["serab.report/1"]
    file: str
    bytes: Count
    figures: Names
    throughput: dict[str, float]


class BenchHistoryDocument(msgspec.Struct, frozen=True):
    """What `serab bench --history` prints."""

    schema: Literal["serab.bench-history/1"]
    moments: tuple[Moment, ...]


class CheckDocument(msgspec.Struct, frozen=True):
    """What `serab check` prints."""

    schema: Literal["serab.check/1"]
    passed: bool
    checks: tuple[Outcome, ...]


class ScaffoldDocument(msgspec.Struct, frozen=True):
    """What `serab new` prints."""

    schema: Literal["serab.new/1"]
    folder: str
    distribution: str
    package: str
    name: str
    files: Names
    next_steps: Names
