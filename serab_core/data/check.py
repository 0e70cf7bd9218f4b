"""Holds what a source gave against what the corpus should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.data.naming import AUDIO_SUFFIXES, OTHER_NAME, is_litter
from serab_core.data.source import Sources
from serab_core.errors import DataError
from serab_core.types import Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.data.archives import Problem
    from serab_core.types import DatasetSpec, SourceFile

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """An index without strangers, and what is missing from it, in words."""

    index: Index
    missing: tuple[str, ...]


def check(spec: DatasetSpec, index: Index, source: str, files: Sequence[SourceFile] = ()) -> Checked:
    """Leaves out utterances that the corpus does not have, and finds out what is missing.

    Args:
        spec: the dataset.
        index: what its plugin made of the source's files.
        source: what to call the source in an error.
        files: all of its files, for the error when none of them is the corpus's.

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
        problems = files.problems if isinstance(files, Sources) else ()
        error = DataError(
            f"holds none of {spec.title}'s {sum(spec.expected_counts.values())} utterances"
            + (f", which have names such as {min(known)}" if known else "")
            + _instead(skipped, files, bool(problems)),
            where=source,
            next_step=spec.how_to_get,
        )
        raise explain(error, problems)
    found = Index(tuple(entries), tuple(skipped))
    missing = _missing(spec, found, known)
    if len({entry.label for entry in entries}) < 2:
        raise DataError(
            f"has only the class {entries[0].label!r}; a task needs two", where=source, next_step=spec.how_to_get
        )
    return Checked(found, missing)


def _instead(skipped: Sequence[Skipped], files: Sequence[SourceFile], problems: bool) -> str:
    """Say, in brackets, what audio files a source has instead of a corpus's."""
    reasons: dict[str, list[str]] = {}
    for skip in skipped:
        reasons.setdefault(skip.reason, []).append(skip.file)
    audio = [file for file in files if file.name.suffix.lower() in AUDIO_SUFFIXES and not is_litter(file)]
    if not reasons and audio:
        reasons["the corpus's labels or lists do not name them"] = [str(file.name) for file in audio]
    said = []
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))[:2]:
        many = "1 audio file has another name" if len(names) == 1 else f"{len(names)} audio files have other names"
        if reason != OTHER_NAME:
            many = f"{len(names)} audio file{'s are' if len(names) > 1 else ' is'} left out because {reason}"
        said.append(f"{many}, such as {names[0]}")
    if not said:
        return "" if problems else " (it holds no audio files)"
    return f" ({'; '.join(said)})"


_KINDS = {
    "link": ("{n} symbolic links lead nowhere", "repair the links, or name the folder that they lead to"),
    "annex": ("{n} files are git-annex links whose content is not here", "run `git annex get .` in its repository"),
    "folder": ("{n} folders or files cannot be read", "change their permissions"),
    "archive": ("{n} archives cannot be opened", "download it again, or unpack it and name the folder"),
    "download": ("{n} downloads have not finished", "finish the download"),
    "format": (
        "{n} files are of kinds that serab does not read",
        "convert them to wav or flac, for example: ffmpeg -i {name} {stem}.wav",
    ),
}
"""What to say about problems of a source by their kind, and the next step."""


def explain(error: DataError, problems: Sequence[Problem], missing: Sequence[str] = ()) -> DataError:
    """Return an error with the likely causes: what could not be read, and what lies in another folder only."""
    causes, steps = list(missing), []
    for kind, (words, step) in _KINDS.items():
        there = [problem for problem in problems if problem.kind == kind]
        if not there:
            continue
        first = there[0]
        name = first.file.rpartition("/")[2]
        if len(there) == 1:
            causes.append(f"{first.file} {first.reason}")
        elif kind == "archive":  # each has a reason of its own
            named = "; ".join(f"{problem.file} {problem.reason}" for problem in there[:_SHOWN])
            causes.append(f"{words.format(n=len(there))}: {named}" + ("; ..." if len(there) > _SHOWN else ""))
        else:
            reason = f" ({first.reason})" if kind in ("link", "folder") else ""
            causes.append(f"{words.format(n=len(there))}, such as {first.file}{reason}")
        steps.append(step.format(name=name, stem=name.rpartition(".")[0]))
    if not causes:
        return error
    return DataError(
        f"{error.what}; {'; '.join(causes)}", where=error.where, next_step="; or ".join([*steps, str(error.next_step)])
    )


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
