"""Assembly of the result of one extractor on one task from the outcomes of its classifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.run.provenance import provenance
from serab_core.score.choose import choose
from serab_core.types import SPLITS, TaskResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from serab_core.run.identity import TaskIdentity
    from serab_core.run.jobs import Source
    from serab_core.run.plan import Plan, PlannedExtractor
    from serab_core.types import ClassifierOutcome, ProtocolSpec, Task


def assemble_result(
    plan: Plan,
    extractor: PlannedExtractor,
    source: Source,
    identity: TaskIdentity,
    outcomes: tuple[ClassifierOutcome, ...],
    *,
    seconds: Mapping[str, float],
    reused_work: bool,
) -> TaskResult:
    """Return the result, without reading or writing files.

    Args:
        plan: the plan of the run, with the protocol for the task's kind of target.
        extractor: the extractor and its classifiers.
        source: the embeddings.
        identity: the identity of the result.
        outcomes: in the order of the extractor's classifiers.
        seconds: time by phase, for a profile.
        reused_work: whether work of an earlier run was reused, so that the profile does not cover all of it.

    Raises:
        TuningError: no classifier could be fitted.
    """
    protocol, task = plan.protocol, source.task
    chosen = choose(outcomes, protocol, f"{extractor.spec.name} on {task.name}")
    speakers = {u.id: u.speaker for u in task.utterances if u.split == "test"}
    profile = {"seconds": {name: round(value, 4) for name, value in seconds.items()}, "whole": not reused_work}
    return TaskResult(
        extractor=extractor.spec.name,
        task=task.name,
        language=task.language,
        protocol=protocol.name,
        variant=task.variant,
        counts={split: task.count(split) for split in SPLITS},
        chosen=chosen.classifier,
        scores=chosen.scores,
        outcomes=outcomes,
        synthetic=task.synthetic,
        partial=task.partial,
        cautions=cautions_of(task, protocol),
        key=identity.key,
        provenance=provenance(plan, extractor, source),
        speakers=speakers,
        target=task.target or None,
        sexes=_sexes(task.name.partition("/")[0], speakers.values()),
        profile=profile if plan.profile else {},
        splits=task.splits,
        faulty=task.faulty,
    )


def cautions_of(task: Task, protocol: ProtocolSpec) -> tuple[str, ...]:
    """Return the cautions that are shown with every score on this task."""
    cautions = ["" if task.target else protocol.caution, task.note, *task.cautions]
    cautions += [SYNTHETIC] if task.synthetic else []
    cautions += [PARTIAL] if task.partial else []
    return tuple(caution for caution in cautions if caution)


def _sexes(corpus: str, speakers: Iterable[str]) -> dict[str, str]:
    """Return the sex of those speakers for which the corpus declares it."""
    spec = plugins.dataset_or_none(corpus)
    declared = {} if spec is None else spec.speaker_sex
    return {speaker: declared[speaker] for speaker in sorted(set(speakers)) if speaker in declared}
