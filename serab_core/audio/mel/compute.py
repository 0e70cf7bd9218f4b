"""Log-mels of one waveform or of many, by the compiled kernels."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core.audio.mel.spec import SERAB
from serab_core.errors import AudioError, UsageError
from serab_core.system.timing import timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from serab_core.audio.mel.spec import LogMelSpec
    from serab_core.types import Waveform

STRETCH = 768
"""Frames of one job: enough for several blocks, few enough that a long waveform keeps all threads busy to its end."""
_BLOCK = 1 << 21  # floats
_GROUP = 4  # jobs that a thread takes at a time
_own = threading.local()


def log_mel(samples: ArrayLike, spec: LogMelSpec = SERAB) -> NDArray[np.float32]:
    """The log-mel of a waveform.

    Args:
        samples: mono, 1-D floats at `spec.rate` Hz. With a centred specification, what is too short to be reflected is
            continued with zeros to half a frame; without, what is shorter than the window has no frames.
        spec: the definition.

    Returns:
        float32, shape (n_mels, frames) or (frames, n_mels), as `spec.mels_first` says.

    Raises:
        AudioError: the waveform is not 1-D, is empty, has integers, or has samples that are no finite numbers.
        UsageError: `spec.n_fft` is no power of two from 256 to 4096.
    """
    return log_mels([samples], spec)[0]


def log_mels(
    waveforms: Sequence[ArrayLike], spec: LogMelSpec = SERAB, *, threads: int | None = 1
) -> list[NDArray[np.float32]]:
    """The log-mels of waveforms of any lengths; the same bits for any number of threads, batch and order.

    Args:
        waveforms: as `log_mel` takes them.
        spec: the definition.
        threads: None for as many as there are cores; never more than `NUMBA_NUM_THREADS`, which serab's worker
            processes set, so that they do not fight for cores.

    Raises:
        AudioError: a waveform cannot be used; says which. The waveforms before it cost their time, nothing is kept.
        UsageError: as `log_mel`, or `threads` is below 1.
    """
    if threads is not None and threads < 1:
        raise UsageError(f"threads is {threads}", next_step="give 1 or more, or None for all cores")
    with timed("features"):
        return _log_mels(waveforms, spec, threads)


def _log_mels(waveforms: Sequence[ArrayLike], spec: LogMelSpec, threads: int | None) -> list[NDArray[np.float32]]:
    signals = [_signal(samples, number, spec) for number, samples in enumerate(waveforms)]
    kernels, tables = _kernels(spec)
    results, addresses = _results([spec.shape(length) for _, length in signals])
    jobs, owners = _jobs(signals, addresses, spec)
    groups = count()

    def work(step: int) -> None:
        scratch = _scratch(spec, tables)
        while (begin := next(groups) * step) < len(jobs):
            end = min(begin + step, len(jobs))
            bad = kernels.stretches(
                jobs, begin, end, tables.ints, tables.floats.ctypes.data, scratch.ctypes.data, tables.places
            )
            if bad >= 0:
                raise _not_finite(waveforms[owners[bad]], owners[bad])

    wanted = min(_limit() if threads is None else min(threads, _limit()), -(-len(jobs) // _GROUP))
    if wanted <= 1:
        work(max(1, len(jobs)))
    else:
        for done in [_pool(os.getpid(), wanted).submit(work, _GROUP) for _ in range(wanted)]:
            done.result()
    return results


def warm() -> None:
    """Compiles the kernels or loads them; a parent does so before it starts worker processes."""
    with timed("start"):
        from serab_core.audio.mel.family import KERNELS

        with KERNELS.compiling():
            from serab_core.audio.mel import kernels  # noqa: F401


@cache
def _kernels(spec: LogMelSpec) -> tuple[Any, Any]:
    warm()
    from serab_core.audio.mel import kernels
    from serab_core.audio.mel.tables import make_tables

    return kernels, make_tables(spec)


@cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    """Threads that stay, with their scratch; a forked child, which has none of them, makes its own."""
    return ThreadPoolExecutor(threads, thread_name_prefix="serab-log-mel")


def _limit() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(os.environ.get("NUMBA_NUM_THREADS") or cores))


def _signal(samples: ArrayLike, number: int, spec: LogMelSpec) -> tuple[Waveform, int]:
    """The waveform as the kernels want it, and its own length."""
    given = np.asarray(samples)
    if given.ndim != 1 or not given.size:
        raise AudioError(f"has shape {given.shape}; one that is 1-D and not empty was expected", where=_name(number))
    if given.dtype.kind != "f":
        raise AudioError(
            f"has samples of type {given.dtype}", where=_name(number), next_step="scale them to float32, -1 to 1"
        )
    signal: Waveform = np.ascontiguousarray(given, np.float32)
    short = spec.n_fft // 2 + 1 - len(signal) if spec.centred else 0
    if short > 0:
        signal = np.pad(signal, (0, short))
    return signal, len(given)


def _results(shapes: Sequence[tuple[int, int]]) -> tuple[list[NDArray[np.float32]], list[int]]:
    """Arrays for the results, and their addresses.

    Several share a block of memory: large blocks come in large pages, of which fewer have to be faulted in.
    """
    results: list[NDArray[np.float32]] = []
    addresses: list[int] = []
    sizes = [rows * columns for rows, columns in shapes]
    begin = 0
    while begin < len(sizes):
        end, room = begin + 1, sizes[begin]
        while end < len(sizes) and room + sizes[end] <= _BLOCK:
            room += sizes[end]
            end += 1
        block = np.empty(room, np.float32)
        address, start = block.ctypes.data, 0
        for size, shape in zip(sizes[begin:end], shapes[begin:end], strict=True):
            results.append(block[start : start + size].reshape(shape))
            addresses.append(address + 4 * start)
            start += size
        begin = end
    return results, addresses


def _jobs(
    signals: Sequence[tuple[Waveform, int]], addresses: Sequence[int], spec: LogMelSpec
) -> tuple[NDArray[np.int64], list[int]]:
    """Stretches of frames as the kernels take them, and the waveform that each belongs to."""
    flat: list[int] = []
    owners: list[int] = []
    for number, ((signal, length), out) in enumerate(zip(signals, addresses, strict=True)):
        total, source = spec.frames(length), signal.ctypes.data
        for begin in range(0, total, STRETCH):
            flat += (source, len(signal), begin, min(begin + STRETCH, total), total, out)
            owners.append(number)
    return np.fromiter(flat, np.int64, len(flat)).reshape(-1, 6), owners


def _scratch(spec: LogMelSpec, tables: Any) -> NDArray[np.uint8]:
    """This thread's memory; that of the last specification is kept."""
    if getattr(_own, "spec", None) != spec:
        _own.spec, _own.memory = spec, tables.scratch()
    memory: NDArray[np.uint8] = _own.memory
    return memory


def _not_finite(samples: ArrayLike, number: int) -> AudioError:
    bad = np.flatnonzero(~np.isfinite(np.asarray(samples, np.float32)))
    if not bad.size:
        return AudioError("is so loud that its spectrum is beyond float32", where=_name(number))
    return AudioError(f"has {len(bad)} samples that are no finite numbers, first at {bad[0]}", where=_name(number))


def _name(number: int) -> str:
    return f"waveform {number}"
