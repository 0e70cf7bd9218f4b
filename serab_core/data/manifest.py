"""A corpus of one's own, without code: a CSV manifest with path, label, speaker and perhaps split."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from serab_core.errors import DataError, UsageError
from serab_core.types import SPLITS, DatasetSpec, Entry, Index, SourceFile, SplitVariant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from serab_core.types import Split

REQUIRED = ("path", "label", "speaker")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SPLIT_WORDS: dict[str, Split] = {
    "dev": "validation",
    "devel": "validation",
    "val": "validation",
    "valid": "validation",
}


def own_name(name: str, taken: Iterable[str]) -> str:
    """Checks a name for a corpus of one's own.

    Raises:
        UsageError: it has other signs than small letters, digits, hyphens and underscores, or belongs to a plugin.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a dataset", next_step="take small letters, digits, - and _")
    if name in taken:
        raise UsageError(f"{name!r} is the name of a plugin's dataset", next_step="take another name")
    return name


def read_manifest(path: Path) -> tuple[Entry, ...]:
    """The utterances of a manifest; paths in it are relative to its folder, ids are those paths.

    Raises:
        DataError: it is missing or no CSV, lacks a column, has an empty cell or an unknown split, names a file twice
            or one that is not there, or gives a split to some utterances only.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error})", where=path, next_step="name a CSV file in UTF-8") from error
    rows = csv.DictReader(text.splitlines())
    lacking = [column for column in REQUIRED if column not in (rows.fieldnames or ())]
    if lacking:
        raise DataError(
            f"has no column {' and '.join(lacking)}",
            where=path,
            next_step=f"its first line must name the columns {', '.join(REQUIRED)}, and perhaps split",
        )
    return entries_of(((row, f"{path}, line {number}") for number, row in enumerate(rows, start=2)), path.parent, path)


def entries_of(rows: Iterable[tuple[dict[str, str], str]], root: Path, named: Path) -> tuple[Entry, ...]:
    """Entries of rows with `path`, `label`, `speaker` and perhaps `split`; each comes with where it stands."""
    entries: dict[str, Entry] = {}
    for row, where in rows:
        cells = {column: (row.get(column) or "").strip() for column in (*REQUIRED, "split")}
        empty = [column for column in REQUIRED if not cells[column]]
        if empty:
            raise DataError(f"has no {' and '.join(empty)}", where=where, next_step="fill the cell, or delete the line")
        identifier = PurePosixPath(cells["path"].replace("\\", "/")).as_posix()
        if identifier in entries:
            raise DataError(f"names {identifier} a second time", where=where, next_step="name each file once")
        file = (root / identifier).absolute()
        if not file.is_file():
            raise DataError(
                f"names {file}, which is not there", where=where, next_step="paths are relative to the manifest"
            )
        source = SourceFile(PurePosixPath(identifier), file.stat().st_size, file.read_bytes, file)
        entries[identifier] = Entry(
            identifier, source, cells["label"], cells["speaker"], split=_split(cells["split"], where)
        )
    missing = [entry.id for entry in entries.values() if entry.split is None]
    if missing and len(missing) < len(entries):
        raise DataError(
            f"gives no split to {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else ""),
            where=named,
            next_step="give a split to every utterance, or to none",
        )
    return tuple(entries[key] for key in sorted(entries))


def own_dataset(name: str, entries: Sequence[Entry], language: str) -> DatasetSpec:
    """A dataset of exactly these utterances, cut as they say, or else by the paper's rule over speakers."""
    counts = Counter(entry.label for entry in entries)
    own_splits = any(entry.split is not None for entry in entries)
    return DatasetSpec(
        name=name,
        title=name,
        language=language,
        labels=tuple(sorted(counts)),
        index=lambda files: Index(tuple(entries)),
        licence="your own",
        citation="",
        how_to_get="it is your own corpus",
        expected_counts=dict(sorted(counts.items())),
        expected_speakers=len({entry.speaker for entry in entries}),
        variants=(SplitVariant(own_splits=own_splits),),
    )


def _split(word: str, where: str) -> Split | None:
    if not word:
        return None
    lower = word.lower()
    for split in SPLITS:
        if split == lower:
            return split
    if lower in _SPLIT_WORDS:
        return _SPLIT_WORDS[lower]
    raise DataError(f"has split {word!r}", where=where, next_step=f"splits are {', '.join(SPLITS)}")
