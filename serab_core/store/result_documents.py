"""The types of stored results and outcomes, for `serab_core.store.codec`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0)]


class PredictionsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Predictions on one split: labels, or values of a continuous target."""

    ids: tuple[str, ...]
    truth: tuple[str | float, ...]
    predicted: tuple[str | float, ...]
    labels: tuple[str, ...] = ()
    probabilities: bytes = b""  # base64 in JSON


class PointDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point of a search."""

    params: dict[str, Any]
    score: float | None
    reason: str = ""
    pruned: bool = False


class OutcomeDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The outcome of one classifier on one task."""

    classifier: str
    title: str
    points: tuple[PointDocument, ...]
    params: dict[str, Any] | None
    validation: float | None
    test: PredictionsDocument | None
    scores: dict[str, float] = {}


class FoldDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One fold of a result; the predictions are those of its ids in the outcomes."""

    name: str
    test_speakers: tuple[str, ...]
    counts: dict[str, Count]
    chosen: str
    params: dict[str, dict[str, Any] | None]
    validation: dict[str, float | None]
    test: tuple[str, ...]
    scores: dict[str, float]


class EarlierOutcomeDocument(OutcomeDocument, frozen=True, kw_only=True):
    """An outcome as earlier versions wrote it; the first two fields are null for a continuous target."""

    accuracy: Fraction | None
    uar: Fraction | None


class StudyOutcomeDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of a study."""

    schema: Literal["serab.outcome/2"]
    outcome: OutcomeDocument
    identity: dict[str, Any] = {}


class EarlierStudyOutcomeDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of a study as earlier versions wrote it."""

    schema: Literal["serab.outcome/1"]
    outcome: EarlierOutcomeDocument
    identity: dict[str, Any] = {}


class DatasetProvenance(msgspec.Struct, frozen=True):
    """The fields of a corpus in a result's provenance that reports show."""

    digest: str = ""
    audio_digest: str = ""
    variant: str = ""
    title: str = ""
    licence: str = ""
    citation: str = ""


class ProtocolProvenance(msgspec.Struct, frozen=True):
    """The fields of a protocol in a result's provenance that reports show."""

    tuner: str = "grid"
    trials: Count = 0
    classifiers: tuple[str, ...] = ()
    classifiers_by: str = ""


class FingerprintProvenance(msgspec.Struct, frozen=True):
    """The fields of an extractor's identity in a result's provenance that reports show."""

    dim: Annotated[int, msgspec.Meta(ge=1, le=2**31)] | None = None
    libraries: dict[str, Any] = {}
    parameters: dict[str, Any] = {}
    code: dict[str, Any] = {}


class Provenance(msgspec.Struct, frozen=True):
    """The fields of a result's provenance that reports show. Plugins may add further fields."""

    summary: str = ""
    licence: str = ""
    citation: str = ""
    command: tuple[str, ...] = ()
    fingerprint: FingerprintProvenance = FingerprintProvenance()
    dataset: DatasetProvenance = DatasetProvenance()
    protocol: ProtocolProvenance = ProtocolProvenance()
    libraries: dict[str, Any] = {}
    classifier_code: dict[str, dict[str, Any]] = {}


class ProfileDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Seconds by phase; empty if no profile was measured."""

    seconds: dict[str, Seconds] = {}
    whole: bool | None = None


class _ResultFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    extractor: str
    task: str
    language: str
    protocol: str
    variant: str
    counts: dict[str, Count]
    chosen: str
    synthetic: bool
    partial: bool
    cautions: tuple[str, ...]
    key: str
    provenance: dict[str, Any]
    speakers: dict[str, str]
    sexes: dict[str, str] = {}
    profile: ProfileDocument = ProfileDocument()
    splits: str = ""
    faulty: bool = False
    imported: str = ""


class ResultDocument(_ResultFields, frozen=True, kw_only=True):
    """A result on classes, or on a continuous target."""

    schema: Literal["serab.result/3"]
    target: str | None
    scores: dict[str, float]
    outcomes: tuple[OutcomeDocument, ...]
    folds: tuple[FoldDocument, ...] = ()


class EarlierResultDocument(_ResultFields, frozen=True, kw_only=True):
    """A result on classes as earlier versions wrote it."""

    schema: Literal["serab.result/2"]
    accuracy: Fraction
    uar: Fraction
    outcomes: tuple[EarlierOutcomeDocument, ...]


class EarlierContinuousDocument(_ResultFields, frozen=True, kw_only=True):
    """A result on a continuous target as earlier versions wrote it."""

    schema: Literal["serab.continuous/1"]
    target: str
    scores: dict[str, float]
    outcomes: tuple[EarlierOutcomeDocument, ...]
