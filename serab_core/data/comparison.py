"""Compares the files of utterances that a source holds several times: their bytes and, if needed, their samples."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import soundfile

from serab_core.audio.decode import decode
from serab_core.data.folders import Folder
from serab_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from serab_core.types import Progress, SourceFile

LOSSY_SUFFIXES = frozenset({".mp3", ".ogg", ".opus"})
LOSSLESS_SUBTYPES = (
    "PCM_",
    "FLOAT",
    "DOUBLE",
    "ALAC_",
)  # prefixes of libsndfile's names; A-law, u-law and ADPCM are lossy


@dataclass(slots=True)
class Candidate:
    """A file that may be used for an utterance, and its known properties.

    Attributes:
        file: the file.
        folder: the copy of the corpus that it belongs to.
        digest: the sha256 of its bytes; "" before it is read.
        samples: the sha256 of its samples; "" before it is decoded.
        fault: why it cannot be used; "" if it can be used, or was not decoded.
        lossless: whether its format is lossless; before it is read, judged by its name.
        rate: the sampling rate in Hz; 0 if unknown.
    """

    file: SourceFile
    folder: Folder = field(default_factory=Folder)
    digest: str = ""
    samples: str = ""
    fault: str = ""
    lossless: bool = True
    rate: int = 0

    def equals(self, other: Candidate) -> bool:
        """Whether bytes or samples are known to be equal."""
        same_bytes = bool(self.digest) and self.digest == other.digest
        return same_bytes or (bool(self.samples) and self.samples == other.samples)


def compare(
    candidates: Mapping[str, Sequence[Candidate]],
    position: Mapping[int, int],
    preferred: frozenset[int],
    progress: Progress,
) -> None:
    """Fill in the properties of candidates, with as little reading and decoding as the choice needs.

    If an utterance has a lossless file, its lossy files are not read. Files are read in the order of the source,
    because a compressed tar is slow in any other order. Files are decoded only if their bytes differ. A file without an
    equal is decoded to check that it can be.

    Args:
        candidates: by utterance.
        position: the position of a file in the source, by its `id()`.
        preferred: `id()` of files that the user chose, which are always read.
        progress: advances with each file.
    """
    contenders: dict[str, list[Candidate]] = {}
    for key, alternatives in candidates.items():
        for candidate in alternatives:
            candidate.lossless = candidate.file.name.suffix.lower() not in LOSSY_SUFFIXES
        lossless = [c for c in alternatives if c.lossless or id(c.file) in preferred]
        contenders[key] = lossless or list(alternatives)
    pairs = sorted(
        ((key, c) for key, alternatives in contenders.items() for c in alternatives),
        key=lambda pair: position.get(id(pair[1].file), 0),
    )
    if not pairs:
        return
    with progress.task("Comparing files of one name", len(pairs)) as advance:
        for key, candidate in pairs:
            _examine(candidate, [c for c in contenders[key] if c is not candidate])
            advance(1)
    for key, candidate in pairs:
        undecoded = candidate.digest and not candidate.samples and not candidate.fault
        if undecoded and any(c.digest != candidate.digest for c in contenders[key] if c.digest):
            _decode(candidate, _content(candidate))
    for key, alternatives in contenders.items():
        if all(c.fault for c in alternatives):  # no file can be used, so try the files that were not read
            for candidate in candidates[key]:
                if not candidate.digest and not candidate.fault:
                    _examine(candidate, [])


def _examine(candidate: Candidate, others: Sequence[Candidate]) -> None:
    """Read a candidate; decode it if its bytes differ from those of another candidate, or no other has its size."""
    content = _content(candidate)
    if candidate.fault:
        return
    candidate.digest = hashlib.sha256(content).hexdigest()
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as head:
            candidate.lossless = head.subtype.startswith(LOSSLESS_SUBTYPES)
            candidate.rate = int(head.samplerate)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, OSError):
        candidate.lossless = candidate.file.name.suffix.lower() not in LOSSY_SUFFIXES
    equal = any(other.digest == candidate.digest for other in others)
    differs = any(other.digest not in ("", candidate.digest) for other in others)
    sizes = {other.file.size for other in others}
    if not equal and (differs or candidate.file.size not in sizes):
        _decode(candidate, content)


def _content(candidate: Candidate) -> bytes:
    try:
        return candidate.file.read()
    except (DataError, OSError) as error:
        candidate.fault = error.what if isinstance(error, DataError) else str(error.strerror)
        return b""


def _decode(candidate: Candidate, content: bytes) -> None:
    if candidate.fault:
        return
    try:
        decoded = decode(content, candidate.file.shown)
    except DataError as error:
        candidate.fault = error.what
    else:
        candidate.samples, candidate.rate = decoded.sha256, decoded.rate
