"""Batches of segments from packs. A batch depends only on its number, so that a run can be resumed."""

from __future__ import annotations

import hashlib
import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import h5py
import numpy as np

from serab_core.plugin import DataError, command
from serab_plugin_byol.pretrain.config import RATE
from serab_plugin_byol.pretrain.data.pack import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

_Batch = TypeVar("_Batch")
_AHEAD = 4  # batches that are prepared while the device works
_ORDER, _CROP = 0, 1  # purposes of a random stream, which are part of its key


class Segments:
    """The clips of packs, mapped into memory.

    Args:
        packs: HDF5 shards that `pack` wrote, or folders of them.

    Raises:
        DataError: there is no pack, or a file is not a pack.
    """

    def __init__(self, packs: Sequence[Path]) -> None:
        paths = [shard for path in packs for shard in (sorted(path.glob("pack-*.h5")) if path.is_dir() else [path])]
        if not paths:
            raise DataError("holds no pack", where=", ".join(map(str, packs)), next_step=_make_pack())
        self._maps = [_mapped(path) for path in paths]
        self._shard = np.concatenate([np.full(len(starts) - 1, n) for n, (_, starts) in enumerate(self._maps)])
        self._start = np.concatenate([starts[:-1] for _, starts in self._maps])
        self._length = np.concatenate([np.diff(starts) for _, starts in self._maps])

    def __len__(self) -> int:
        return len(self._start)

    @property
    def digest(self) -> str:
        """sha256 of the lengths of all clips and 16 samples from the middle of each: a quick digest of the data."""
        checksum = hashlib.sha256(self._length.tobytes())
        for shard, start, length in zip(self._shard, self._start, self._length, strict=True):
            checksum.update(self._maps[shard][0][start + length // 2 : start + length // 2 + 16].tobytes())
        return checksum.hexdigest()

    @property
    def seconds(self) -> float:
        """Length of the audio, in seconds."""
        return float(self._length.sum()) / RATE

    def batch(self, clips: NDArray[np.int64], at: NDArray[np.float64], unit: int) -> NDArray[np.int16]:
        """Return one segment of each clip.

        Args:
            clips: indices of clips.
            at: position of the segment in the clip, from 0 (beginning) to 1 (end).
            unit: samples of a segment; a shorter clip is centred between zeros.

        Returns:
            int16, shape (len(clips), unit).
        """
        out = np.zeros((len(clips), unit), np.int16)
        room = np.maximum(self._length[clips] - unit, 0)
        begins = self._start[clips] + np.minimum((at * (room + 1)).astype(np.int64), room)
        lengths = np.minimum(self._length[clips], unit)
        lefts = (unit - lengths) // 2
        for row, (shard, begin, length, left) in enumerate(
            zip(self._shard[clips], begins, lengths, lefts, strict=True)
        ):
            out[row, left : left + length] = self._maps[shard][0][begin : begin + length]
        return out


class Draw:
    """Order of the segments: random permutations of all clips, one after the other.

    Args:
        clips: number of clips.
        batch: segments of a batch, over all ranks.
        rank, world: rank of this process, and number of processes.
        random_crop: whether a segment starts at a random position of its clip, or at the beginning.
        seed: seed of order and positions.
    """

    def __init__(self, clips: int, batch: int, *, rank: int, world: int, random_crop: bool, seed: int) -> None:
        self._clips, self._batch, self._rank, self._world = clips, batch, rank, world
        self._random_crop, self._seed = random_crop, seed
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def of(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the clips of batch `number` and the positions in them, the arguments of `Segments.batch`."""
        begin = number * self._batch
        places = np.arange(begin, begin + self._batch)[self._rank :: self._world]
        clips = np.array([self._permutation(int(p) // self._clips)[int(p) % self._clips] for p in places], np.int64)
        stream = np.random.Generator(np.random.Philox(key=[self._seed, 2 * number + _CROP]))
        at = stream.random(self._batch)[self._rank :: self._world] if self._random_crop else np.zeros(len(places))
        return clips, at

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        if self._order[0] != epoch:
            stream = np.random.Generator(np.random.Philox(key=[self._seed, 2 * epoch + _ORDER]))
            self._order = epoch, stream.permutation(self._clips)
        return self._order[1]


class Ahead(Generic[_Batch]):
    """Iterator that prepares batches in a thread while the device works, and measures the time spent waiting.

    Args:
        make: returns batch `number`.
        first: number of the first batch.
        last: number after the last batch.
    """

    def __init__(self, make: Callable[[int], _Batch], first: int, last: int) -> None:
        self._make, self._first, self._last = make, first, last
        self.waited_s = 0.0

    def __iter__(self) -> Iterator[_Batch]:
        ready: queue.Queue[_Batch | BaseException] = queue.Queue(_AHEAD)
        stop = threading.Event()

        def work() -> None:
            for number in range(self._first, self._last):
                try:
                    item: _Batch | BaseException = self._make(number)
                except BaseException as error:
                    item = error
                while not stop.is_set():
                    try:
                        ready.put(item, timeout=0.1)
                        break
                    except queue.Full:
                        continue
                if stop.is_set() or isinstance(item, BaseException):
                    return

        threading.Thread(target=work, daemon=True, name="segments").start()
        try:
            for _ in range(self._first, self._last):
                begin = time.perf_counter()
                item = ready.get()
                self.waited_s += time.perf_counter() - begin
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()


def _make_pack() -> str:
    return f"make one with {command('pretrain pack', 'FOLDER')}"


def _mapped(path: Path) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("schema") != SCHEMA:
                raise DataError("is not a pack", where=path, next_step=_make_pack())
            samples = file["samples"]
            offset, length = samples.id.get_offset(), len(samples)
            starts = file["starts"][:]
    except (OSError, KeyError) as error:
        raise DataError(f"cannot be read ({error})", where=path, next_step="pack the audio again") from error
    if offset is None or not length:
        return np.empty(0, np.int16), starts
    return np.memmap(path, np.int16, "r", offset, (length,)), starts
