"""Packs: decoded and resampled audio as 16-bit samples in HDF5 shards, which training maps into memory."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from serab_core.plugin import (
    AudioError,
    DataError,
    decode,
    digest,
    replacing,
    resample,
    store_error,
    sweep,
    worker_context,
)
from serab_plugin_byol.pretrain.config import RATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from serab_core.plugin import Progress

SCHEMA = "serab.pack/1"
SHARD_SAMPLES = 1 << 27  # minimum samples of every shard but the last: 256 MiB, 2.3 hours
_FILES_PER_JOB = 16  # files that a process decodes per job, so that jobs are not too small


@dataclass(frozen=True, slots=True)
class Packed:
    """Result of packing.

    Attributes:
        shards: paths of the shards.
        clips: number of clips.
        seconds: length of the audio.
        skipped: path and reason of each file that was left out.
    """

    shards: tuple[Path, ...]
    clips: int
    seconds: float
    skipped: tuple[tuple[str, str], ...]


def pack(
    files: Sequence[Path], folder: Path, progress: Progress, *, jobs: int = 1, shard_samples: int = SHARD_SAMPLES
) -> Packed:
    """Decode files into shards. An interrupted pack of the same files is resumed after its last complete shard.

    Args:
        files: audio files. Files that are empty or cannot be decoded are left out and reported.
        folder: folder of the shards, `pack-00000.h5` and so on.
        progress: shows the number of packed files.
        jobs: number of processes that decode.
        shard_samples: minimum samples of a shard.

    Raises:
        DataError: the folder holds a pack of other files, or nothing can be decoded.
        StoreError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_error(error, folder) from error
    sweep(folder)
    identity = digest([str(path) for path in files])
    consumed, clips, seconds, skipped, shards = 0, 0, 0.0, [], []
    for path in sorted(folder.glob("pack-*.h5")):
        with h5py.File(path, "r") as file:
            if file.attrs.get("files") != identity:
                raise DataError(
                    "holds a pack of other files", where=path, next_step="use another folder, or delete this one"
                )
            consumed += int(file.attrs["consumed"])
            clips += len(file["starts"]) - 1
            seconds += float(file["starts"][-1]) / RATE
            skipped += [tuple(pair) for pair in zip(*(file[k].asstr()[:] for k in ("skipped", "reasons")), strict=True)]
        shards.append(path)
    shard = _Shard()
    with progress.task("Packing", len(files)) as advance:
        advance(consumed)
        for path, samples, reason in _decoded(files[consumed:], jobs):
            shard.add(path, samples, reason)
            advance(1)
            if shard.samples >= shard_samples:
                shards.append(shard.write(folder, len(shards), identity))
                clips, seconds = clips + len(shard.names), seconds + shard.samples / RATE
                skipped += shard.skipped
                shard = _Shard()
    if shard.names or shard.skipped:
        shards.append(shard.write(folder, len(shards), identity))
        clips, seconds = clips + len(shard.names), seconds + shard.samples / RATE
        skipped += shard.skipped
    if not clips:
        reason = f": {skipped[0][0]} {skipped[0][1]}" if skipped else ""
        raise DataError(f"none of {len(files)} files could be packed{reason}", where=folder)
    return Packed(tuple(shards), clips, seconds, tuple(skipped))


class _Shard:
    """The contents of the next shard."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.clips: list[NDArray[np.int16]] = []
        self.skipped: list[tuple[str, str]] = []
        self.samples = 0

    def add(self, path: Path, samples: NDArray[np.int16] | None, reason: str) -> None:
        if samples is None:
            self.skipped.append((str(path), reason))
            return
        self.names.append(str(path))
        self.clips.append(samples)
        self.samples += len(samples)

    def write(self, folder: Path, number: int, identity: str) -> Path:
        path = folder / f"pack-{number:05d}.h5"
        text = h5py.string_dtype()
        with replacing(path) as temporary, h5py.File(temporary, "w", libver="latest") as file:
            file.attrs.update(schema=SCHEMA, rate=RATE, files=identity, consumed=len(self.names) + len(self.skipped))
            # A dataset without chunks or compression is contiguous, so it can be mapped into memory.
            flat = file.create_dataset("samples", (self.samples,), np.int16)
            at = 0
            for clip in self.clips:
                flat[at : at + len(clip)] = clip
                at += len(clip)
            file["starts"] = np.cumsum([0, *map(len, self.clips)], dtype=np.int64)
            file.create_dataset("names", data=self.names, dtype=text)
            file.create_dataset("skipped", data=[name for name, _ in self.skipped], dtype=text)
            file.create_dataset("reasons", data=[reason for _, reason in self.skipped], dtype=text)
        return path


def _decoded(files: Sequence[Path], jobs: int) -> Iterator[tuple[Path, NDArray[np.int16] | None, str]]:
    """Yield the samples of each file, in order. With several processes, only a few jobs are queued ahead."""
    if jobs <= 1 or len(files) < 2 * _FILES_PER_JOB:
        for path in files:
            yield (path, *_decode(path))
        return
    groups = [files[begin : begin + _FILES_PER_JOB] for begin in range(0, len(files), _FILES_PER_JOB)]
    with ProcessPoolExecutor(jobs, worker_context()) as pool:
        remaining = iter(groups)
        waiting = deque((group, pool.submit(_decode_all, group)) for group in islice(remaining, 2 * jobs))
        while waiting:
            group, future = waiting.popleft()
            for path, result in zip(group, future.result(), strict=True):
                yield (path, *result)
            waiting.extend((group, pool.submit(_decode_all, group)) for group in islice(remaining, 1))


def _decode_all(files: Sequence[Path]) -> list[tuple[NDArray[np.int16] | None, str]]:
    return [_decode(path) for path in files]


def _decode(path: Path) -> tuple[NDArray[np.int16] | None, str]:
    try:
        decoded = decode(path, str(path))
    except AudioError as error:
        return None, error.what
    samples = resample(decoded.samples, decoded.rate, RATE)
    return np.round(np.clip(samples, -1.0, 32767 / 32768) * 32768).astype(np.int16), ""
