"""Embeds blocks of utterances: decodes and resamples audio, calls the extractor, checks and stores its embeddings."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from serab_core import plugins
from serab_core.embed.fingerprint import fingerprint
from serab_core.errors import DataError, ExtractorError, SerabError
from serab_core.isolation.messages import DiedError, RemoteError
from serab_core.store.jsonio import digest
from serab_core.store.shards import read_shard, write_shard
from serab_core.system.session import current_session
from serab_core.system.timing import timed
from serab_core.types import CorpusExtractor, WarmExtractor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from serab_core.embed.blocks import Block
    from serab_core.types import CorpusState, Embeddings, Extractor, ExtractorSpec, Utterance, Waveform


def load_waveform(utterance: Utterance, rate: int) -> Waveform:
    """Return the utterance's samples at `rate` Hz.

    Raises:
        AudioError: the file cannot be decoded any more.
        DataError: the samples have changed since the corpus was prepared.
    """
    from serab_core.audio.decode import decode  # imported here, because a run with cached embeddings decodes nothing
    from serab_core.audio.resample import resample

    with timed("decode"):
        decoded = decode(Path(utterance.path), utterance.path)
        sha256 = decoded.sha256
    if sha256 != utterance.sha256:
        raise DataError(
            "has changed since its corpus was prepared",
            where=utterance.path,
            next_step="restore the original file, or prepare the corpus again",
        )
    with timed("resample"):
        return resample(decoded.samples, decoded.rate, rate)


@dataclass(frozen=True, slots=True)
class Throughput:
    """Seconds of audio that a process embedded, the time that it took in seconds, and the id of the process."""

    audio: float = 0.0
    seconds: float = 0.0
    process: int = 0


MAX_EXTRACTORS = 2  # extractors that a session keeps in memory
REPEATED_UTTERANCES = 4  # utterances that are embedded twice before a new fingerprint is trusted
_begun: set[str] = set()
"""Names of the extractors that have embedded a batch in this process."""


def embed_block(
    name: str, expected_digest: str, block: Block, state: CorpusState | None, advance: Callable[[int], None]
) -> Throughput:
    """Embed one block and write its shard.

    Args:
        name: the extractor, as the registry knows it.
        expected_digest: digest of the fingerprint that the shard's folder belongs to.
        block: the block to embed.
        state: the corpus statistics, for an extractor that uses them.
        advance: receives the number of utterances that were embedded.

    Returns:
        the throughput; the first batch of a process, which loads the model, does not count.

    Raises:
        AudioError, DataError: the file of an utterance cannot be used.
        ExtractorError: the extractor raised an error, or its embeddings are not as declared.
        StoreError: the shard cannot be written.
    """
    spec, extractor, identity = _started(name, expected_digest, state)
    rows, audio, seconds = [], 0.0, 0.0
    for batch in _batches(block.utterances, spec.batch_size):
        waveforms = [load_waveform(utterance, spec.sample_rate) for utterance in batch]
        begin = time.perf_counter()
        with timed("embed" if name in _begun else "start"):
            rows.append(_embed_batch(spec, extractor, batch, waveforms))
        if name in _begun:
            audio += sum(len(waveform) for waveform in waveforms) / spec.sample_rate
            seconds += time.perf_counter() - begin
        _begun.add(name)
        advance(len(batch))
    provenance: dict[str, Any] = {"fingerprint": identity, "corpus_state": dict(state) if state is not None else None}
    with timed("store"):
        write_shard(block.shard, np.concatenate(rows), block.digests, provenance)
    return Throughput(audio, seconds, os.getpid())


def repeat_block(
    name: str, expected_digest: str, blocks: Sequence[tuple[Block, int]], state: CorpusState | None
) -> None:
    """Embed a few utterances again and compare them with the stored embeddings.

    A difference shows randomness: weights that are missing from a file and were initialised, or active dropout.

    Args:
        name: the extractor, as the registry knows it.
        expected_digest: digest of its fingerprint.
        blocks: stored blocks, each with the process that computed it; a block of another process is preferred.
        state: the corpus statistics, for an extractor that uses them.

    Raises:
        ExtractorError: the numbers differ by more than the spec's tolerance, or the extractor fails.
        StoreError: the shard cannot be read.
    """
    block = next((block for block, process in blocks if process != os.getpid()), blocks[0][0])
    spec, extractor, _ = _started(name, expected_digest, state)
    batch = block.utterances[: max(1, min(REPEATED_UTTERANCES, spec.batch_size))]
    waveforms = [load_waveform(utterance, spec.sample_rate) for utterance in batch]
    again = _embed_batch(spec, extractor, batch, waveforms)
    before = read_shard(block.shard, block.digests)[: len(batch)]
    differences = largest_difference(before, again)
    worst = int(differences.argmax())
    if differences[worst] > spec.tolerance:
        raise ExtractorError(
            f"gives other numbers when it embeds the same audio again: those of utterance {batch[worst].id} differ by "
            f"{100 * differences[worst]:.3g} % of the largest (allowed: {100 * spec.tolerance:.3g} %)",
            where=spec.name,
            next_step="switch the network to evaluation mode (dropout off), make sure that all its weights are loaded, "
            "and set the seed of random generators",
        )


def largest_difference(before: Embeddings, again: Embeddings) -> NDArray[np.float32]:
    """Return the largest difference between two embeddings of each utterance, relative to its largest number.

    Args:
        before, again: shape (n, dim).

    Returns:
        shape (n,).
    """
    largest = np.maximum(np.abs(before), np.abs(again)).max(axis=1)
    difference: NDArray[np.float32] = np.abs(again - before).max(axis=1) / np.where(largest > 0, largest, 1)
    return difference


def fit_corpus(name: str, train: Sequence[Utterance]) -> CorpusState:
    """Return the statistics that an extractor computes once from a training split.

    Raises:
        ExtractorError: it raised an error, or returned other values than plain numbers.
    """
    spec = plugins.extractor(name)
    with timed("start"):
        extractor = _extractor(name)
    if not isinstance(extractor, CorpusExtractor):
        raise ExtractorError("declares uses_corpus but has no fit_corpus and use_corpus", where=name)
    waveforms = (load_waveform(utterance, spec.sample_rate) for utterance in train)
    with timed("embed"):
        state = _guard(spec, "fit_corpus", extractor.fit_corpus, waveforms)
    try:
        digest(dict(state))
    except (TypeError, ValueError) as error:
        raise ExtractorError(f"fit_corpus must return a mapping of plain numbers ({error})", where=name) from error
    return dict(state)


def warm(name: str) -> None:
    """Load the model of an extractor that supports it. Raises ExtractorError."""
    extractor = _extractor(name)
    if isinstance(extractor, WarmExtractor):
        _guard(plugins.extractor(name), "warm", extractor.warm)


def _started(
    name: str, expected_digest: str, state: CorpusState | None
) -> tuple[ExtractorSpec, Extractor, dict[str, Any]]:
    """Return the spec, the extractor ready to embed, and its fingerprint. Raises ExtractorError."""
    spec = plugins.extractor(name)
    identity = fingerprint(spec)
    if digest(identity) != expected_digest:
        raise ExtractorError(
            "has another version in this worker than in the process that planned the run",
            where=name,
            next_step="give every worker the same environment",
        )
    with timed("start"):
        extractor = _extractor(name)
    if state is not None:
        assert isinstance(extractor, CorpusExtractor)
        _guard(spec, "use_corpus", extractor.use_corpus, state)
    return spec, extractor, identity


def _extractor(name: str) -> Extractor:
    """Return the extractor object. A session creates it once; the most recently used ones stay in memory."""
    built: OrderedDict[str, Extractor] = current_session().cached("extractors", OrderedDict)
    if name not in built:
        spec = plugins.extractor(name)
        built[name] = _guard(spec, "its factory", spec.factory)
    built.move_to_end(name)
    while len(built) > MAX_EXTRACTORS:
        built.popitem(last=False)
    return built[name]


def forget_extractors() -> None:
    """Drop the extractors that this session has created; the next use creates an extractor again."""
    current_session().cached("extractors", OrderedDict).clear()


def _guard(spec: ExtractorSpec, operation: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of the plugin. Its output goes to stderr; its exceptions become ExtractorError."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return call(*arguments)
    except SerabError:
        raise
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()) or "no message"
        message = reason if isinstance(error, RemoteError) else f"{type(error).__name__}: {reason}"
        raise ExtractorError(
            f"{operation}: {reason}" if isinstance(error, DiedError) else f"{operation} raised {message}",
            where=spec.name,
            next_step=plugins.advice(spec.name),
        ) from error


def _embed_batch(
    spec: ExtractorSpec, extractor: Extractor, batch: Sequence[Utterance], waveforms: list[Waveform]
) -> Embeddings:
    operation = f"embed (of {batch[0].id}" + (f" to {batch[-1].id})" if len(batch) > 1 else ")")
    result = _guard(spec, operation, extractor.embed, waveforms)
    wanted = (len(batch), spec.dim)
    if not isinstance(result, np.ndarray) or result.shape != wanted or result.dtype != np.float32:
        returned = f"{result.dtype} {result.shape}" if isinstance(result, np.ndarray) else type(result).__name__
        raise ExtractorError(f"embed returned {returned} instead of float32 {wanted}", where=spec.name)
    result = np.array(result)  # a copy, because the extractor may reuse its buffer in the next call
    if not np.isfinite(result).all():
        bad = batch[int(np.flatnonzero(~np.isfinite(result).all(axis=1))[0])]
        raise ExtractorError(
            f"embed returned numbers that are not finite for utterance {bad.id} ({bad.duration:.2f} s)", where=spec.name
        )
    return result


def _batches(utterances: Sequence[Utterance], size: int) -> Iterator[Sequence[Utterance]]:
    for start in range(0, len(utterances), max(1, size)):
        yield utterances[start : start + max(1, size)]
