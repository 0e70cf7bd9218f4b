"""The corpus of a user without a plugin: checks the rows of a manifest or a database, and makes a dataset of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from serab_core.data.label_values import Value, check_labels, check_speakers, label_notes, shown_places, speaker_notes
from serab_core.data.row_files import RowFiles, missing_files_error, relative_id
from serab_core.data.segments import Segment, overlap_note, segment_id
from serab_core.data.splits import draw_groups
from serab_core.errors import DataError, UsageError
from serab_core.system.hints import option
from serab_core.system.text import list_names
from serab_core.types import SPLITS, DatasetSpec, Entry, Index, Skipped, SplitVariant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from serab_core.types import Split

SPLIT_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("validation", "valid", "validate", "val", "dev", "devel", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "eval", "evaluation"), "test"),
}
"""Accepted values of a split column, in lower case, with the split that they mean."""
NO_SPLIT = "none"  # the value of `--split` that draws splits even if the corpus has splits
TRAIN_VALIDATION = (0.75, 0.25, 0.0)  # fractions of the train speakers for train and validation: the paper's 60 to 20
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that the user named; "" for the default column of the reader. `split` and `fold` can be `none`."""

    path: str = ""
    label: str = ""
    speaker: str = ""
    split: str = ""
    fold: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An utterance as a manifest or a database writes it.

    Attributes:
        source: the manifest, or the database.
        place: the position of the row in the source, such as `line 5`.
        root: the folder that `path` is relative to.
        path, label, speaker, split: the cells, with their blanks; "" for an empty cell.
        segment: start and end in seconds; None for the whole file.
        prefix: the beginning of the id of the utterance.
        fold: the fold of the corpus's own cross-validation; "" if it defines none.
    """

    source: str
    place: str
    root: Path
    path: str
    label: str
    speaker: str
    split: str = ""
    segment: Segment | None = None
    prefix: str = ""
    fold: str = ""


@dataclass(frozen=True, slots=True)
class UserCorpus:
    """The utterances of a user's corpus.

    Attributes:
        entries: sorted by id.
        skipped: files of the corpus that the task leaves out, with the reason.
        notes: sentences for the user.
        split_note: the text shown with every result on its splits.
    """

    entries: tuple[Entry, ...]
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    split_note: str = ""


def check_dataset_name(name: str, reserved_names: Iterable[str]) -> str:
    """Return the name of a user's dataset, after checking it.

    Raises:
        UsageError: the name has characters other than lower-case letters, digits, hyphens and underscores, or is the
            name of a plugin's dataset.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid dataset name",
            next_step="use lower-case letters, digits, - and _ (such as my-corpus)",
        )
    if name in reserved_names:
        raise UsageError(f"{name!r} is the name of a plugin's dataset", next_step="choose another name")
    return name


def build_corpus(
    rows: Sequence[Row], source_name: str, *, skipped: Sequence[Skipped] = (), notes: Sequence[str] = ()
) -> UserCorpus:
    """Return the utterances of rows.

    Args:
        rows: the rows; all of them give a split, or none does.
        source_name: the name of their source in messages.
        skipped: the files that the reader has left out.
        notes: the notes of the reader.

    Raises:
        DataError: a cell is empty, labels or speakers are implausible, a split is unknown, a file is missing or named
            twice, or train or test has no row.
    """
    if not rows:
        raise DataError("has no rows", where=source_name, next_step="write a row for each utterance")
    _refuse_empty(rows)
    check_labels((Value(row.label, row.place) for row in rows), source_name)
    check_speakers((Value(row.speaker, row.place) for row in rows), source_name)
    entries = _entries(rows)
    fold_note = _fold_note(entries, source_name)
    entries, split_note = _complete_splits(entries, source_name, skipped)
    all_notes = [*notes, *fold_note, *overlap_note(entries)]
    all_notes += label_notes({entry.label for entry in entries})
    all_notes += speaker_notes({entry.speaker for entry in entries})
    return UserCorpus(entries, tuple(skipped), (*all_notes, *([split_note] if split_note else [])), split_note)


def user_dataset(name: str, corpus: UserCorpus, language: str) -> DatasetSpec:
    """Return a dataset of these utterances with the splits of the corpus, or else by the paper's rule over speakers."""
    counts = Counter(entry.label for entry in corpus.entries)
    has_splits = any(entry.split is not None for entry in corpus.entries)
    return DatasetSpec(
        name=name,
        title=name,
        language=language,
        labels=tuple(sorted(counts)),
        index=lambda files: Index(corpus.entries, corpus.skipped),
        licence="your own",
        citation="",
        how_to_get="correct its manifest or database, and add it again",
        expected_counts=dict(sorted(counts.items())),
        expected_speakers=len({entry.speaker for entry in corpus.entries}),
        variants=(SplitVariant(own_splits=has_splits, note=corpus.split_note),),
    )


def split_of(word: str) -> Split | None:
    """Return the split with this name or synonym; None for other texts."""
    return SPLIT_NAMES.get(word.strip().casefold())


