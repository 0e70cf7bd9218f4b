"""The margin of the choice between classifiers: how many utterances of the selection split it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from serab_core.data.protocols import find_protocol
from serab_core.errors import UnknownNameError, UsageError
from serab_core.score.metrics import OBJECTIVES

if TYPE_CHECKING:
    from serab_core.types import ClassifierOutcome, TaskResult

_TIE = 1e-9  # largest difference of equal scores, because recalls that are added in another order differ by rounding


@dataclass(frozen=True, slots=True)
class RunnerUp:
    """A classifier with the next best score on the split by which the protocol selects.

    Attributes:
        score: its score on that split.
        scores: its scores on test.
    """

    classifier: str
    title: str
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Choice:
    """The choice between the classifiers of a result.

    Attributes:
        classifier, title: the chosen classifier.
        split: the split by which the protocol selects.
        metric: the metric of the selection.
        score: the score of the chosen classifier on that split.
        utterances: number of utterances of that split; None if the result does not record it.
        runners_up: the classifiers with the next best score, in the order that settles ties; several if they are tied.
            Empty if no other classifier could be fitted.
        margin: the difference to the runners-up; None without one.
        margin_utterances: the margin as a number of utterances; None for a metric other than accuracy.
        close: whether the choice is a tie, or one utterance can make it one.
        points: number of points in the search of the chosen classifier.
        tied_points: number of these points that have its best score; the first in grid order is used.
    """

    classifier: str
    title: str
    split: Literal["validation", "test"]
    metric: str
    score: float
    utterances: int | None
    runners_up: tuple[RunnerUp, ...]
    margin: float | None
    margin_utterances: int | None
    close: bool
    points: int
    tied_points: int

    @property
    def tied(self) -> bool:
        """Whether a runner-up has the score of the chosen classifier."""
        return self.margin is not None and self.margin <= _TIE


@dataclass(frozen=True, slots=True)
class FoldChoices:
    """The choices of all folds of a result, each made on the validation split of the fold.

    Attributes:
        folds: number of folds.
        close: number of folds whose choice is a tie, or which one utterance can make one.
        tied: number of folds whose choice is a tie.
    """

    folds: int
    close: int
    tied: int


def choice_of(result: TaskResult) -> Choice | None:
    """Return the choice of a result; None for folds, and for a result whose protocol is not known."""
    rule = selection_rule(result)
    if rule is None or result.folds:
        return None
    split, metric = rule
    chosen = result.outcome()
    score = _selection_score(chosen, split, metric)
    if score is None:
        return None
    scored = [
        (other, value)
        for other in result.outcomes
        if other.classifier != chosen.classifier and (value := _selection_score(other, split, metric)) is not None
    ]
    best = max((value for _, value in scored), default=None)
    runners_up = tuple(
        RunnerUp(other.classifier, other.title, value, dict(other.scores))
        for other, value in scored
        if best is not None and abs(value - best) <= _TIE
    )
    margin = None if best is None else max(0.0, score - best)
    count = result.counts.get(split) or None
    points = [point.score for point in chosen.points if point.score is not None]
    return Choice(
        classifier=chosen.classifier,
        title=chosen.title,
        split=split,
        metric=metric,
        score=score,
        utterances=count,
        runners_up=runners_up,
        margin=margin,
        margin_utterances=_in_utterances(margin, metric, count),
        close=margin is not None and _is_close(margin, metric, count),
        points=len(chosen.points),
        tied_points=sum(chosen.validation is not None and abs(p - chosen.validation) <= _TIE for p in points),
    )


def fold_choices(result: TaskResult) -> FoldChoices | None:
    """Return how close the choices of the folds are; None without folds, or if the protocol is not known."""
    rule = selection_rule(result)
    if rule is None or not result.folds:
        return None
    _, metric = rule
    close = tied = 0
    for fold in result.folds:
        score = fold.validation.get(fold.chosen)
        others = [value for name, value in fold.validation.items() if name != fold.chosen and value is not None]
        if score is None or not others:
            continue
        margin = max(0.0, score - max(others))
        close += _is_close(margin, metric, fold.counts.get("validation") or None)
        tied += margin <= _TIE
    return FoldChoices(len(result.folds), close, tied)


def is_close(result: TaskResult) -> bool:
    """Return whether the choice of a result, or of one of its folds, is a tie or depends on one utterance."""
    choice, of_folds = choice_of(result), fold_choices(result)
    return bool((choice and choice.close) or (of_folds and of_folds.close))


def selection_rule(result: TaskResult) -> tuple[Literal["validation", "test"], str] | None:
    """Return the split and the metric by which the protocol of a result selects the classifier."""
    if result.target is not None:
        return "validation", "ccc"
    stored = result.provenance.get("protocol", {})
    objective, selection = stored.get("objective"), stored.get("selection")
    if str(objective) not in OBJECTIVES or str(selection) not in ("validation", "test"):
        try:
            protocol = find_protocol(result.protocol)
        except (UnknownNameError, UsageError):
            return None
        objective, selection = protocol.objective, protocol.selection
    # On the test split the selection is by accuracy, as `choose` says.
    return ("test", "accuracy") if selection == "test" else ("validation", str(objective))


def _selection_score(outcome: ClassifierOutcome, split: Literal["validation", "test"], metric: str) -> float | None:
    if outcome.params is None:
        return None
    return outcome.validation if split == "validation" else outcome.scores.get(metric)


def _in_utterances(margin: float | None, metric: str, utterances: int | None) -> int | None:
    """Return a difference of accuracies as a number of utterances; None if it is not one."""
    if margin is None or metric != "accuracy" or utterances is None:
        return None
    number = round(margin * utterances)
    return number if abs(margin * utterances - number) < 1e-6 else None


def _is_close(margin: float, metric: str, utterances: int | None) -> bool:
    """Return whether a margin is a tie, or whether the prediction of one utterance can close it.

    One of n utterances changes accuracy by 1/n. One utterance of the smallest of k classes, which has at most n/k
    utterances, changes its recall by at least k/n, and UAR, the mean of k recalls, by at least 1/n. A larger margin of
    UAR can also depend on one utterance, but a result does not record the classes of the validation split.
    """
    if margin <= _TIE:
        return True
    return metric in ("accuracy", "uar") and utterances is not None and margin <= 1 / utterances + _TIE
