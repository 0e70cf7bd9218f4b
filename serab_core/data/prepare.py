"""Prepares a corpus: every utterance decoded once, hashed, cut into splits, and written down as one index."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from serab_core.data.candidates import resolve
from serab_core.data.check import check, explain, refuse_partial
from serab_core.data.lengths import compare_lengths, length_notices
from serab_core.data.prepared import INDEX_NAME, SCHEMA, Prepared, load
from serab_core.data.rows import Storage, make_rows
from serab_core.data.source import Sources, open_sources
from serab_core.data.splits import draw_groups
from serab_core.errors import DataError, PluginError, SerabError
from serab_core.store.atomic import replacing_folder, scratch_folder
from serab_core.store.jsonio import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from serab_core.store.home import Home
    from serab_core.types import DatasetSpec, Entry, Index, Progress, SourceFile, Split, SplitVariant


def prepare(
    spec: DatasetSpec,
    sources: Sequence[Path],
    home: Home,
    progress: Progress,
    *,
    allow_partial: bool = False,
    copy: bool = False,
    folder: str = "",
) -> Prepared:
    """Prepares a corpus from what the user has; a corpus prepared before is replaced only when all went well.

    Files in folders are used in place; out of an archive, or from a generator, the audio is copied into the home.

    Args:
        spec: the dataset.
        sources: zips, tars and folders; none for a dataset that makes itself.
        home: where the index goes.
        progress: told of each utterance.
        allow_partial: prepare an incomplete corpus too, marked as partial.
        copy: keep all audio in the home, as 16 kHz mono FLAC of 24 bits.
        folder: the one to take where the source has several recordings of an utterance; "." for the top one.

    Raises:
        DataError: the source is missing, not the corpus, or incomplete.
        AudioError: a file cannot be used.
        StoreError: the home cannot be written.
    """
    home.ensure()
    if not sources:
        if spec.generate is None:
            raise DataError(
                f"{spec.title} is not made by serab and needs a source",
                where=spec.name,
                next_step=f"{spec.how_to_get}; then: serab data prepare {spec.name} PATH",
            )
        progress.note(f"Making {spec.name}, {sum(spec.expected_counts.values())} utterances")
        with scratch_folder(home.datasets) as generated:
            _call(spec, "generate", spec.generate, generated)
            with open_sources([generated]) as files:
                return prepare_files(spec, files, str(generated), home, progress, storage="flac" if copy else "copied")
    with open_sources(sources) as files:
        named = ", ".join(str(source) for source in sources)
        storage: Storage = "flac" if copy else "in place"
        return prepare_files(
            spec, files, named, home, progress, allow_partial=allow_partial, storage=storage, wanted=folder
        )


def prepare_files(
    spec: DatasetSpec,
    files: Sequence[SourceFile],
    named: str,
    home: Home,
    progress: Progress,
    *,
    allow_partial: bool = False,
    storage: Storage = "in place",
    notes: Sequence[str] = (),
    wanted: str = "",
) -> Prepared:
    """Prepares a corpus from a list of files. Raises as `prepare` does.

    Args:
        spec: the dataset.
        files: what its index is made of.
        named: what to call them together in an error.
        home: where the index goes.
        progress: told of each utterance.
        allow_partial: prepare an incomplete corpus too, marked as partial.
        storage: what becomes of the audio.
        notes: what whoever made the list has to say about it; stored and shown with the corpus.
        wanted: the folder to take where there are several recordings of an utterance.
    """
    problems = files.problems if isinstance(files, Sources) else ()
    resolution = resolve(spec, _call(spec, "index", spec.index, files), files, named, progress, wanted)
    checked = check(spec, resolution.index, named, files)
    if checked.missing and not allow_partial:
        raise explain(refuse_partial(spec, checked, named), problems, resolution.missing)
    cuts = {variant.name: cut(variant, checked.index, spec) for variant in spec.variants}
    with replacing_folder(home.datasets / spec.name) as folder:
        rows = make_rows(spec.name, _in_order(checked.index, files), cuts, folder, progress, storage)
        if spec.sentence is not None:
            rows = [row | {"sentence": spec.sentence(str(row["id"]))} for row in rows]
        compared = compare_lengths(rows, spec, partial=bool(checked.missing))
        index = {
            "schema": SCHEMA,
            "name": spec.name,
            "title": spec.title,
            "language": spec.language,
            "labels": list(spec.labels),
            "synthetic": spec.synthetic,
            "partial": bool(checked.missing),
            "missing": list(checked.missing),
            "notes": [*resolution.notes, *resolution.missing, *checked.notes, *notes],
            "choices": list(resolution.choices),
            "skipped": [[problem.file, problem.reason] for problem in problems if problem.kind != "format"]
            + [[skip.file, skip.reason] for skip in checked.index.skipped],
            "released_variant": spec.released_variant,
            "continuous": {suffix: list(targets) for suffix, targets in spec.continuous.items()},
            "variants": [
                {
                    "name": v.name,
                    "group": v.group,
                    "note": v.note,
                    "ratios": list(v.ratios),
                    "shares_speakers": v.shares_speakers,
                    "own_splits": v.own_splits,
                }
                for v in spec.variants
            ],
            "notices": [asdict(notice) for notice in length_notices(compared)],
            "utterances": rows,
        }
        write_json(folder / INDEX_NAME, index)
    return load(home, spec.name)


def _call(spec: DatasetSpec, what: str, function: Callable[..., Any], argument: object) -> Any:
    """Calls into the dataset's plugin; a fault of its own is named, one of the disk passes."""
    try:
        return function(argument)
    except (SerabError, OSError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())
        raise PluginError(
            f"{what} raised {type(error).__name__}: {reason}",
            where=f"dataset {spec.name}",
            next_step="report it to the plugin's author; `serab plugins` says where it comes from",
        ) from error


