"""Sentences about the choice between classifiers: the margin, the runners-up and the ties."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.score.margins import choice_of, fold_choices
from serab_core.score.metrics import METRICS

if TYPE_CHECKING:
    from serab_core.score.margins import Choice, FoldChoices
    from serab_core.score.seeds import SeedSummary
    from serab_core.types import TaskResult

CLOSE = "~"  # the sign after the title of a classifier that was chosen by a tie or by one utterance
CLOSE_FOOTNOTE = f"{CLOSE} the choice of this classifier is a tie, or depends on one utterance"


def choice_text(result: TaskResult) -> str:
    """Return sentences on the choice of a result; "" if there is nothing to say."""
    choice, of_folds = choice_of(result), fold_choices(result)
    if of_folds is not None:
        return _folds_text(of_folds)
    if choice is None:
        return ""
    return " ".join(filter(None, (_margin_text(choice, result), _ties_text(choice))))


def seeds_text(result: TaskResult, summary: SeedSummary) -> str:
    """Return the reported scores of a result with their ranges over seeds, and the choice under each seed.

    Such as "accuracy 81.0 (69.0 to 81.0 over 5 seeds), UAR 79.7 (66.1 to 79.7); SVC (seeds 42, 45), RF (43, 44, 46)".
    """
    texts: list[str] = []
    for name in ("accuracy", "uar") if result.target is None else ("ccc",):
        if name in summary.ranges:
            metric, reach = METRICS[name], summary.ranges[name]
            over = "" if texts else f" over {len(summary.scores)} seeds"
            values = f"{metric.text(reach.low)} to {metric.text(reach.high)}{over}"
            texts.append(f"{metric.title} {metric.text(result.scores[name])} ({values})")
    seeds: dict[str, list[str]] = {}
    for score in summary.scores:
        seeds.setdefault(score.title, []).append(str(score.seed))
    chosen = ", ".join(
        f"{title} ({'' if place else 'seeds '}{', '.join(numbers)})"
        for place, (title, numbers) in enumerate(seeds.items())
    )
    return f"{', '.join(texts)}; {chosen}"


def _margin_text(choice: Choice, result: TaskResult) -> str:
    """Return the margin to the runners-up, and their scores on test."""
    if choice.margin is None:
        return ""
    metric = METRICS[choice.metric]
    titles = [runner_up.title for runner_up in choice.runners_up]
    names = " and ".join(filter(None, (", ".join(titles[:-1]), titles[-1])))
    if choice.tied:
        verb = "have" if len(choice.runners_up) > 1 else "has"
        margin = f"a tie: {names} {verb} the same {metric.title} on {choice.split}, and {choice.title} stands first"
    elif choice.margin_utterances is not None:
        plural = "s" if choice.margin_utterances > 1 else ""
        before = f"{choice.margin_utterances} utterance{plural} of {choice.utterances} on {choice.split}"
        margin = f"{choice.title} by {before}, before {names}"
    else:
        points = metric.signed(choice.margin).lstrip("+") + (" points" if metric.percent else "")
        margin = f"{choice.title} by {points} of {metric.title} on {choice.split}, before {names}"
    shown = ("accuracy", "uar") if result.target is None else ("ccc",)
    tested = [
        f"{title} {', '.join(METRICS[name].text(scores.get(name)) for name in shown)}"
        for title, scores in (
            (choice.title, result.scores),
            *((runner_up.title, runner_up.scores) for runner_up in choice.runners_up),
        )
    ]
    heads = ", ".join(METRICS[name].head for name in shown)
    return f"{margin}. On test ({heads}): {'; '.join(tested)}."


def _ties_text(choice: Choice) -> str:
    if choice.tied_points < 2:
        return ""
    return (
        f"{choice.tied_points} of {choice.points} points of {choice.title} have its best validation score; the first "
        "one is used."
    )


def _folds_text(choices: FoldChoices) -> str:
    ties = f", {choices.tied} of them a tie" if choices.tied else ""
    return f"The choice depends on at most one utterance in {choices.close} of {choices.folds} folds{ties}."
