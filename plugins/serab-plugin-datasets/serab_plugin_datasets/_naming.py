"""What the corpora's modules share: a file name, a pattern, an entry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from serab_core import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from serab_core import SourceFile


def by_pattern(
    pattern: str,
    labels: Mapping[str, str],
    *,
    identify: Callable[[re.Match[str]], str] | None = None,
    speaker: Callable[[re.Match[str]], str] | None = None,
    groups: Callable[[re.Match[str]], Mapping[str, str]] | None = None,
) -> Callable[[SourceFile], Entry | None]:
    """Makes a `parse` out of a pattern for the file's stem, which must match whole.

    Args:
        pattern: with the groups `label` and, unless `speaker` is given, `speaker`.
        labels: the label by its code.
        identify: the utterance id; the stem by default.
        speaker: the true speaker; the group of that name by default.
        groups: other groupings, for variants.
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
