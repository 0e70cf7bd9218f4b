"""Immutable HDF5 shards of embeddings, named by their content, with size and sha256 in a separate manifest.

A shard is complete once its manifest exists. Reading checks the file against the manifest before HDF5 opens it. A
shard that does not match is quarantined (renamed to `*.bad-<time>`) and reported, and the caller computes it again.
"""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import h5py
import msgspec
import numpy as np

from serab_core.errors import ContentError, store_error
from serab_core.store import codec
from serab_core.store.atomic import write_bytes
from serab_core.store.jsonio import write_json
from serab_core.store.reading import file_exists

if TYPE_CHECKING:
    from pathlib import Path

    from serab_core.types import Embeddings

SCHEMA = "serab.shard/1"


class ManifestDocument(msgspec.Struct, frozen=True):
    """The manifest of a shard.

    Attributes:
        sha256, size: of the HDF5 file.
        rows, dim: the shape of the embeddings.
        provenance: the fingerprint and other facts that the embeddings were computed with.
    """

    schema: Literal["serab.shard/1"]
    sha256: str
    size: int
    rows: int
    dim: int
    provenance: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shard:
    """The place of a shard: the folder of its fingerprint, and a name from the digests of the utterances."""

    folder: Path
    key: str

    @property
    def path(self) -> Path:
        """The HDF5 file."""
        return self.folder / f"{self.key}.h5"

    @property
    def manifest(self) -> Path:
        """The JSON file with the size and sha256 of the HDF5 file."""
        return self.folder / f"{self.key}.json"


def exists(shard: Shard) -> bool:
    """Return whether the shard was written completely, without a check of its content. Raises StoreError."""
    return file_exists(shard.manifest) and file_exists(shard.path)


def write_shard(shard: Shard, embeddings: Embeddings, utterances: tuple[str, ...], provenance: dict[str, Any]) -> None:
    """Write a shard and then its manifest.

    Args:
        embeddings: float32, shape (n, dim).
        utterances: sha256 of each utterance's samples, length n.
        provenance: what the embeddings were computed with; it is written into the manifest.

    Raises:
        StoreError: the folder cannot be written or the disk is full.
    """
    # Built in memory, so that the disk gets one write of complete bytes, and equal content gives equal bytes.
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
        # HDF5 places a dataset when its last reference is released, and a profiler's thread may hold one for longer.
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


def read_manifest(shard: Shard) -> ManifestDocument:
    """Return the manifest of a shard. Raises StoreError."""
    return codec.read(shard.manifest, ManifestDocument)


def check_shard(shard: Shard) -> bytes:
    """Return the content of a shard, checked against its manifest; HDF5 may loop forever over a damaged file.

    Raises:
        StoreError: it cannot be read, or its manifest is missing.
        ContentError: it is damaged, or it is missing and its manifest exists.
    """
    try:
        manifest = read_manifest(shard)
    except ContentError as error:
        raise ContentError("has a damaged manifest, or one of another version", where=shard.path) from error
    try:
        content = shard.path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError) and file_exists(shard.manifest):
            raise ContentError("is missing, and its manifest exists", where=shard.path) from error
        raise store_error(error, shard.path, "read") from error
    if len(content) != manifest.size or hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ContentError("does not match its manifest", where=shard.path)
    return content


def shard_digest(shard: Shard) -> str:
    """Return a digest of the content of a shard, from its manifest; "" if the manifest cannot be read."""
    try:
        return hashlib.sha256(shard.manifest.read_bytes()).hexdigest()
    except OSError:
        return ""


def read_shard(shard: Shard, utterances: tuple[str, ...]) -> Embeddings:
    """Read a shard that must have these utterances in this order.

    Raises:
        StoreError: it cannot be read.
        ContentError: it is damaged or has other utterances. It is quarantined first.
    """
    embeddings, names = shard_rows(shard)
    if names != utterances:
        raise _damaged(shard, "has other utterances than its name says")
    return embeddings


def shard_rows(shard: Shard) -> tuple[Embeddings, tuple[str, ...]]:
    """Read a shard: its embeddings, shape (n, dim), and the sha256 of each utterance's samples.

    Raises:
        StoreError: it is missing or damaged. A damaged shard is quarantined first.
    """
    try:
        content = check_shard(shard)
    except ContentError as error:
        raise _damaged(shard, error.what) from error
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            return file["embeddings"][...], tuple(name.decode() for name in file["utterances"][...])
    except (OSError, KeyError, RuntimeError) as error:
        raise _damaged(shard, "is not a shard of embeddings") from error


def _damaged(shard: Shard, problem: str) -> ContentError:
    quarantine(shard)
    return ContentError(problem, where=shard.path, next_step="serab renamed it to *.bad-<time> and computes it again")


def quarantine(shard: Shard) -> None:
    """Rename a damaged shard and its manifest, so that they can still be examined. Raises StoreError."""
    for path in (shard.manifest, shard.path):
        move_aside(path)


def move_aside(path: Path) -> None:
    """Rename a damaged file to `*.bad-<time>`; a file that was deleted meanwhile is ignored.

    Raises:
        StoreError: this user may not rename it.
    """
    try:
        path.rename(path.with_name(f"{path.name}.bad-{time.strftime('%Y%m%dT%H%M%S')}"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise store_error(error, path, "set aside, and it is damaged") from error
