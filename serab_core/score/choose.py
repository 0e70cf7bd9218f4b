"""The choice of the classifier that a protocol reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.errors import TuningError
from serab_core.score.released import choose_as_released
from serab_core.system.hints import command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import ClassifierOutcome, ProtocolSpec


def choose(outcomes: Sequence[ClassifierOutcome], protocol: ProtocolSpec, where: str = "") -> ClassifierOutcome:
    """Return the first outcome, in the given order, with the highest score on the split that the protocol selects by.

    On the validation split the score is the protocol's objective. On the test split it is accuracy in percent, rounded
    to one decimal, as in the script that the authors of SERAB released.

    Args:
        outcomes: in the order that settles ties.
        protocol: the protocol, which names the split.
        where: the extractor and task, for messages.

    Raises:
        TuningError: no classifier could be fitted.
    """
    fitted = [outcome for outcome in outcomes if outcome.params is not None]
    if not fitted:
        reasons = "; ".join(f"{o.classifier}: {o.points[0].reason}" for o in outcomes)
        raise TuningError(
            f"no classifier could be fitted ({reasons})",
            where=where or None,
            next_step=f"{command('studies show', 'STUDY')} gives the reason of every point; the task may have too few "
            "utterances",
        )

    if protocol.selection == "test":
        return choose_as_released(fitted)

    def score(outcome: ClassifierOutcome) -> float:
        assert outcome.validation is not None, "a fitted outcome has a validation score"
        return outcome.validation

    return max(fitted, key=score)  # max returns the first of equal scores
