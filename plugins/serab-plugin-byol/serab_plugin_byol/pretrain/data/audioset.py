"""AudioSet's speech subset: its segment lists, filtered by the classes at and below Speech in its ontology."""

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
    """Speech and its descendants in AudioSet's ontology, by machine id."""
    file = resources.files("serab_plugin_byol.pretrain.data") / "speech.csv"
    with file.open(encoding="utf-8") as lines:
        return {row["mid"]: row["name"] for row in csv.DictReader(lines)}


def speech_ids(segments: Sequence[Path], classes: frozenset[str] | None = None) -> set[str]:
    """The YouTube ids of segments that carry at least one of the classes.

    Args:
        segments: AudioSet's CSVs (`unbalanced_train_segments.csv` and the like): comments with #, then
            `id, start, end, "mid,mid"`.
        classes: machine ids; None for Speech and its descendants.

    Raises:
        DataError: a file cannot be read, or a line has another form.
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
                    f"line {number} is no segment: {line[:60]}", where=path, next_step="give AudioSet's own CSV"
                )
            if not wanted.isdisjoint(row[3].split(",")):
                ids.add(row[0])
    return ids


def files_of(ids: set[str], audio: Path) -> list[Path]:
    """The audio files of these ids below a folder, sorted.

    A name begins with the id of eleven characters, after `Y` perhaps, and may go on with `_` or `.` and anything: what
    the usual downloaders write (`Yabcdefghijk.wav`, `abcdefghijk_30.000.flac`).
    """
    matched = []
    for path in audio.rglob("*"):
        if path.suffix.lower() in SUFFIXES and path.is_file():
            stem = path.name[: -len(path.suffix)]
            # An id may begin with Y itself: both readings are tried.
            names = {stem[:11], *((match["id"],) if (match := _ID.match(stem)) else ())}
            if names & ids:
                matched.append(path)
    return sorted(matched)
