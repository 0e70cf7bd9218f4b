"""Export of the classifier that an evaluation chose: it is fitted again and compared with the stored predictions."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from serab_core import plugins
from serab_core.embed.blocks import is_done, read_blocks
from serab_core.errors import NotPreparedError, TuningError, UsageError
from serab_core.run.evaluation import Evaluation
from serab_core.run.plan import require_one_split
from serab_core.run.provenance import provenance
from serab_core.system.hints import command, option
from serab_core.tune.classifier import examples_of, normalised
from serab_core.tune.exported import ClassifierMetadata, load_export, write_export
from serab_core.tune.layers import LAYER, columns, without_layer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from serab_core.run.plan import Plan
    from serab_core.types import TaskResult


def export_chosen(plan: Plan, folder: Path, classifier: str | None = None) -> tuple[TaskResult, ClassifierMetadata]:
    """Write the chosen classifier of one extractor on one task into a folder.

    Args:
        plan: a plan of one extractor and one task that were evaluated before under the same protocol.
        folder: the folder to write.
        classifier: the classifier to export; the chosen one for None.

    Returns:
        the result of the evaluation, and the metadata of the exported classifier.

    Raises:
        NotPreparedError: the extractor was not evaluated on the task, or its embeddings were deleted.
        UsageError: the protocol has folds, or the classifier cannot be exported or was not part of the evaluation.
        TuningError: the classifier does not predict what the evaluation stored.
        StoreError: the folder cannot be written.
    """
    require_one_split(plan, "one classifier")
    (entry,), (task, *others) = plan.extractors, plan.tasks
    if others:
        names = ", ".join(planned.name for planned in plan.tasks)
        raise UsageError("only one task can be exported at a time", next_step=f"name one of {names}")
    evaluation = Evaluation.of(plan, entry, task)
    protocol = evaluation.plan.protocol
    again = f"evaluate it: {command('eval', entry.name, tasks=task.name, protocol=protocol.name)}"
    result = evaluation.stored_result()
    if result is None or not all(is_done(block) for block in evaluation.source.blocks()):
        raise NotPreparedError("was not evaluated here", where=f"{entry.name} on {task.name}", next_step=again)
    name = classifier or result.chosen
    outcome = next((outcome for outcome in result.outcomes if outcome.classifier == name), None)
    if outcome is None or outcome.params is None or outcome.test is None:
        raise UsageError(
            f"{name} was not fitted for {entry.name} on {task.name}",
            next_step=f"{command('studies ls')} shows the classifiers that were tuned",
        )
    spec = plugins.classifier(name)
    embeddings = read_blocks(evaluation.source.blocks())
    layer = outcome.params.get(LAYER) if entry.spec.layers else None
    selected, params = slice(0, embeddings.shape[1]), outcome.params
    if layer is not None:
        selected, params = columns(entry.spec.layers, str(layer), embeddings.shape[1]), without_layer(params)
    features = normalised(task, embeddings[:, selected], protocol)
    train, validation = (examples_of(task, features, split) for split in ("train", "validation"))
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        predictor = spec.prepare(train, validation, seed=protocol.seed).refit(params)
    export = getattr(predictor, "export", None)
    if export is None or spec.rebuild is None:
        raise UsageError(f"{name} cannot be exported", next_step=f"choose another with {option('classifier', 'NAME')}")
    metadata = ClassifierMetadata(
        extractor=entry.spec.name,
        fingerprint=entry.fingerprint,
        task=task.name,
        protocol=protocol.name,
        classifier=spec.name,
        version=spec.version,
        params=dict(outcome.params),
        labels=task.labels,
        dim=embeddings.shape[1],
        normalisation=protocol.normalisation,
        columns=None if layer is None else (selected.start, selected.stop),
    )
    splits = np.array([u.split for u in task.utterances])
    training = embeddings[splits == "train"][:, selected] if protocol.normalisation == "train" else None
    write_export(folder, metadata, export(), provenance(plan, entry, evaluation.source), training)
    groups = [u.group for u in task.utterances if u.split == "test"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # test speakers with few utterances, which a caution of the result names
        predicted = load_export(folder).predict(embeddings[splits == "test"], groups)
    if not _equal(predicted, outcome.test.predicted):
        raise TuningError(
            f"{name}, loaded from the exported files, does not give the predictions that the evaluation stored",
            where=str(folder),
            next_step="report it to the plugin's author",
        )
    return result, metadata


def _equal(predicted: Sequence[Any], stored: Sequence[Any]) -> bool:
    """Return whether labels are equal, or values are equal up to rounding."""
    if stored and isinstance(stored[0], float):
        return bool(np.allclose(predicted, stored, rtol=1e-9, atol=1e-9))
    return list(predicted) == list(stored)
