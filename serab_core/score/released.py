"""What the protocol `serab-released` has from the authors' script: the choice of the classifier, and its recall.

The script is `clf_benchmark.py` of github.com/Neclow/SERAB. It converts test accuracy and average recall to percent,
rounds both to one decimal, and reports the first classifier with the highest rounded accuracy. Its average recall is
`recall_score(truth, predicted, average="macro")` of scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.score.metrics import Metric
    from serab_core.score.scored import Scored
    from serab_core.types import ClassifierOutcome, TaskResult

RELEASED = "serab-released"
CHOICE = "first of the highest test accuracies in percent, rounded to one decimal"
"""The rule of the choice, for the key of a result."""


def is_released(protocol: str) -> bool:
    """Return whether a protocol is `serab-released`, with or without options such as a seed."""
    return protocol.partition("+")[0] == RELEASED


def rounded_percent(fraction: float) -> float:
    """Return a fraction in percent with one decimal, as NumPy rounds it: `round` of pandas in the script does the same.

    Example:
        >>> rounded_percent(0.71347), rounded_percent(0.71385)
        (71.3, 71.4)
    """
    return float(np.round(fraction * 100, 1))


def choose_as_released(outcomes: Sequence[ClassifierOutcome]) -> ClassifierOutcome:
    """Return the first outcome with the highest test accuracy after rounding, of at least one fitted outcome.

    With more than 1,000 test utterances, different accuracies can be equal after rounding.
    """
    return max(outcomes, key=lambda outcome: rounded_percent(outcome.scores["accuracy"]))


def chosen_as_released(result: TaskResult) -> str:
    """Return the classifier that the script reports for a stored result.

    Earlier versions chose by test accuracy without rounding. A result whose classifier is neither that choice nor the
    script's is returned unchanged: another rule chose it.
    """
    fitted = [outcome for outcome in result.outcomes if "accuracy" in outcome.scores]
    if not is_released(result.protocol) or result.target is not None or not fitted:
        return result.chosen
    earlier = max(fitted, key=lambda outcome: outcome.scores["accuracy"])
    return choose_as_released(fitted).classifier if result.chosen == earlier.classifier else result.chosen


def average_recall(protocol: str) -> str:
    """Return the average recall that tables show beside accuracy: `macro_recall` for `serab-released`, else `uar`."""
    return "macro_recall" if is_released(protocol) else "uar"


def table_metrics(protocol: str) -> Mapping[str, Metric]:
    """Return all metrics but one: of the two average recalls only the one that tables show under the protocol."""
    hidden = {"uar", "macro_recall"} - {average_recall(protocol)}
    return {name: metric for name, metric in METRICS.items() if name not in hidden}


def metric_of_pair(metric: str, first: Scored, second: Scored) -> str:
    """Return the metric by which two extractors are compared: `uar` for a macro recall that equals it.

    The two are equal, also after every exchange of answers, if both extractors only predict classes that occur in the
    truth. UAR is a mean over utterances, which has a simpler test.
    """
    if metric != "macro_recall":
        return metric
    predicted = np.concatenate([first.predicted, second.predicted])
    return "uar" if np.isin(predicted, first.truth).all() else metric
