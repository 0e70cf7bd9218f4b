"""The probe: the test score of LDA alone, without a choice between classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.score.margins import selection_rule

if TYPE_CHECKING:
    from serab_core.types import TaskResult

PROBE = "lda"
"""The probe has one grid point and no seed, so that neither ties nor a small validation split affect its score."""


def probe_score(result: TaskResult, metric: str = "") -> float | None:
    """Return the test score of LDA; None if the result has no LDA.

    Args:
        result: the result.
        metric: the metric; by default that by which the protocol selects.
    """
    if not metric:
        rule = selection_rule(result)
        metric = rule[1] if rule else "accuracy"
    outcome = next((outcome for outcome in result.outcomes if outcome.classifier == PROBE), None)
    return None if outcome is None else outcome.scores.get(metric)


def shows_probe(result: TaskResult) -> bool:
    """Return whether the probe adds something to the reported score: whether LDA was one of several classifiers."""
    return len(result.outcomes) > 1 and probe_score(result) is not None
