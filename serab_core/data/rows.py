"""Decodes every utterance of a corpus once, puts its audio where it will stay, and describes it in a row."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import soundfile

from serab_core.audio.decode import Decoded, decode
from serab_core.audio.resample import resample
from serab_core.errors import AudioError
from serab_core.store.jsonio import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from serab_core.types import Entry, Progress, Split

Storage: TypeAlias = Literal["in place", "copied", "flac"]
"""Files on disk stay where they are (what is in an archive is copied), everything is copied, or kept as FLAC."""
FLAC_RATE = 16_000
MAX_NAME_LENGTH = 120  # characters of a stored file's name, all ASCII; file systems take 255 bytes


def make_rows(
    name: str,
    entries: Sequence[Entry],
    cuts: Mapping[str, Mapping[str, tuple[str, Split]]],
    folder: Path,
    progress: Progress,
    storage: Storage,
) -> list[dict[str, Any]]:
    """The rows of an index, sorted by utterance id.

    Args:
        name: the dataset.
        entries: in the order in which their files are best read.
        cuts: group and split of each utterance, by variant.
        folder: the dataset's, for the audio that is kept.
        progress: told of each utterance.
        storage: what becomes of the audio.

    Raises:
        AudioError: one or several files cannot be used; all of them are tried first.
    """
    rows: list[dict[str, Any]] = []
    faults: list[AudioError] = []
    with progress.stage(f"Preparing {name}", len(entries)) as advance:
        for entry in entries:
            content = entry.file.read()
            try:
                decoded = decode(content, entry.file.shown)
            except AudioError as error:
                faults.append(error)
            else:
                rows.append(_stored(entry, content, decoded, folder, storage) | _cut(entry, cuts))
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


def _stored(entry: Entry, content: bytes, decoded: Decoded, folder: Path, storage: Storage) -> dict[str, Any]:
    """Puts the audio where it will stay, and describes what is there."""
    if storage == "flac":
        content = _flac(decoded)
        decoded = decode(content, entry.file.shown)
        file = _keep(entry, content, folder, ".flac")
    elif storage == "copied" or entry.file.path is None:
        file = _keep(entry, content, folder, entry.file.name.suffix.lower())
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
    }
    return row | ({"targets": dict(entry.targets)} if entry.targets else {})


def _cut(entry: Entry, cuts: Mapping[str, Mapping[str, tuple[str, Split]]]) -> dict[str, Any]:
    return {"cut": {name: list(assigned[entry.id]) for name, assigned in cuts.items() if entry.id in assigned}}


def _flac(decoded: Decoded) -> bytes:
    """16 kHz mono in 24 bits: what was 16 kHz and of 16 or 24 bits stays the same samples."""
    samples = resample(decoded.samples, decoded.rate, FLAC_RATE)
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, FLAC_RATE, format="FLAC", subtype="PCM_24")
    return encoded.getvalue()


def _keep(entry: Entry, content: bytes, folder: Path, suffix: str) -> str:
    """Writes the utterance's audio below the dataset's folder, and returns its name there."""
    name = f"audio/{_safe(entry.id)}{suffix}"
    target = folder / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    return name


def _safe(identifier: str) -> str:
    """The utterance id as a file name: what is not a letter, digit, hyphen or underscore becomes its code.

    A long name is cut, and ends in a hash of the whole id, for a file system takes 255 bytes a name.
    """
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"={ord(c):x}=" for c in identifier)
    if len(name) <= MAX_NAME_LENGTH:
        return name
    return f"{name[: MAX_NAME_LENGTH - 33]}-{digest(identifier)[:32]}"
