"""Divides a task into blocks of utterances; each block is one shard of the cache."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from serab_core.store.jsonio import digest
from serab_core.store.shards import Shard, exists, read_shard

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import CorpusState, Embeddings, Task, Utterance

SHARD_UTTERANCES = 32  # utterances per shard; a killed run repeats at most one shard per worker, and files stay few
MAX_BLOCKS = 512  # blocks per task; a larger task has larger shards


@dataclass(frozen=True, slots=True)
class Block:
    """Some utterances of a task, and the shard with their embeddings."""

    utterances: tuple[Utterance, ...]
    shard: Shard

    @property
    def digests(self) -> tuple[str, ...]:
        """sha256 of each utterance's samples."""
        return tuple(u.sha256 for u in self.utterances)


def folder_for(home: Home, fingerprint_digest: str) -> Path:
    """Return the folder of the shards with one fingerprint."""
    return home.embeddings / fingerprint_digest[:32]


def cut_blocks(home: Home, task: Task, fingerprint_digest: str, state: CorpusState | None) -> tuple[Block, ...]:
    """Return the task's blocks, in order of utterance id. Only samples and statistics determine a shard's name."""
    folder = folder_for(home, fingerprint_digest)
    blocks = []
    size = max(SHARD_UTTERANCES, -(-len(task.utterances) // MAX_BLOCKS))
    for start in range(0, len(task.utterances), size):
        utterances = task.utterances[start : start + size]
        key = digest([[u.sha256 for u in utterances], dict(state) if state is not None else None])
        blocks.append(Block(utterances, Shard(folder, key[:32])))
    return tuple(blocks)


def is_done(block: Block) -> bool:
    """Return whether the block's shard was written."""
    return exists(block.shard)


def read_blocks(blocks: tuple[Block, ...]) -> Embeddings:
    """Return the embeddings of all blocks, one row per utterance. Raises StoreError for a damaged shard."""
    return np.concatenate([read_shard(block.shard, block.digests) for block in blocks])
