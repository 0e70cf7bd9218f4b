"""The types of the documents that commands print about the home, weights, results and files."""

from __future__ import annotations

from typing import Literal

import msgspec

from serab_core.bench.history import Moment
from serab_core.documents.reports import Names, Params
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
    fold: str = ""
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
