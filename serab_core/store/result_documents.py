"""The types of stored results and outcomes, for `serab_core.store.codec`."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec

L = TypeVar("L", str, float)  # a label, or a value of a continuous target

Count = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Fraction = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0)]


class PredictionsDocument(msgspec.Struct, Generic[L], frozen=True, forbid_unknown_fields=True):
    """Predictions on one split."""

    ids: tuple[str, ...]
    truth: tuple[L, ...]
    predicted: tuple[L, ...]


class PointDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One point of a search."""

    params: dict[str, Any]
    score: float | None
    reason: str = ""
    pruned: bool = False


class OutcomeDocument(msgspec.Struct, Generic[L], frozen=True, forbid_unknown_fields=True):
    """The outcome of one classifier on one task."""

    classifier: str
    title: str
    points: tuple[PointDocument, ...]
    params: dict[str, Any] | None
    validation: float | None
    test: PredictionsDocument[L] | None
    accuracy: Fraction | None
    uar: Fraction | None
    scores: dict[str, float] = {}


class StudyOutcomeDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of a study, on classes or on a continuous target."""

    schema: Literal["serab.outcome/1"]
    outcome: OutcomeDocument[str | float]  # type: ignore[type-var]
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


class _Common(msgspec.Struct, Generic[L], frozen=True, forbid_unknown_fields=True, kw_only=True):
    extractor: str
    task: str
    language: str
    protocol: str
    variant: str
    counts: dict[str, Count]
    chosen: str
    outcomes: tuple[OutcomeDocument[L], ...]
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


class ResultDocument(_Common[str], frozen=True, kw_only=True):
    """A result on classes."""

    schema: Literal["serab.result/2"]
    accuracy: Fraction
    uar: Fraction
    imported: str = ""


class ContinuousDocument(_Common[float], frozen=True, kw_only=True):
    """A result on a continuous target."""

    schema: Literal["serab.continuous/1"]
    target: str
    scores: dict[str, float]
