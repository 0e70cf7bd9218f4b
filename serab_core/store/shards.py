"""Immutable HDF5 shards of embeddings, named by what they hold, with size and sha256 in a manifest outside.

A shard counts once its manifest is there. Reading checks the manifest before HDF5 sees the file; a shard that does
not match is renamed to `*.bad-<time>` and reported, and the caller computes it again.
"""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from serab_core.errors import ContentError, store_error
from serab_core.store.atomic import write_bytes
from serab_core.store.jsonio import read_json, write_json
from serab_core.store.reading import file_exists

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.types import Embeddings

SCHEMA = "serab.shard/1"


@dataclass(frozen=True, slots=True)
class Shard:
    """Where a shard is kept: a folder a fingerprint, a name from the utterances' digests."""

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The HDF5 file."""
        return self.folder / f"{self.key}.h5"

    @property
    def manifest(self) -> Path:
        """The JSON file that says what the HDF5 file must be."""
        return self.folder / f"{self.key}.json"


def exists(shard: Shard) -> bool:
    """Whether the shard was written to its end. Does not check its content. Raises StoreError."""
    return file_exists(shard.manifest) and file_exists(shard.path)


def write_shard(shard: Shard, embeddings: Embeddings, utterances: tuple[str, ...], provenance: dict[str, Any]) -> None:
    """Writes a shard and then its manifest.

    Args:
        embeddings: float32, shape (n, dim).
        utterances: sha256 of each utterance's samples, length n.
        provenance: what the shard was made with; goes into the manifest.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    # Built in memory: the disk then sees one write of finished bytes, and equal content gives equal bytes.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["schema"] = SCHEMA
        rows = max(1, min(len(embeddings), 2**18 // max(1, embeddings.shape[1] * 4)))
        file.create_dataset(
            "embeddings",
            data=np.ascontiguousarray(embeddings, dtype=np.float32),
            chunks=(rows, embeddings.shape[1]),
            fletcher32=True,
            track_times=False,
        )
        # HDF5 places a dataset when its last reference goes, and a profiler's thread may hold one a while longer.
        file.flush()
        file.create_dataset("utterances", data=np.array(utterances, dtype="S64"), track_times=False)
    content = buffer.getvalue()
    write_bytes(shard.path, content)
    write_json(
        shard.manifest,
        {
            "schema": SCHEMA,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "rows": len(embeddings),
            "dim": embeddings.shape[1],
            "provenance": provenance,
        },
    )


def check_shard(shard: Shard) -> bytes:
    """The shard's file, held against its manifest; HDF5 does not see one that is damaged, which it may spin over.

    Raises:
        StoreError: it cannot be read, or its manifest is missing.
        ContentError: it is damaged, or missing while its manifest is there.
    """
    try:
        manifest = read_json(shard.manifest, SCHEMA)
    except ContentError as error:
        raise ContentError("has a damaged manifest, or one of another version", where=shard.path) from error
    try:
        content = shard.path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and file_exists(shard.manifest):
            raise ContentError("is gone, and its manifest is there", where=shard.path) from error
        raise store_error(error, shard.path, "read") from error
    if len(content) != manifest.get("size") or hashlib.sha256(content).hexdigest() != manifest.get("sha256"):
        raise ContentError("does not match its manifest", where=shard.path)
    return content


def read_shard(shard: Shard, utterances: tuple[str, ...]) -> Embeddings:
    """Reads a shard that must hold these utterances in this order.

    Raises:
        StoreError: it cannot be read.
        ContentError: it is damaged or holds something else. It is set aside first.
    """
    embeddings, names = shard_rows(shard)
    if names != utterances:
        raise _damaged(shard, "holds other utterances than its name says")
    return embeddings


def shard_rows(shard: Shard) -> tuple[Embeddings, tuple[str, ...]]:
    """Read a shard: its embeddings, shape (n, dim), and the sha256 of each utterance's samples.

    Raises:
        StoreError: it is missing or damaged. Damage is quarantined first.
    """
    try:
        content = check_shard(shard)
    except ContentError as error:
        raise _damaged(shard, error.what) from error
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return file["embeddings"][...], tuple(name.decode() for name in file["utterances"][...])
    except (OSError, KeyError, RuntimeError) as error:
        raise _damaged(shard, "is no shard of embeddings") from error


def _damaged(shard: Shard, problem: str) -> ContentError:
    quarantine(shard)
    return ContentError(
        problem, where=shard.path, next_step="it was set aside as *.bad-<time> and will be computed again"
    )


def quarantine(shard: Shard) -> None:
    """Rename a shard and its manifest out of the way, keeping them for whoever wants to look. Raises StoreError."""
    for path in (shard.manifest, shard.path):
        move_aside(path)


def move_aside(path: Path) -> None:
    """Rename a damaged file to `*.bad-<time>`; one that is gone meanwhile is no matter.

    Raises:
        StoreError: it is damaged, and this user may not rename it.
    """
    try:
        path.rename(path.with_name(f"{path.name}.bad-{time.strftime('%Y%m%dT%H%M%S')}"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise store_error(error, path, "set aside, and it is damaged") from error
