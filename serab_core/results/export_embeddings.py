"""Export of stored embeddings as one npz file, for use outside serab."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from serab_core.embed.blocks import is_done, read_blocks
from serab_core.errors import NotPreparedError
from serab_core.run.evaluation import Evaluation
from serab_core.run.plan import require_one_split
from serab_core.store.atomic import write_output
from serab_core.system.hints import command

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.run.plan import Plan


def export_embeddings(plan: Plan, path: Path) -> tuple[int, int]:
    """Write the embeddings of one extractor on one task as an npz file, which can be loaded without pickle.

    Arrays: `embeddings`, float32 (n, dim), as the extractor returned them; `ids`, `labels`, `speakers` and `splits`,
    text (n,); `extractor`, `fingerprint` and `task`, text.

    Args:
        plan: a plan of one extractor and one task.
        path: the file to write.

    Returns:
        the number of utterances, and the dimension.

    Raises:
        UsageError: the protocol has folds.
        NotPreparedError: some embeddings were not computed yet.
        StoreError: a shard is damaged, or the file cannot be written.
    """
    require_one_split(plan, "one split")
    (entry,), task = plan.extractors, plan.tasks[0]
    source = Evaluation.of(plan, entry, task).source
    blocks = source.blocks()
    missing = sum(len(block.utterances) for block in blocks if not is_done(block))
    if missing or (entry.spec.uses_corpus and source.state is None):
        raise NotPreparedError(
            "has no embeddings yet" if missing == len(task.utterances) else f"lacks {missing} embeddings",
            where=f"{entry.name} on {task.name}",
            next_step=f"evaluate it: {command('eval', entry.name, tasks=task.name)}",
        )
    embeddings = read_blocks(blocks)
    utterances = task.utterances
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        embeddings=embeddings,
        ids=np.array([u.id for u in utterances]),
        labels=np.array([u.label for u in utterances]),
        speakers=np.array([u.speaker for u in utterances]),
        splits=np.array([u.split for u in utterances]),
        extractor=np.array(entry.spec.name),
        fingerprint=np.array(entry.fingerprint),
        task=np.array(task.name),
    )
    write_output(path, buffer.getvalue())
    rows, dim = embeddings.shape
    return rows, dim
