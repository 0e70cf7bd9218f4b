"""Protocols, outcomes, results and runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from serab_core.types.arrays import Params

DEFAULT_SEED = 42
"""Seed of searches and classifiers, if the name of the protocol states no other one."""


@dataclass(frozen=True, slots=True)
class ProtocolSpec:
    """A protocol: the rules by which a score is computed. It is stored with every result and shown with every table.

    Attributes:
        splits: `default`, or `released` for the split variant of the authors' code. The others have several folds, each
            with its own training, validation and test speakers: `speakers` tests every speaker once, `corpus` has the
            folds that the corpus defines, and `draws` has random speaker-disjoint splits.
        normalisation: `speaker` (within each split, transductive) or `train` (statistics of the training split only).
        objective: the metric that the search over parameters maximises on the validation split.
        selection: the split on which the classifier is chosen; `test` is optimistic.
        classifiers: names of the classifiers; their order decides ties.
        caution: a sentence that a reader must know, shown with every score under this protocol.
        seed: seed of the classifiers and of the search; the name states any other than 42.
        tuner: `grid` for every point of the classifiers' grids, `tpe` for a search of their wide spaces.
        trials: with `tpe`, the number of trials for all classifiers of a task together.
        held_out: with `speakers`, the number of test speakers of a fold.
        draws: with `draws`, the number of splits.
        corpora: the only corpora that have this protocol; empty for all.
    """

    name: str
    splits: Literal["default", "released", "speakers", "corpus", "draws"]
    normalisation: Literal["speaker", "train"]
    objective: Literal["accuracy", "uar", "ccc"]
    selection: Literal["validation", "test"]
    classifiers: tuple[str, ...]
    summary: str
    caution: str = ""
    seed: int = DEFAULT_SEED
    tuner: Literal["grid", "tpe"] = "grid"
    trials: int = 0
    held_out: int = 1
    draws: int = 0
    corpora: tuple[str, ...] = ()

    @property
    def has_folds(self) -> bool:
        """Whether a result is pooled from several folds."""
        return self.splits in ("speakers", "corpus", "draws")


@dataclass(frozen=True, slots=True)
class Predictions:
    """Per-utterance predictions on one split, as labels or values of a continuous target, in order of utterance id.

    Attributes:
        labels: the classes of the columns of `probabilities`.
        probabilities: the probability of each class for each utterance, as little-endian 32-bit floats of shape
            (utterances, labels), row by row; empty if the classifier gives none.
    """

    ids: tuple[str, ...]
    truth: tuple[str, ...] | tuple[float, ...]
    predicted: tuple[str, ...] | tuple[float, ...]
    labels: tuple[str, ...] = ()
    probabilities: bytes = b""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a search: its parameters and its validation score, or the reason why it has no score.

    Attributes:
        pruned: whether the search stopped the fit early because of a poor score; such a point did not fail.
    """

    params: Params
    score: float | None
    reason: str = ""
    pruned: bool = False

    @property
    def failed(self) -> bool:
        """Whether the point could not be fitted."""
        return self.score is None and not self.pruned


@dataclass(frozen=True, slots=True)
class ClassifierOutcome:
    """The scores and predictions of one classifier on one task.

    Attributes:
        params: parameters of the chosen point; None if no point could be fitted.
        validation: validation score of the chosen point, by the objective of the protocol.
        test: predictions on the test split, after the refit on train and validation.
        scores: test scores by metric; empty if no point could be fitted. For classes: `accuracy`, `uar`,
            `macro_recall`, `macro_f1`, `weighted_f1` and `kappa`; with probabilities also `ece`, `log_loss` and, for
            more than two classes, `top2`. For a continuous target: `ccc`, `pearson` and `rmse`.
    """

    classifier: str
    title: str
    points: tuple[Point, ...]
    params: Params | None
    validation: float | None
    test: Predictions | None
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class FoldResult:
    """One fold of a result: its own search, choice and refit.

    Attributes:
        name: the test speakers, the fold of the corpus, or the number of the draw.
        test_speakers: the speakers of the test split.
        counts: number of utterances by split.
        chosen: the classifier that the protocol chooses in this fold.
        params: the chosen point of each classifier; None for a classifier that could not be fitted.
        validation: the validation score of that point by classifier.
        test: the ids of the test utterances, as in the predictions of the pooled outcomes.
        scores: the scores of the chosen classifier on this fold.
    """

    name: str
    test_speakers: tuple[str, ...]
    counts: Mapping[str, int]
    chosen: str
    params: Mapping[str, Params | None]
    validation: Mapping[str, float | None]
    test: tuple[str, ...]
    scores: Mapping[str, float]


CHOSEN_IN_EACH_FOLD = "chosen-in-each-fold"
"""Name of the pooled outcome whose predictions are those of the classifier chosen in each fold."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The score of one extractor on one task under one protocol: on classes, or on a continuous target.

    Attributes:
        task: such as `emodb`, or `iem4/valence` for a continuous target.
        target: the continuous target, such as `valence`; None for classes.
        chosen: the classifier or regressor that the protocol reports; `chosen-in-each-fold` if folds differ in it.
        scores: the scores of the chosen classifier on test; see `ClassifierOutcome`.
        provenance: versions, fingerprint, dataset digest, seeds, command and machine.
        speakers: the true speaker by test utterance.
        sexes: `f` or `m` by speaker of the test split, if the corpus declares it.
        imported: the origin of a result that was computed elsewhere; "" for a result that was computed here.
        profile: with `--profile`, the seconds by phase, summed over processes; `whole` is true if no work of an
            earlier run was reused. Phases: `serab_core.system.timing.PHASES`.
        splits: one phrase on how the splits were drawn; "" if an earlier version did not record it.
        faulty: whether the corpus has a fault that makes scores wrong (one of the cautions names it).
        folds: the folds, if the protocol has several. The predictions of an outcome are then those of all folds
            together, sorted by id; the id of an utterance that several draws test begins with the number of the draw.
    """

    extractor: str
    task: str
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
    target: str | None = None
    sexes: Mapping[str, str] = field(default_factory=dict)
    imported: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)
    splits: str = ""
    faulty: bool = False
    folds: tuple[FoldResult, ...] = ()

    def outcome(self, classifier: str = "") -> ClassifierOutcome:
        """Return the outcome of one classifier, by default the chosen one. Raises KeyError if it was not run."""
        for outcome in self.outcomes:
            if outcome.classifier == (classifier or self.chosen):
                return outcome
        raise KeyError(classifier)


@dataclass(frozen=True, slots=True)
class Failure:
    """An evaluation that failed, and its error."""

    extractor: str
    task: str
    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """One invocation of `serab eval`: the extractors and tasks that it named, and the results.

    Attributes:
        reused: keys of the results that an earlier run had computed.
        seeds: the results of the same extractors and tasks under other seeds, if there are any.
        missing: tasks of the suite that have no prepared corpus.
    """

    protocol: ProtocolSpec
    extractors: tuple[str, ...]
    tasks: tuple[str, ...]
    results: tuple[TaskResult, ...] = ()
    failures: tuple[Failure, ...] = ()
    reused: frozenset[str] = frozenset()
    missing: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    seeds: tuple[TaskResult, ...] = ()
