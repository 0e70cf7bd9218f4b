"""Reads the start and end of the segments of a file, and returns the ids of segments."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, TypeAlias

from serab_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import Entry

Segment: TypeAlias = tuple[float, float | None]
"""Start and end in seconds; an end of None is the end of the file."""
_SECONDS = re.compile(r"\+?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+")
_CLOCK = re.compile(r"(?:(?P<days>\d+) days? )?(?P<hours>\d+):(?P<minutes>[0-5]\d):(?P<seconds>[0-5]\d(?:\.\d+)?)")
_DAYS = re.compile(r"(?P<days>\d+) days?")
_BLANK = frozenset({"", "nat", "nan", "none", "null", "<na>"})


def read_segment(start: str, end: str, where: str) -> Segment | None:
    """Return the segment of a row; None for the whole file: no start, or 0, and no end.

    Times are seconds (`1.5`), clock times (`00:00:01.500`) or in pandas's form (`0 days 00:00:01.500000`).

    Raises:
        DataError: a time has another form, or the end is not after the start.
    """
    begin = read_time(start, "start", where) or 0.0
    stop = read_time(end, "end", where)
    if stop is None:
        return None if begin == 0.0 else (begin, None)
    if stop <= begin:
        raise DataError(
            f"has a segment that ends at {stop:g} s, not after its start at {begin:g} s",
            where=where,
            next_step="write both in seconds from the start of the file",
        )
    return begin, stop


def read_time(text: str, column: str, where: str) -> float | None:
    """Return the time in seconds, to the microsecond; None for an empty cell. Raises DataError for other texts."""
    cell = text.strip()
    if cell.casefold() in _BLANK:
        return None
    match = _CLOCK.fullmatch(cell) or _DAYS.fullmatch(cell)
    if match:
        fields = {name: float(value or 0) for name, value in match.groupdict().items()}
        seconds = 86400 * fields.get("days", 0.0) + 3600 * fields.get("hours", 0.0)
        return round(seconds + 60 * fields.get("minutes", 0.0) + fields.get("seconds", 0.0), 6)
    if _SECONDS.fullmatch(cell) and math.isfinite(float(cell)):
        return round(float(cell), 6)
    step = "write seconds such as 1.5, or 00:00:01.500"
    if re.fullmatch(r"\d+,\d+", cell):
        step = f"write the decimal point as a point: {cell.replace(',', '.')}"
    raise DataError(f"has {column} {cell!r}, which is not a time", where=where, next_step=step)


def segment_id(path: str, segment: Segment | None) -> str:
    """Return the utterance id: the path, and for a segment also its start and end in seconds with six digits."""
    if segment is None:
        return path
    return f"{path}#{segment[0]:.6f}-" + ("" if segment[1] is None else f"{segment[1]:.6f}")


def overlap_note(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return a note on segments that overlap another segment of their file, and on such pairs in two splits."""
    by_file: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.segment is not None:
            by_file[str(entry.file.path)].append(entry)
    for entry in entries:
        if entry.segment is None and str(entry.file.path) in by_file:
            by_file[str(entry.file.path)].append(entry)
    overlapping: list[tuple[Entry, Entry]] = []
    for file_entries in by_file.values():
        file_entries.sort(key=_span)
        longest = file_entries[0]
        for entry in file_entries[1:]:
            if _span(entry)[0] < _span(longest)[1]:
                overlapping.append((longest, entry))
            if _span(entry)[1] > _span(longest)[1]:
                longest = entry
    if not overlapping:
        return ()
    first, second = overlapping[0]
    crossing = sum(a.split != b.split for a, b in overlapping)
    across = f"; {crossing} of them with a segment in another split" if crossing else ""
    return (f"{len(overlapping)} segments overlap another segment (first: {second.id} and {first.id}){across}",)


def _span(entry: Entry) -> tuple[float, float]:
    start, end = entry.segment or (0.0, None)
    return start, math.inf if end is None else end
