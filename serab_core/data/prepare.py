"""Prepares a corpus: every utterance decoded once, hashed, cut into splits, and written down as one index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serab_core.audio.decode import Decoded, decode
from serab_core.data.check import check, refuse_partial
from serab_core.data.prepared import INDEX_NAME, SCHEMA, Prepared, load
from serab_core.data.source import open_sources
from serab_core.data.splits import draw_groups
from serab_core.errors import AudioError, DataError, PluginError, SerabError
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
) -> Prepared:
    """Prepares a corpus from what the user has; a corpus prepared before is replaced only when all went well.

    Files in folders are used in place; out of an archive, or from a generator, the audio is copied into the home.

    Args:
        spec: the dataset.
        sources: zips, tars and folders; none for a dataset that makes itself.
        home: where the index goes.
        progress: told of each utterance.
        allow_partial: prepare an incomplete corpus too, marked as partial.

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
        with scratch_folder(home.datasets) as folder:
            _call(spec, "generate", spec.generate, folder)
            return _prepare(spec, [folder], home, progress, allow_partial=False, keep=True)
    return _prepare(spec, sources, home, progress, allow_partial=allow_partial, keep=False)


def _prepare(
    spec: DatasetSpec, sources: Sequence[Path], home: Home, progress: Progress, *, allow_partial: bool, keep: bool
) -> Prepared:
    named = ", ".join(str(source) for source in sources)
    with open_sources(sources) as files:
        checked = check(spec, _call(spec, "index", spec.index, files), named)
        if checked.missing and not allow_partial:
            raise refuse_partial(spec, checked, named)
        cuts = {variant.name: cut(variant, checked.index, spec) for variant in spec.variants}
        with replacing_folder(home.datasets / spec.name) as folder:
            rows = _rows(spec, _in_order(checked.index, files), cuts, folder, progress, keep=keep)
            index = {
                "schema": SCHEMA,
                "name": spec.name,
                "title": spec.title,
                "language": spec.language,
                "labels": list(spec.labels),
                "synthetic": spec.synthetic,
                "partial": bool(checked.missing),
                "missing": list(checked.missing),
                "skipped": [[skip.file, skip.reason] for skip in checked.index.skipped],
                "released_variant": spec.released_variant,
                "variants": [
                    {
                        "name": v.name,
                        "group": v.group,
                        "note": v.note,
                        "ratios": list(v.ratios),
                        "shares_speakers": v.shares_speakers,
                    }
                    for v in spec.variants
                ],
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
    kept = [entry for entry in index.entries if entry.label not in variant.excluded_labels]
    groups = {entry.id: group_of(entry, variant) for entry in kept}
    assigned: dict[str, tuple[str, Split]] = {}
    if variant.own_splits:
        for entry in kept:
            if entry.split is None:
                raise DataError("has no split of its own", where=f"{spec.name}: {entry.id}")
            assigned[entry.id] = (groups[entry.id], entry.split)
    else:
        drawn = draw_groups(variant.groups or groups.values(), variant.ratios)
        for entry in kept:
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


def _rows(
    spec: DatasetSpec,
    entries: Sequence[Entry],
    cuts: dict[str, dict[str, tuple[str, Split]]],
    folder: Path,
    progress: Progress,
    *,
    keep: bool,
) -> list[dict[str, Any]]:
    """Decodes every utterance; copies it into `folder` where it lies in an archive, or everything with `keep`."""
    rows, faults = [], []
    with progress.stage(f"Preparing {spec.name}", len(entries)) as advance:
        for entry in entries:
            content = entry.file.read()
            try:
                decoded = decode(content, entry.file.shown)
            except AudioError as error:
                faults.append(error)
            else:
                file = _copy(entry, content, folder) if keep or entry.file.path is None else str(entry.file.path)
                rows.append(_row(entry, decoded, file, cuts))
            advance(1)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        first = "; ".join(f"{fault.where} {fault.what}" for fault in faults[:5])
        raise AudioError(
            f"{len(faults)} files cannot be used: {first}" + ("; ..." if len(faults) > 5 else ""),
            next_step=faults[0].next_step,
        )
    return sorted(rows, key=lambda row: str(row["id"]))


def _in_order(index: Index, files: Sequence[SourceFile]) -> list[Entry]:
    """The entries as their files follow in the sources: a compressed tar is read once, from its start to its end."""
    position = {id(file): number for number, file in enumerate(files)}
    return sorted(index.entries, key=lambda entry: position.get(id(entry.file), 0))


def _copy(entry: Entry, content: bytes, folder: Path) -> str:
    """Keeps the utterance's audio below the dataset's folder, and returns its name there."""
    name = f"audio/{_safe(entry.id)}{entry.file.name.suffix.lower()}"
    target = folder / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(content)
    return name


def _safe(identifier: str) -> str:
    """The utterance id as a file name: what is not a letter, digit, dot, hyphen or underscore becomes its code."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else f"={ord(c):x}=" for c in identifier)


def _row(entry: Entry, decoded: Decoded, file: str, cuts: dict[str, dict[str, tuple[str, Split]]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": entry.id,
        "file": file,
        "label": entry.label,
        "speaker": entry.speaker,
        "sha256": decoded.sha256,
        "duration": round(decoded.duration, 6),
        "rate": decoded.rate,
        "channels": decoded.channels,
        "cut": {name: list(assigned[entry.id]) for name, assigned in cuts.items() if entry.id in assigned},
    }
    if entry.targets:
        row["targets"] = dict(entry.targets)
    return row
