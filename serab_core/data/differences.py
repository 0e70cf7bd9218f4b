"""Describes the differences between the files of a source and the whole corpus."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from serab_core.system.text import list_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import DatasetSpec, Index, Skipped

_SHOWN = 8  # missing utterances that a message names; more would hide the rest of the message


def differences(spec: DatasetSpec, index: Index, known: frozenset[str] | None) -> tuple[tuple[str, ...], str]:
    """Return the differences between an index and the whole corpus, as lines and as a sentence; empty if none."""
    total = sum(spec.expected_counts.values())
    absent = sorted(known - {entry.id for entry in index.entries}) if known is not None else []
    if absent:
        assert known is not None
        summary = f"{len(known) - len(absent)} of {len(known)} utterances are there, {_are(len(absent))} missing"
        return tuple(absent), f"{summary}: {list_names(absent, _SHOWN)}"
    counts = Counter(entry.label for entry in index.entries)
    differing = {label: count for label, count in spec.expected_counts.items() if counts[label] != count}
    speakers = len({entry.speaker for entry in index.entries})
    lines = [f"{label}: {counts[label]} of {count}" for label, count in differing.items()]
    if speakers != spec.expected_speakers:
        lines.append(f"speakers: {speakers} of {spec.expected_speakers}")
    lacking = sum(count - counts[label] for label, count in differing.items())
    if not lines:
        return (), ""
    if differing and all(counts[label] < count for label, count in differing.items()):
        summary = f"{total - lacking} of {total} utterances are there, {_are(lacking)} missing"
    else:
        summary = f"the labels or speakers of its {len(index.entries)} utterances are not those of the corpus's {total}"
    return tuple(lines), f"{summary}: {', '.join(lines)}"


def _are(count: int) -> str:
    return "1 is" if count == 1 else f"{count} are"


def left_out(skipped: Sequence[Skipped]) -> str:
    """Say how many files were left out, with an example for the most common reason."""
    reason, _ = Counter(skip.reason for skip in skipped).most_common(1)[0]
    example = next(skip.file for skip in skipped if skip.reason == reason)
    if len(skipped) == 1:
        return f"1 other file was left out, {example} ({reason})"
    return f"{len(skipped)} other files were left out, such as {example} ({reason})"
