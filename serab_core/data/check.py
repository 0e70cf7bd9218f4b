"""Compares the files of a source with the expected corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.data.differences import differences, left_out
from serab_core.data.naming import AUDIO_SUFFIXES, OTHER_NAME, is_junk
from serab_core.data.releases import corpus_of, other_releases, refuse_other_release
from serab_core.data.source import Sources
from serab_core.errors import DataError
from serab_core.system.hints import command, option
from serab_core.types import Index, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.data.archive_limits import Problem
    from serab_core.types import DatasetSpec, SourceFile

_SHOWN = 8  # archives that a message names


@dataclass(frozen=True, slots=True)
class Checked:
    """An index without the files of other corpora, and its differences from the whole corpus.

    Attributes:
        index: the utterances that belong to the corpus.
        missing: ids that are missing, or labels whose counts differ; empty for a whole corpus.
        problem: the differences in a sentence.
        notes: sentences for the user about the utterances that the source has.
    """

    index: Index
    missing: tuple[str, ...]
    problem: str = ""
    notes: tuple[str, ...] = ()


def check(spec: DatasetSpec, index: Index, source: str, files: Sequence[SourceFile] = ()) -> Checked:
    """Leave out utterances that the corpus does not have, and list the missing ones.

    Args:
        spec: the dataset.
        index: the index that its plugin made from the source's files.
        source: the name of the source in errors.
        files: all files of the source, for the error if none of them belongs to the corpus.

    Raises:
        DataError: the source has no file of the corpus, a label or speaker is unknown, fewer than two classes are
            left, or the files are those of another release.
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
        problems = files.problems if isinstance(files, Sources) else ()
        error = DataError(
            f"holds none of {spec.title}'s {sum(spec.expected_counts.values())} utterances"
            + (f", which have names such as {min(known)}" if known else "")
            + _describe_other_files(skipped, files, bool(problems)),
            where=source,
            next_step=_next_step(spec, skipped),
        )
        raise explain(error, problems)
    accepted = Index(tuple(entries), tuple(skipped))
    if len({entry.label for entry in entries}) < 2:
        raise DataError(
            f"has only the class {entries[0].label!r}; a task needs two", where=source, next_step=spec.how_to_get
        )
    missing, problem = differences(spec, accepted, known)
    if problem:
        problem = "; ".join((problem, *([left_out(skipped)] if skipped else []), *notes))
    defects = (entry.id for entry in entries if entry.id in spec.known_defects)
    notes += [f"{identifier} stays in: {spec.known_defects[identifier]}" for identifier in defects]
    return Checked(accepted, missing, problem, tuple(notes))


def _describe_other_files(skipped: Sequence[Skipped], files: Sequence[SourceFile], problems: bool) -> str:
    """Describe, in brackets, the audio files that a source has instead of the corpus's."""
    reasons: dict[str, list[str]] = {}
    for skip in skipped:
        reasons.setdefault(skip.reason, []).append(skip.file)
    audio = [file for file in files if file.name.suffix.lower() in AUDIO_SUFFIXES and not is_junk(file)]
    if not reasons and audio:
        reasons["the corpus's labels or lists do not name them"] = [str(file.name) for file in audio]
    descriptions = []
    for reason, names in sorted(reasons.items(), key=lambda item: -len(item[1]))[:2]:
        many = "1 audio file has another name" if len(names) == 1 else f"{len(names)} audio files have other names"
        if reason != OTHER_NAME:
            many = f"{len(names)} audio file{'s are' if len(names) > 1 else ' is'} left out because {reason}"
        descriptions.append(f"{many}, such as {names[0]}")
    if not descriptions:
        return "" if problems else " (it holds no audio files)"
    return f" ({'; '.join(descriptions)})"


# Text and next step for each kind of problem in a source.
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


def explain(error: DataError, problems: Sequence[Problem], missing: Sequence[str] = ()) -> DataError:
    """Return an error with the likely causes: unreadable files, and utterances that only another folder has."""
    causes, steps = list(missing), []
    for kind, (template, step) in _KINDS.items():
        matches = [problem for problem in problems if problem.kind == kind]
        if not matches:
            continue
        first = matches[0]
        name = first.file.rpartition("/")[2]
        if len(matches) == 1:
            causes.append(f"{first.file} {first.reason}")
        elif kind == "archive":  # each archive has a different reason
            listing = "; ".join(f"{problem.file} {problem.reason}" for problem in matches[:_SHOWN])
            causes.append(f"{template.format(n=len(matches))}: {listing}" + ("; ..." if len(matches) > _SHOWN else ""))
        else:
            reason = f" ({first.reason})" if kind in ("link", "folder") else ""
            causes.append(f"{template.format(n=len(matches))}, such as {first.file}{reason}")
        steps.append(step.format(name=name, stem=name.rpartition(".")[0]))
    if not causes:
        return error
    return DataError(
        f"{error.what}; {'; '.join(causes)}", where=error.where, next_step="; or ".join([*steps, str(error.next_step)])
    )


def refuse_partial(spec: DatasetSpec, checked: Checked, source: str) -> DataError:
    """Return the error for a source that is not the whole corpus, with the differences and the next step."""
    return DataError(
        f"is not the whole of {spec.title}: {checked.problem}",
        where=source,
        next_step=f"complete it, or prepare the part that you have with {option('allow-partial')}, which marks every "
        "result on it",
    )


def _next_step(spec: DatasetSpec, skipped: Sequence[Skipped]) -> str:
    """Return the next step for a source without the corpus: prepare the corpus that it holds, or get the right one."""
    other = corpus_of(spec, skipped)
    if not other:
        return spec.how_to_get
    prepare_other = command("data prepare", other, "PATH")
    return (
        f"the files have the names of {other}, so prepare it with {prepare_other}; for {spec.name}: {spec.how_to_get}"
    )
