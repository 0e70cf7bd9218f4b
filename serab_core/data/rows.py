"""Decodes every utterance of a corpus once, stores its audio, and describes it in a row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from serab_core.audio.decode import Decoded, Silence, decode
from serab_core.audio.lossless import encode, round_to_24_bits
from serab_core.audio.resample import resample
from serab_core.errors import AudioError
from serab_core.store.jsonio import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serab_core.types import Entry, Progress, SourceFile, Split

Storage: TypeAlias = Literal["in place", "copied", "flac"]
"""How audio is stored: files on disk stay in place (those in an archive are copied), all copied, or all as 16 kHz FLAC.

Samples that 24 bits do not hold are stored as float WAV instead of FLAC. Segments are always written to the home."""
FLAC_RATE = 16_000  # Hz
SEGMENT_SLACK = 0.05  # seconds that a segment may end after its file, because annotations are rounded
MAX_NAME_LENGTH = 120  # characters of a stored file's name, all ASCII; file systems allow 255 bytes


def make_rows(
    name: str,
    entries: Sequence[Entry],
    cuts: Mapping[str, Mapping[str, tuple[str, Split]]],
    folder: Path,
    progress: Progress,
    storage: Storage,
) -> list[dict[str, Any]]:
    """Store the audio of a corpus, and return the rows of its index, sorted by utterance id.

    Args:
        name: the dataset.
        entries: the utterances, in the order in which their files are read.
        cuts: group and split of each utterance, by variant.
        folder: the folder of the dataset, for stored audio.
        progress: advances with each utterance.
        storage: how the audio is stored.

    Raises:
        AudioError: one or more files cannot be used; the error is raised after all files were tried.
    """
    rows: list[dict[str, Any]] = []
    faults: list[AudioError] = []
    read = _Reader(storage)
    with progress.task(f"Preparing {name}", len(entries)) as advance:
        for entry in entries:
            try:
                decoded = read(entry)
                if decoded is not None:
                    rows.append(
                        _store_utterance(entry, decoded, read.content, folder, storage) | _assignments(entry, cuts)
                    )
            except AudioError as error:
                faults.append(error)
            advance(1)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        first = "; ".join(f"{fault.where} {fault.what}" for fault in faults[:5])
        raise AudioError(
            f"{len(faults)} files cannot be used: {first}" + ("; ..." if len(faults) > 5 else ""),
            next_step=faults[0].next_step,
        )
    return sorted(rows, key=lambda row: str(row["id"]))


class _Reader:
    """Decodes the files of entries; consecutive segments of a file are decoded once."""

    def __init__(self, storage: Storage) -> None:
        self._in_place = storage == "in place"
        self._file: SourceFile | None = None
        self._decoded: Decoded | None = None
        self.content = b""  # the bytes of the file that was read last; empty if they are not needed

    def __call__(self, entry: Entry) -> Decoded | None:
        """Decode the whole file of an entry; return None if its fault was reported for an earlier segment."""
        file = entry.file
        if self._file is not None and (file is self._file or (file.path is not None and file.path == self._file.path)):
            return self._decoded
        self._file, self._decoded, self.content = file, None, b""
        if file.path is not None and (self._in_place or entry.segment is not None):
            self._decoded = decode(file.path, file.shown)
        else:
            self.content = file.read()
            self._decoded = decode(self.content, file.shown)
        return self._decoded


def _store_utterance(entry: Entry, decoded: Decoded, content: bytes, folder: Path, storage: Storage) -> dict[str, Any]:
    """Store the audio, and return its description."""
    if entry.segment is not None:
        decoded = cut_segment(decoded, entry.segment, entry.file.shown, entry.id)
        file = _write_audio(entry, *encode(decoded.samples, decoded.rate, entry.file.shown), folder)
    elif storage == "flac":
        decoded = _at_flac_rate(decoded)
        file = _write_audio(entry, *encode(decoded.samples, decoded.rate, entry.file.shown), folder)
    elif storage == "copied" or entry.file.path is None:
        file = _write_audio(entry, content or entry.file.read(), entry.file.name.suffix.lower(), folder)
    else:
        file = str(entry.file.path)
    row: dict[str, Any] = {
        "id": entry.id,
        "file": file,
        "label": entry.label,
        "speaker": entry.speaker,
        "sha256": decoded.sha256,
        "duration": round(decoded.duration, 6),
        "rate": decoded.rate,
        "channels": decoded.channels,
        "peak": float(f"{decoded.peak:.6g}"),
    }
    if decoded.silent:
        row["silent"] = decoded.silent
    return row | ({"targets": dict(entry.targets)} if entry.targets else {})


def cut_segment(decoded: Decoded, segment: tuple[float, float | None], name: str, utterance: str) -> Decoded:
    """Return a segment of a decoded file.

    Args:
        decoded: the whole file.
        segment: its start and end, in seconds; None for the end of the file.
        name: the name of the file in errors.
        utterance: the id of the utterance.

    Raises:
        AudioError: the segment is empty, begins before the file, or ends after it by more than `SEGMENT_SLACK`.
    """
    start, end = segment
    last = decoded.duration if end is None else end
    if not (math.isfinite(start) and math.isfinite(last)):
        fault = f"is asked for a segment from {start} to {last} s, which are not both numbers"
    elif start < 0:
        fault = f"is asked for a segment that begins at {start:g} s, before the file"
    elif start >= decoded.duration:
        fault = f"is asked for a segment that begins at {start:g} s, and is {decoded.duration:.3f} s long"
    elif last > decoded.duration + SEGMENT_SLACK:
        fault = f"is asked for a segment that ends at {last:g} s, and is {decoded.duration:.3f} s long"
    elif round(last * decoded.rate) <= round(start * decoded.rate):
        fault = f"is asked for a segment from {start:g} to {last:g} s, which holds no samples"
    else:
        samples = decoded.samples[round(start * decoded.rate) : round(last * decoded.rate)]
        if len(samples):
            peak = max(-float(samples.min()), float(samples.max()))
            silent: Silence = decoded.silent or ("" if peak else "zero")
            return Decoded(np.ascontiguousarray(samples), decoded.rate, 1, peak, silent)
        fault = f"is asked for a segment that begins at {start:g} s, and is {decoded.duration:.3f} s long"
    raise AudioError(
        fault, where=f"{name} (utterance {utterance})", next_step="correct the start and end of this utterance"
    )


def _assignments(entry: Entry, cuts: Mapping[str, Mapping[str, tuple[str, Split]]]) -> dict[str, Any]:
    cut = {name: list(assigned[entry.id]) for name, assigned in cuts.items() if entry.id in assigned}
    return {"cut": cut} | ({"fold": entry.fold} if entry.fold else {})


def _at_flac_rate(decoded: Decoded) -> Decoded:
    """Return the audio at 16 kHz. Resampled audio is rounded to 24 bits; other audio is unchanged."""
    samples = decoded.samples
    if decoded.rate != FLAC_RATE:
        samples = round_to_24_bits(resample(samples, decoded.rate, FLAC_RATE))
    peak = max(-float(samples.min()), float(samples.max()))
    return Decoded(samples, FLAC_RATE, 1, peak, decoded.silent)


def _write_audio(entry: Entry, content: bytes, suffix: str, folder: Path) -> str:
    """Write the audio of an utterance into the folder of the dataset, and return its name there."""
    name = f"audio/{_file_name(entry.id)}{suffix}"
    target = folder / name
    target.parent.mkdir(exist_ok=True)
    if target.exists():  # the file system may treat a.wav and A.wav as the same name
        name = f"audio/{_file_name(entry.id)[: MAX_NAME_LENGTH - 33]}-{digest(entry.id)[:32]}{suffix}"
        target = folder / name
    target.write_bytes(content)
    return name


def _file_name(identifier: str) -> str:
    """Return the utterance id as a file name; characters except letters, digits, hyphens and underscores become codes.

    A long name is cut, and ends in a hash of the whole id, because file systems allow 255 bytes per name.
    """
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"={ord(c):x}=" for c in identifier)
    if len(name) <= MAX_NAME_LENGTH:
        return name
    return f"{name[: MAX_NAME_LENGTH - 33]}-{digest(identifier)[:32]}"
