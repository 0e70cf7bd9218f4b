"""Assembly of the result of one extractor on one task from the outcomes of its classifiers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from serab_core import plugins
from serab_core.data.integrity import PARTIAL, SYNTHETIC
from serab_core.run.provenance import provenance
from serab_core.score.choose import choose
from serab_core.score.folds import fold_result, pool_outcomes
from serab_core.types import SPLITS, TaskResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def assemble_folds(
    plan: Plan,
    extractor: PlannedExtractor,
    task: Task,
    sources: Sequence[Source],
    outcomes: Sequence[tuple[ClassifierOutcome, ...]],
    *,
    key: str,
    seconds: Mapping[str, float],
    reused_work: bool,
) -> TaskResult:
    """Return the result of all folds together, without reading or writing files.

    The classifier is chosen in each fold. Predictions are pooled, so that every score, interval and test is over all
    test speakers.

    Args:
        plan: the plan of the run, with the protocol for the task's kind of target.
        extractor: the extractor and its classifiers.
        task: the task with its folds.
        sources: the embeddings for each fold; their tasks have the splits of the fold.
        outcomes: for each fold, in the order of the extractor's classifiers.
        key: the identity of the result.
        seconds: time by phase, for a profile.
        reused_work: whether work of an earlier run was reused, so that the profile does not cover all of it.

    Raises:
        TuningError: in a fold no classifier could be fitted.
    """
    protocol = plan.protocol
    names = [fold.name for fold in task.folds]
    chosen = [
        choose(of_fold, protocol, f"{extractor.spec.name} on {task.name}, fold {name}")
        for name, of_fold in zip(names, outcomes, strict=True)
    ]
    prefixes = [f"{name}/" if protocol.splits == "draws" else "" for name in names]
    pooled = pool_outcomes(outcomes, chosen, prefixes)
    speakers = {
        f"{prefix}{u.id}": u.speaker
        for prefix, source in zip(prefixes, sources, strict=True)
        for u in source.task.utterances
        if u.split == "test"
    }
    reported = next(outcome for outcome in pooled.outcomes if outcome.classifier == pooled.chosen)
    assert reported.test is not None
    folds = [
        fold_result(fold, source.task, of_fold, best, prefix, reported.test)
        for fold, source, of_fold, best, prefix in zip(task.folds, sources, outcomes, chosen, prefixes, strict=True)
    ]
    states = {name: dict(source.state) for name, source in zip(names, sources, strict=True) if source.state is not None}
    whole = replace(sources[0], task=task, state=None)
    profile = {"seconds": {name: round(value, 4) for name, value in seconds.items()}, "whole": not reused_work}
    return TaskResult(
        extractor=extractor.spec.name,
        task=task.name,
        language=task.language,
        protocol=protocol.name,
        variant=task.variant,
        counts={"test": len(speakers)},
        chosen=pooled.chosen,
        scores=reported.scores,
        outcomes=pooled.outcomes,
        synthetic=task.synthetic,
        partial=task.partial,
        cautions=cautions_of(task, protocol),
        key=key,
        provenance=provenance(plan, extractor, whole) | ({"corpus_states": states} if states else {}),
        speakers=speakers,
        target=task.target or None,
        sexes=_sexes(task.name.partition("/")[0], speakers.values()),
        profile=profile if plan.profile else {},
        splits=task.splits,
        faulty=task.faulty,
        folds=tuple(folds),
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
