"""Statistics of a training split that an extractor already has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core.errors import UsageError

if TYPE_CHECKING:
    from serab_core.types import CorpusState, ExtractorSpec


def known_state(spec: ExtractorSpec, task: str) -> CorpusState | None:
    """Return the statistics of a task that an extractor already has; None if they must be computed.

    Raises:
        UsageError: an option asks for statistics that the extractor does not have for this task.
    """
    if spec.known_state is None:
        return None
    try:
        state = spec.known_state(task)
    except ValueError as error:
        raise UsageError(
            str(error), where=f"{spec.name} on {task}", next_step="leave the option or the task out"
        ) from error
    return dict(state) if state is not None else None
