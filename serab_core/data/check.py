"""Holds what a source gave against what the corpus should be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.data.differences import differences, left_out
from serab_core.data.releases import corpus_of, other_releases, refuse_other_release
from serab_core.errors import DataError
from serab_core.types import Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.types import DatasetSpec


@dataclass(frozen=True, slots=True)
class Checked:
    """An index without files that are not of the corpus, and how it differs from the whole corpus.

    Attributes:
        index: the utterances that belong to the corpus.
        missing: ids that are missing, or labels whose counts differ; empty for a whole corpus.
        problem: the same as a sentence.
        notes: what a user must know about the utterances that are there.
    """

    index: Index
    missing: tuple[str, ...]
    problem: str = ""
    notes: tuple[str, ...] = ()


def check(spec: DatasetSpec, index: Index, source: str) -> Checked:
    """Leaves out utterances that the corpus does not have, and finds out what is missing.

    Raises:
        DataError: nothing of the corpus is there, a label or speaker is unknown, fewer than two classes are left, or
            the files are those of another release.
    """
    known = spec.expected_ids() if spec.expected_ids else None
    releases = list(other_releases(spec)) if known is not None else []
    notes = [
        note for other in releases if (note := refuse_other_release(spec, known or (), other, index.entries, source))
    ]
    entries, skipped = [], list(index.skipped)
    for entry in index.entries:
        if known is not None and entry.id not in known:
            owner = next((other.spec for other in releases if entry.id in other.ids), None)
            reason = f"not one of {spec.title}'s {len(known)} utterances"
            reason += f", but one of {owner.title} ({owner.name})" if owner else ""
            skipped.append(Skipped(str(entry.file.name), reason))
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
            next_step=_next_step(spec, skipped),
        )
    found = Index(tuple(entries), tuple(skipped))
    if len({entry.label for entry in entries}) < 2:
        raise DataError(
            f"has only the class {entries[0].label!r}; a task needs two", where=source, next_step=spec.how_to_get
        )
    missing, problem = differences(spec, found, known)
    if problem:
        problem = "; ".join((problem, *([left_out(skipped)] if skipped else []), *notes))
    defects = (entry.id for entry in entries if entry.id in spec.known_defects)
    notes += [f"{identifier} stays in: {spec.known_defects[identifier]}" for identifier in defects]
    return Checked(found, missing, problem, tuple(notes))


def refuse_partial(spec: DatasetSpec, checked: Checked, source: str) -> DataError:
    """The error for a source that is not the whole corpus: how it differs, and what to do."""
    return DataError(
        f"is not the whole of {spec.title}: {checked.problem}",
        where=source,
        next_step="complete it, or prepare what is there with --allow-partial, which marks every result made on it",
    )


def _next_step(spec: DatasetSpec, skipped: Sequence[Skipped]) -> str:
    """What to do where nothing of the corpus is there: take the name of the corpus that is there, or get the corpus."""
    other = corpus_of(spec, skipped)
    if not other:
        return spec.how_to_get
    return f"the files have the names of {other}: serab data prepare {other} PATH; for {spec.name}: {spec.how_to_get}"
