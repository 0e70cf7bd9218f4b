"""AudioSet's speech subset: the segments labelled with Speech or one of its descendants in AudioSet's ontology."""

from __future__ import annotations

import csv
import re
from importlib import resources
from typing import TYPE_CHECKING

from serab_core.plugin import DataError
from serab_plugin_byol.pretrain.data.sources import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ID = re.compile(r"^Y?(?P<id>[A-Za-z0-9_-]{11})(?:[_.].*)?$")


def speech_classes() -> dict[str, str]:
    """Return the names of Speech and its descendants in AudioSet's ontology, by machine id."""
    file = resources.files("serab_plugin_byol.pretrain.data") / "speech.csv"
    with file.open(encoding="utf-8") as lines:
        return {row["mid"]: row["name"] for row in csv.DictReader(lines)}


def speech_ids(segments: Sequence[Path], classes: frozenset[str] | None = None) -> set[str]:
    """Return the YouTube ids of segments that have at least one of the classes.

    Args:
        segments: AudioSet's CSV files (such as `unbalanced_train_segments.csv`): comments with #, then
            `id, start, end, "mid,mid"`.
        classes: machine ids; None means Speech and its descendants.

    Raises:
        DataError: a file cannot be read, or a line has another format.
    """
    wanted = frozenset(speech_classes()) if classes is None else classes
    ids = set()
    for path in segments:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"cannot be read ({type(error).__name__})", where=path) from error
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith("#"):
                continue
            row = next(csv.reader([line], skipinitialspace=True))
            if len(row) != 4 or not all(mid.startswith(("/m/", "/t/", "/g/")) for mid in row[3].split(",")):
                raise DataError(
                    f"line {number} is not a segment: {line[:60]}", where=path, next_step="use AudioSet's original CSV"
                )
            if not wanted.isdisjoint(row[3].split(",")):
                ids.add(row[0])
    return ids


def files_of(ids: set[str], audio: Path) -> list[Path]:
    """Return the audio files below a folder that belong to these ids, sorted.

    A file name starts with an optional `Y` and the id of eleven characters. `_` or `.` and any text may follow, as the
    usual downloaders write it (`Yabcdefghijk.wav`, `abcdefghijk_30.000.flac`).
    """
    matched = []
    for path in audio.rglob("*"):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            stem = path.name[: -len(path.suffix)]
            # An id may itself begin with Y, so both readings are compared.
            names = {stem[:11], *((match["id"],) if (match := _ID.match(stem)) else ())}
            if names & ids:
                matched.append(path)
    return sorted(matched)
