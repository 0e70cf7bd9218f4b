"""Log-mels of one or many waveforms, computed by the compiled kernels."""

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

STRETCH = 768  # frames of one job: several blocks, but short enough that a long waveform is spread over all threads
_BLOCK = 1 << 21  # floats of one block of memory for results: 8 MiB
_GROUP = 4  # jobs that a thread fetches at a time
_thread_local = threading.local()  # the scratch memory of each thread


def log_mel(samples: ArrayLike, spec: LogMelSpec = SERAB) -> NDArray[np.float32]:
    """Compute the log-mel of a waveform.

    Args:
        samples: mono, 1-D floats at `spec.rate` Hz. With a centred specification, a waveform that is too short for
            reflection is padded with zeros to half a frame; otherwise, one shorter than the window has no frames.
        spec: the specification.

    Returns:
        float32, shape (n_mels, frames) or (frames, n_mels), as `spec.mels_first` says.

    Raises:
        AudioError: the waveform is not 1-D, is empty, has integers, or has samples that are not finite.
        UsageError: `spec.n_fft` is not a power of two from 256 to 4096.
    """
    return log_mels([samples], spec)[0]


def log_mels(
    waveforms: Sequence[ArrayLike], spec: LogMelSpec = SERAB, *, threads: int | None = 1
) -> list[NDArray[np.float32]]:
    """Compute the log-mels of waveforms of any lengths; the bits do not depend on threads, batch size or order.

    Args:
        waveforms: see `samples` of `log_mel`.
        spec: the specification.
        threads: None for one per core. `NUMBA_NUM_THREADS` is an upper limit; serab's worker processes set it, so that
            they do not compete for cores.

    Raises:
        AudioError: a waveform cannot be used; the error names it. No result is returned for the other waveforms.
        UsageError: see `log_mel`; or `threads` is below 1.
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

    workers = min(_limit() if threads is None else min(threads, _limit()), -(-len(jobs) // _GROUP))
    if workers <= 1:
        work(max(1, len(jobs)))
    else:
        for future in [_pool(os.getpid(), workers).submit(work, _GROUP) for _ in range(workers)]:
            future.result()
    return results


def warm() -> None:
    """Compile the kernels, or load them. A parent process does so before it starts worker processes."""
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
    """Return a pool of threads that keep their scratch memory. A forked child has no threads, so it gets a new pool."""
    return ThreadPoolExecutor(threads, thread_name_prefix="serab-log-mel")


def _limit() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, int(os.environ.get("NUMBA_NUM_THREADS") or cores))


def _signal(samples: ArrayLike, number: int, spec: LogMelSpec) -> tuple[Waveform, int]:
    """Return the waveform as the kernels expect it, and its length before padding."""
    array = np.asarray(samples)
    if array.ndim != 1 or not array.size:
        raise AudioError(f"has shape {array.shape}; a 1-D array that is not empty was expected", where=_name(number))
    if array.dtype.kind != "f":
        raise AudioError(
            f"has samples of type {array.dtype}", where=_name(number), next_step="scale them to float32, -1 to 1"
        )
    signal: Waveform = np.ascontiguousarray(array, np.float32)
    short = spec.n_fft // 2 + 1 - len(signal) if spec.centred else 0
    if short > 0:
        signal = np.pad(signal, (0, short))
    return signal, len(array)


def _results(shapes: Sequence[tuple[int, int]]) -> tuple[list[NDArray[np.float32]], list[int]]:
    """Return arrays for the results, and their addresses.

    Several arrays share a block of memory, because large blocks use large pages, which cause fewer page faults.
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
    """Return the jobs for the kernels, one stretch of frames each, and the number of the waveform of each job."""
    flat: list[int] = []
    owners: list[int] = []
    for number, ((signal, length), out) in enumerate(zip(signals, addresses, strict=True)):
        total, source = spec.frames(length), signal.ctypes.data
        for begin in range(0, total, STRETCH):
            flat += (source, len(signal), begin, min(begin + STRETCH, total), total, out)
            owners.append(number)
    return np.fromiter(flat, np.int64, len(flat)).reshape(-1, 6), owners


def _scratch(spec: LogMelSpec, tables: Any) -> NDArray[np.uint8]:
    """Return the scratch memory of this thread, which is reused while the specification stays the same."""
    if getattr(_thread_local, "spec", None) != spec:
        _thread_local.spec, _thread_local.memory = spec, tables.scratch()
    memory: NDArray[np.uint8] = _thread_local.memory
    return memory


def _not_finite(samples: ArrayLike, number: int) -> AudioError:
    bad = np.flatnonzero(~np.isfinite(np.asarray(samples, np.float32)))
    if not bad.size:
        return AudioError("is so loud that its spectrum exceeds float32", where=_name(number))
    return AudioError(f"has {len(bad)} samples that are not finite, the first at {bad[0]}", where=_name(number))


def _name(number: int) -> str:
    return f"waveform {number}"
