"""Hands out stored embeddings as one plain file, for whatever else people do with them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from serab_core.embed.blocks import is_done, read_blocks
from serab_core.errors import NotPreparedError
from serab_core.run.evaluation import Evaluation
from serab_core.store.atomic import write_output

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.run.plan import Plan


def export_embeddings(plan: Plan, path: Path) -> tuple[int, int]:
    """Writes one extractor's embeddings of one task as an npz file that needs no pickle.

    Arrays: `embeddings` float32 (n, dim), as the extractor gave them; `ids`, `labels`, `speakers` and `splits`, text
    (n,); `extractor`, `fingerprint` and `task`, text.

    Args:
        plan: of one extractor and one task.
        path: the file.

    Returns:
        utterances and dimensions.

    Raises:
        NotPreparedError: they were not computed, or not all of them.
        StoreError: one is damaged, or the file cannot be written.
    """
    (entry,), task = plan.extractors, plan.tasks[0]
    source = Evaluation.of(plan, entry, task).source
    blocks = source.blocks()
    missing = sum(len(block.utterances) for block in blocks if not is_done(block))
    if missing or (entry.spec.uses_corpus and source.state is None):
        raise NotPreparedError(
            "has no embeddings yet" if missing == len(task.utterances) else f"lacks {missing} embeddings",
            where=f"{entry.name} on {task.name}",
            next_step=f"serab eval {entry.name} --tasks {task.name}",
        )
    embeddings = read_blocks(blocks)
    own = task.utterances
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        embeddings=embeddings,
        ids=np.array([u.id for u in own]),
        labels=np.array([u.label for u in own]),
        speakers=np.array([u.speaker for u in own]),
        splits=np.array([u.split for u in own]),
        extractor=np.array(entry.spec.name),
        fingerprint=np.array(entry.fingerprint),
        task=np.array(task.name),
    )
    write_output(path, buffer.getvalue())
    rows, dim = embeddings.shape
    return rows, dim