def cut(variant: SplitVariant, index: Index, spec: DatasetSpec) -> dict[str, tuple[str, Split]]:
    """The group and split of every utterance in one variant; utterances that the variant leaves out are absent.

    Raises:
        DataError: a group is unknown, or a split would be empty.
    """
    included = [entry for entry in index.entries if entry.label not in variant.excluded_labels]
    groups = {entry.id: group_of(entry, variant) for entry in included}
    assigned: dict[str, tuple[str, Split]] = {}
    if variant.own_splits:
        for entry in included:
            if entry.split is None:
                raise DataError("has no split of its own", where=f"{spec.name}: {entry.id}")
            assigned[entry.id] = (groups[entry.id], entry.split)
    else:
        drawn = draw_groups(variant.groups or groups.values(), variant.ratios)
        for entry in included:
            group = groups[entry.id]
            if group not in drawn:
                raise DataError(
                    f"belongs to {variant.group} {group!r}, which {spec.title} does not have",
                    where=f"{spec.name}: {entry.file.name}",
                )
            assigned[entry.id] = (group, drawn[group])
    filled = {split for _, split in assigned.values()}
    empty = [split for split in ("train", "validation", "test") if split not in filled]
    if empty:
        raise DataError(
            f"leaves no utterance for {' and '.join(empty)}: {len(set(groups.values()))} {variant.group}s are there, "
            "and each belongs to one split only",
            where=f"{spec.name} ({variant.name})",
            next_step="a task needs speakers enough for three splits",
        )
    return assigned


def group_of(entry: Entry, variant: SplitVariant) -> str:
    """What the variant cuts and normalises an utterance by."""
    return entry.speaker if variant.group == "speaker" else entry.groups[variant.group]


def _in_order(index: Index, files: Sequence[SourceFile]) -> list[Entry]:
    """The entries as their files follow in the sources: a compressed tar is read once, from its start to its end."""
    position = {id(file): number for number, file in enumerate(files)}
    return sorted(index.entries, key=lambda entry: position.get(id(entry.file), 0))
