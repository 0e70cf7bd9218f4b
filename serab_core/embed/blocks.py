"""Cuts a task into blocks of utterances, each of which is one shard of the cache."""

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

SHARD_UTTERANCES = 32
"""Utterances a shard: small enough that a killed run repeats little, large enough that files stay few."""
MAX_BLOCKS = 512
"""Of a task; a larger one has larger shards."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some of a task's utterances, and the shard that holds their embeddings."""

    utterances: tuple[Utterance, ...]
    shard: Shard

    @property
    def digests(self) -> tuple[str, ...]:
        """sha256 of each utterance's samples."""
        return tuple(u.sha256 for u in self.utterances)


def folder_for(home: Home, fingerprint_digest: str) -> Path:
    """Where the shards of one fingerprint are kept."""
    return home.embeddings / fingerprint_digest[:32]


def cut_blocks(home: Home, task: Task, fingerprint_digest: str, state: CorpusState | None) -> tuple[Block, ...]:
    """The task's blocks, in order of utterance id. A shard's name follows from samples and corpus statistics alone."""
    folder = folder_for(home, fingerprint_digest)
    blocks = []
    size = max(SHARD_UTTERANCES, -(-len(task.utterances) // MAX_BLOCKS))
    for start in range(0, len(task.utterances), size):
        utterances = task.utterances[start : start + size]
        key = digest([[u.sha256 for u in utterances], dict(state) if state is not None else None])
        blocks.append(Block(utterances, Shard(folder, key[:32])))
    return tuple(blocks)


def is_done(block: Block) -> bool:
    """Whether the block's shard was written."""
    return exists(block.shard)


def read_blocks(blocks: tuple[Block, ...]) -> Embeddings:
    """The embeddings of all blocks, one row an utterance. Raises StoreError for a damaged shard."""
    return np.concatenate([read_shard(block.shard, block.digests) for block in blocks])
