"""Scores of each class on a test split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serab_core.score.bootstrap import DRAWS, Interval, drawn
from serab_core.score.metrics import confusion

if TYPE_CHECKING:
    from serab_core.score.scored import Scored


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The scores of one class.

    Attributes:
        recall, precision, f1: in [0, 1]. Recall is None for a class that is not in the test split. Precision is None
            for a class that is never predicted.
        utterances: number of test utterances of the class.
        interval: the 95 % interval of the recall, for new speakers; None without a recall.
    """

    recall: float | None
    precision: float | None
    f1: float
    utterances: int
    interval: Interval | None


def class_scores_of(test: Scored, draws: int = DRAWS) -> dict[str, ClassScore]:
    """Return the scores of each class that occurs in the test split or among the predictions, sorted by class.

    The interval of a recall is that of the accuracy on the utterances of the class.
    """
    labels = sorted({*test.truth.tolist(), *test.predicted.tolist()})
    counts = confusion(test.truth, test.predicted, labels)
    scores = {}
    for place, label in enumerate(labels):
        hits, true, predicted = int(counts[place, place]), int(counts[place].sum()), int(counts[:, place].sum())
        interval = None
        if true:
            part = test.part(np.asarray(test.truth == label))
            interval = drawn(part, draws).interval("accuracy")
        scores[label] = ClassScore(
            recall=hits / true if true else None,
            precision=hits / predicted if predicted else None,
            f1=2 * hits / (true + predicted),
            utterances=true,
            interval=interval,
        )
    return scores
