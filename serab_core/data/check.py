"""Holds what a source gave against what the corpus should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.errors import DataError
from serab_core.types import Index, Skipped

if TYPE_CHECKING:
    from serab_core.types import DatasetSpec

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """An index without strangers, and what is missing from it, in words."""

    index: Index
    missing: tuple[str, ...]


def check(spec: DatasetSpec, index: Index, source: str) -> Checked:
    """Leaves out utterances that the corpus does not have, and finds out what is missing.

    Raises:
        DataError: nothing of the corpus is there, a label or speaker is unknown, or fewer than two classes are left.
    """
    known = spec.expected_ids() if spec.expected_ids else None
    entries, skipped = [], list(index.skipped)
    for entry in index.entries:
        if known is not None and entry.id not in known:
            skipped.append(Skipped(str(entry.file.name), f"not one of {spec.title}'s {len(known)} utterances"))
        elif entry.label not in spec.labels:
            raise DataError(
                f"has label {entry.label!r}; {spec.name} knows {', '.join(spec.labels)}",
                where=entry.file.shown,
            )
        else:
            entries.append(entry)
    if not entries:
        raise DataError(
            f"holds none of {spec.title}'s {sum(spec.expected_counts.values())} utterances"
            + (f", which have names such as {min(known)}" if known else "")
            + (f" ({len(skipped)} audio files have other names)" if skipped else " (it holds no audio files)"),
            where=source,
            next_step=spec.how_to_get,
        )
    found = Index(tuple(entries), tuple(skipped))
    missing = _missing(spec, found, known)
    if len({entry.label for entry in entries}) < 2:
        raise DataError(
            f"has only the class {entries[0].label!r}; a task needs two", where=source, next_step=spec.how_to_get
        )
    return Checked(found, missing)


def _missing(spec: DatasetSpec, index: Index, known: frozenset[str] | None) -> tuple[str, ...]:
    if known is not None:
        absent = sorted(known - {entry.id for entry in index.entries})
        return tuple(absent)
    counts = Counter(entry.label for entry in index.entries)
    lines = [
        f"{label}: {counts[label]} of {expected}"
        for label, expected in spec.expected_counts.items()
        if counts[label] != expected
    ]
    speakers = len({entry.speaker for entry in index.entries})
    if speakers != spec.expected_speakers:
        lines.append(f"speakers: {speakers} of {spec.expected_speakers}")
    return tuple(lines)


def refuse_partial(spec: DatasetSpec, checked: Checked, source: str) -> DataError:
    """The error for an incomplete source, with the first of what is missing by name."""
    shown = ", ".join(checked.missing[:_SHOWN])
    more = len(checked.missing) - _SHOWN
    return DataError(
        f"is not the whole of {spec.title}: {len(checked.index.entries)} of "
        f"{sum(spec.expected_counts.values())} utterances are there; missing: {shown}"
        + (f" and {more} more" if more > 0 else ""),
        where=source,
        next_step="complete it, or prepare what is there with --allow-partial, which marks every result made on it",
    )
