"""Functions that make index entries from file names by a pattern, for the modules of the corpora."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from serab_core.plugin import Entry, Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from serab_core.plugin import SourceFile


def by_pattern(
    pattern: str,
    labels: Mapping[str, str],
    *,
    identify: Callable[[re.Match[str]], str] | None = None,
    speaker: Callable[[re.Match[str]], str] | None = None,
    groups: Callable[[re.Match[str]], Mapping[str, str]] | None = None,
) -> Callable[[SourceFile], Entry | None]:
    """Return a `parse` function for a pattern that must match the whole stem of a file name.

    Args:
        pattern: regular expression with the groups `label` and, unless `speaker` is given, `speaker`.
        labels: label by its code in file names.
        identify: returns the utterance id; by default the stem.
        speaker: returns the true speaker; by default the group `speaker`.
        groups: returns other groupings, for split variants.
    """
    compiled = re.compile(pattern)

    def parse(file: SourceFile) -> Entry | None:
        match = compiled.fullmatch(file.name.stem)
        if match is None or match["label"] not in labels:
            return None
        return Entry(
            id=identify(match) if identify else match[0],
            file=file,
            label=labels[match["label"]],
            speaker=speaker(match) if speaker else match["speaker"],
            groups=groups(match) if groups else {},
        )

    return parse


def with_reasons(
    index: Callable[[Sequence[SourceFile]], Index], reasons: Mapping[str, str]
) -> Callable[[Sequence[SourceFile]], Index]:
    """Return an `index` that gives a specific reason to a skipped file whose stem matches a pattern.

    Args:
        index: the function that skips the files.
        reasons: reason by a pattern for the whole stem; the first matching pattern counts.
    """
    compiled = [(re.compile(pattern), reason) for pattern, reason in reasons.items()]

    def with_their_reasons(files: Sequence[SourceFile]) -> Index:
        indexed = index(files)
        return Index(indexed.entries, tuple(_with_reason(skip, compiled) for skip in indexed.skipped))

    return with_their_reasons


def _with_reason(skip: Skipped, reasons: Sequence[tuple[re.Pattern[str], str]]) -> Skipped:
    stem = PurePosixPath(skip.file).stem
    return next((Skipped(skip.file, reason) for pattern, reason in reasons if pattern.fullmatch(stem)), skip)
