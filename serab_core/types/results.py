"""How a score is made, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from serab_core.types.arrays import Params


@dataclass(frozen=True, slots=True)
class ProtocolSpec:
    """How a score is made (design section 4); stored with every result and shown with every table.

    Attributes:
        splits: `default`, or `released` for the variant that the authors' code cut.
        normalisation: `speaker` (within each split, transductive) or `train` (training split's statistics only).
        objective: what the search over parameters maximises on the validation split.
        selection: the split on which the classifier is chosen; `test` is optimistic.
        classifiers: in the order that settles ties.
        caution: what a reader must know, shown beside every figure made this way.
        tuner: `grid` for every point of the classifiers' grids, `tpe` for a search of their wide spaces.
        trials: of `tpe`, for all classifiers of a task together.
    """

    name: str
    splits: Literal["default", "released"]
    normalisation: Literal["speaker", "train"]
    objective: Literal["accuracy", "uar", "ccc"]
    selection: Literal["validation", "test"]
    classifiers: tuple[str, ...]
    summary: str
    caution: str = ""
    seed: int = 42
    tuner: Literal["grid", "tpe"] = "grid"
    trials: int = 0


@dataclass(frozen=True, slots=True)
class Predictions:
    """Per-utterance predictions on one split, as labels or values of a continuous target, in order of utterance id."""

    ids: tuple[str, ...]
    truth: tuple[str, ...] | tuple[float, ...]
    predicted: tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a search: its parameters and validation score, or why it has none.

    Attributes:
        pruned: it was given up as a poor one, and did not fail.
    """

    params: Params
    score: float | None
    reason: str = ""
    pruned: bool = False

    @property
    def failed(self) -> bool:
        """Whether it could not be fitted."""
        return self.score is None and not self.pruned


@dataclass(frozen=True, slots=True)
class ClassifierOutcome:
    """What one classifier reached on one task.

    Attributes:
        params: the chosen point; None when no point could be fitted.
        validation: the chosen point's validation score, by the protocol's objective.
        test: predictions after the refit on train and validation.
        accuracy, uar: of classes, in [0, 1]; None for a continuous target.
        scores: of a continuous target: `ccc`, `pearson` and `rmse` on test; empty for classes.
    """

    classifier: str
    title: str
    points: tuple[Point, ...]
    params: Params | None
    validation: float | None
    test: Predictions | None
    accuracy: float | None
    uar: float | None
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The score of one extractor on one task under one protocol.

    Attributes:
        chosen: the classifier that the protocol reports.
        provenance: versions, fingerprint, dataset digest, seeds, command and machine.
        speakers: who truly speaks, by test utterance.
        sexes: `f` or `m` by speaker of the test split, where the corpus declares it.
        imported: where the result comes from, when it was made elsewhere.
        profile: seconds by stage, where `--profile` asked for them, summed over processes; `whole` says that nothing
            was there before. Stages: `serab_core.system.timing.STAGES`.
        splits: how the splits of the task were made, in one phrase; "" where an earlier version did not record it.
        faulty: the corpus has a fault that makes scores wrong (one of the cautions says which).
    """

    extractor: str
    task: str
    language: str
    protocol: str
    variant: str
    counts: Mapping[str, int]
    chosen: str
    accuracy: float
    uar: float
    outcomes: tuple[ClassifierOutcome, ...]
    synthetic: bool
    partial: bool
    cautions: tuple[str, ...]
    key: str
    provenance: Mapping[str, Any]
    speakers: Mapping[str, str]
    sexes: Mapping[str, str] = field(default_factory=dict)
    imported: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)
    splits: str = ""
    faulty: bool = False

    def outcome(self, classifier: str) -> ClassifierOutcome:
        """The outcome of one classifier; KeyError when it was not run."""
        for outcome in self.outcomes:
            if outcome.classifier == classifier:
                return outcome
        raise KeyError(classifier)


@dataclass(frozen=True, slots=True)
class ContinuousResult:
    """The score of one extractor on one continuous target; fields as of `TaskResult`.

    Attributes:
        task: such as `iem4/valence`.
        target: such as `valence`.
        chosen: the regressor of the best concordance on validation.
        scores: `ccc`, `pearson` and `rmse` of the chosen one on test.
    """

    extractor: str
    task: str
    target: str
    language: str
    protocol: str
    variant: str
    counts: Mapping[str, int]
    chosen: str
    scores: Mapping[str, float]
    outcomes: tuple[ClassifierOutcome, ...]
    synthetic: bool
    partial: bool
    cautions: tuple[str, ...]
    key: str
    provenance: Mapping[str, Any]
    speakers: Mapping[str, str]
    sexes: Mapping[str, str] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    splits: str = ""
    faulty: bool = False

    def outcome(self, regressor: str) -> ClassifierOutcome:
        """The outcome of one regressor; KeyError when it was not run."""
        for outcome in self.outcomes:
            if outcome.classifier == regressor:
                return outcome
        raise KeyError(regressor)


@dataclass(frozen=True, slots=True)
class Failure:
    """A piece of the work that could not be done, and why."""

    extractor: str
    task: str
    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of `serab eval`: what was asked and what came of it.

    Attributes:
        reused: keys of the results that were already there.
        missing: tasks of the suite that have no prepared corpus.
    """

    protocol: ProtocolSpec
    extractors: tuple[str, ...]
    tasks: tuple[str, ...]
    results: tuple[TaskResult, ...] = ()
    continuous: tuple[ContinuousResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    reused: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