def _refuse_empty(rows: Sequence[Row]) -> None:
    empty: dict[str, list[str]] = defaultdict(list)
    first: Row | None = None
    lacking: list[str] = []
    for row in rows:
        blank_cells = [name for name in ("path", "label", "speaker") if not getattr(row, name).strip()]
        if blank_cells and first is None:
            first, lacking = row, blank_cells
        for name in blank_cells:
            empty[name].append(row.place)
    if first is None:
        return
    counts = "; ".join(
        f"{len(places)} rows have no {name}: {shown_places(places)}"
        for name, places in empty.items()
        if len(places) > 1
    )
    raise DataError(
        f"has no {' and '.join(lacking)}" + (f" ({counts})" if counts else ""),
        where=f"{first.source}, {first.place}",
        next_step="fill the cell, or delete the line",
    )


def _entries(rows: Sequence[Row]) -> tuple[Entry, ...]:
    """Return the entries of rows, sorted by id. Raises DataError."""
    files = RowFiles()
    faults: list[tuple[str, str, str]] = []
    entries: list[Entry] = []
    for row in rows:
        split = _row_split(row)
        source = files.find(row.root, row.path)
        if isinstance(source, str):
            faults.append((row.source, row.place, source))
            continue
        identifier = relative_id(row.path.strip(), row.prefix)
        files.claim(source, row.segment, identifier, row.source, row.place)
        entries.append(
            Entry(
                segment_id(identifier, row.segment),
                source,
                row.label.strip(),
                row.speaker.strip(),
                split=split,
                segment=row.segment,
                fold=row.fold.strip(),
            )
        )
    if faults:
        raise missing_files_error(faults)
    return tuple(sorted(entries, key=lambda entry: entry.id))


def _row_split(row: Row) -> Split | None:
    if not row.split.strip():
        return None
    split = split_of(row.split)
    if split is None:
        raise DataError(
            f"has split {row.split.strip()!r}",
            where=f"{row.source}, {row.place}",
            next_step=f"splits are {', '.join(SPLITS)} (also: {', '.join(w for w in SPLIT_NAMES if w not in SPLITS)}); "
            f"to have the splits drawn, add {option('split', 'none')}",
        )
    return split


def _fold_note(entries: Sequence[Entry], source_name: str) -> list[str]:
    """Return a note about the folds; none without folds. Raises DataError if only some utterances have a fold."""
    without = [entry.id for entry in entries if not entry.fold]
    if len(without) == len(entries):
        return []
    if without:
        raise DataError(
            f"gives no fold to {without[0]}" + (f" and {len(without) - 1} more" if len(without) > 1 else ""),
            where=source_name,
            next_step=f"give a fold to every utterance, or leave the column out with {option('fold', 'none')}",
        )
    folds: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        folds[entry.speaker].add(entry.fold)
    crossing = sorted(speaker for speaker, names in folds.items() if len(names) > 1)
    count = len({entry.fold for entry in entries})
    if crossing:
        return [
            f"{count} folds, which the protocol folds refuses: {len(crossing)} speakers are in more than one of them "
            f"({list_names(crossing, 5)})"
        ]
    return [f"{count} folds, each tested once by the protocol folds"]


def _complete_splits(
    entries: tuple[Entry, ...], source_name: str, skipped: Sequence[Skipped]
) -> tuple[tuple[Entry, ...], str]:
    """Return the entries, with a validation split from train if the corpus lacks one, and a note about it."""
    missing = [entry.id for entry in entries if entry.split is None]
    if len(missing) == len(entries):
        return entries, ""
    if missing:
        raise DataError(
            f"gives no split to {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
            where=source_name,
            next_step="give a split to every utterance, or to no utterance",
        )
    counts = Counter(entry.split for entry in entries)
    lacking = [split for split in ("train", "test") if not counts[split]]
    if lacking:
        summary = ", ".join(f"{split} {counts[split]}" for split in SPLITS if counts[split])
        if skipped:
            reason, count = Counter(skip.reason for skip in skipped).most_common(1)[0]
            summary += f"; {len(skipped)} files are left out, {count} of them for this reason: {reason}"
        raise DataError(
            f"has no utterance in {' and '.join(lacking)}; its splits are: {summary}",
            where=source_name,
            next_step="add the rows of the other splits, or have all splits drawn over speakers: "
            f"{option('split', 'none')}",
        )
    if counts["validation"]:
        return entries, ""
    speakers = sorted({entry.speaker for entry in entries if entry.split == "train"})
    if len(speakers) < 2:
        raise DataError(
            f"has no utterance in validation, and train has only the speaker {speakers[0]}, so that no validation "
            "split can be cut from it by speakers",
            where=source_name,
            next_step="give a part of the rows the split validation, or have all splits drawn: "
            f"{option('split', 'none')}",
        )
    drawn = draw_groups(speakers, TRAIN_VALIDATION)
    cut = tuple(replace(entry, split=drawn[entry.speaker]) if entry.split == "train" else entry for entry in entries)
    validation_speakers = [speaker for speaker in speakers if drawn[speaker] == "validation"]
    moved = sum(entry.split == "validation" for entry in cut)
    return cut, (
        f"the corpus has no validation split: serab uses {moved} of {counts['train']} train utterances for it, those "
        f"of {len(validation_speakers)} of the {len(speakers)} train speakers ({shown_places(validation_speakers)})"
    )
