"""Reads manifests: CSV files with a row for each utterance, which gives its file, label, speaker and perhaps split."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from serab_core.data.csv_table import column_key, read_csv
from serab_core.data.naming import AUDIO_SUFFIXES
from serab_core.data.segments import read_segment
from serab_core.data.user_corpus import NO_SPLIT, Columns, Row, UserCorpus, build_corpus, split_of
from serab_core.errors import DataError
from serab_core.system.hints import option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serab_core.data.csv_table import CsvTable, Record

REQUIRED = ("path", "label", "speaker")
SEGMENT_COLUMNS = ("start", "end")
_SPLIT_SYNONYMS = ("set", "partition", "subset", "fold", "split_set", "data_split", "usage")
_SEGMENT_SYNONYMS = (
    {"starttime", "start_time", "start time", "start_s", "begin", "onset", "tmin", "from"},
    {"endtime", "end_time", "end time", "end_s", "stop", "offset", "tmax", "to"},
)
_DURATION_SYNONYMS = ("duration", "dur", "length")
# Common names of each column in other manifests, the most common first.
_SYNONYMS = {
    "path": ("path", "file", "audio", "wav", "clip", "name"),
    "label": ("label", "emotion", "class", "categor", "target", "emo"),
    "speaker": ("speaker", "spk", "actor", "subject", "participant"),
    "split": ("split", "partition", "subset", "fold", "set"),
}


def read_manifest(
    paths: Path | Sequence[Path], columns: Columns | None = None, segments: bool | None = None
) -> UserCorpus:
    """Read the utterances of one or several manifests.

    Paths in a manifest are relative to its folder, and are the ids. If the manifests are in several folders, an
    id begins with the folder of its manifest, relative to the common folder of all manifests.

    Args:
        paths: the manifests, whose rows make one corpus.
        columns: the names of the columns; by default `path`, `label`, `speaker`, and `split` if it exists.
        segments: True cuts the segments that the columns `start` and `end` give; False uses whole files even if there
            are such columns; None refuses such columns.

    Raises:
        DataError: a manifest is missing or is not a CSV, lacks a column, has an empty cell, implausible labels or
            speakers or an unknown split, names a missing file or a file twice, or gives a split only to some rows.
    """
    paths = [paths] if isinstance(paths, Path) else list(paths)
    columns = columns or Columns()
    folders = [path.absolute().parent for path in paths]
    common = Path(os.path.commonpath(folders))
    rows: list[Row] = []
    notes: list[str] = []
    for path, folder in zip(paths, folders, strict=True):
        prefix = "" if folder == common else folder.relative_to(common).as_posix()
        table_rows, table_notes = _read_manifest(path, columns, segments, prefix, several=len(paths) > 1)
        rows += table_rows
        notes += table_notes
    if (
        len(paths) > 1
        and not any(row.split.strip() for row in rows)
        and any(_is_named_after_split(path) for path in paths)
    ):
        notes.append(
            "the names of the manifests are not used as splits: the splits are drawn over speakers; to use the splits "
            "of the corpus, add a column split to each manifest"
        )
    return build_corpus(rows, ", ".join(str(path) for path in paths), notes=notes)


def _read_manifest(
    path: Path, columns: Columns, segments: bool | None, prefix: str, *, several: bool
) -> tuple[list[Row], list[str]]:
    """Return the rows of a manifest, and notes about it."""
    names = {
        "path": columns.path or "path",
        "label": columns.label or "label",
        "speaker": columns.speaker or "speaker",
        "split": columns.split or "split",
        "fold": columns.fold or "fold",
    }
    table = read_csv(path, [*names.values(), *SEGMENT_COLUMNS])
    notes = list(table.notes)
    places = {role: table.column(name) for role, name in names.items()}
    if columns.split == NO_SPLIT:
        places["split"] = None
    if columns.fold == NO_SPLIT or (not columns.fold and _holds_splits(table, places["fold"])):
        places["fold"] = None
    optional = {"split": columns.split, "fold": columns.fold}
    required = [role for role in names if role in REQUIRED or optional.get(role, "") not in ("", NO_SPLIT)]
    lacking = [role for role in required if places[role] is None]
    if lacking:
        raise _no_column(table, names, lacking)
    pairs = ("label", "path"), ("label", "speaker"), ("label", "split"), ("speaker", "split"), ("label", "fold")
    for first, second in pairs:
        if places[first] is not None and places[first] == places[second]:
            raise DataError(
                f"would have the column {names[first]} as both {first} and {second}",
                where=path,
                next_step=f"name another column with {option(first)} or {option(second)}; the columns are: "
                f"{table.named_columns}",
            )
    if not table.records:
        raise DataError("has no rows below its header", where=path, next_step="write a row for each utterance")
    if places["split"] is None and not columns.split:
        notes += _unread_splits(table)
    spans = _spans(table, segments)
    if spans is None and segments is None:
        notes += _unread_times(table)
    rows = []
    for record in table.records:
        place = f"{path.name}, line {record.line}" if several else f"line {record.line}"
        where = f"{path}, line {record.line}"
        cells = {role: "" if at is None else record.cells[at] for role, at in places.items()}
        _refuse_swallowed_rows(table, record, places["path"] or 0)
        span = None
        if spans is not None:
            start, end = ("" if at is None else record.cells[at] for at in spans)
            span = read_segment(start, end, where)
        rows.append(
            Row(str(path.parent if several else path), place, path.parent, **cells, segment=span, prefix=prefix)
        )
    return rows, notes


def _refuse_swallowed_rows(table: CsvTable, record: Record, path_at: int) -> None:
    """Refuse a quoted cell that holds another row: two stray quotes on different lines join the text between them."""
    for at, cell in enumerate(record.cells):
        if at == path_at or ("\n" not in cell and "\r" not in cell):
            continue
        for line in re.split(r"\r\n|\r|\n", cell)[1:]:
            inner = line.split(table.delimiter)
            name = inner[path_at].strip() if len(inner) > path_at else ""
            if name and os.path.isfile(table.path.parent / name):  # noqa: PTH113  it returns False for a name that is too long
                raise DataError(
                    f"opens a quote that ends on a later line, so that a cell holds another row (that of {name})",
                    where=f"{table.path}, line {record.line}",
                    next_step='write a quote that belongs to the text twice, inside a cell in quotes: "he said ""no"""',
                )


def _no_column(table: CsvTable, names: dict[str, str], lacking: list[str]) -> DataError:
    """Return the error for missing columns, with the columns that the manifest has."""
    fault = f"has no column {' and '.join(names[role] for role in lacking)}; its columns are: {table.named_columns}"
    step = f"the first line must name the columns {', '.join(REQUIRED)}, and perhaps split"
    if any(PurePath(name.strip()).suffix.lower() in AUDIO_SUFFIXES for name in table.header):
        fault = f"names no columns: its first line is a row ({table.named_columns})"
    elif len(table.header) == 1 and set(re.split(r"[\s:,;]+", column_key(table.header[0]))).issuperset(lacking):
        fault += ". They are not separated by commas, semicolons, tabs or vertical bars"
        step = "separate all cells by commas"
    else:
        options = _options(table, names, lacking)
        step = (
            f"name the column: {options}" if options else f"name it with {option(lacking[0], 'COLUMN')}"
        ) + f"; or {step}"
    return DataError(fault, where=table.path, next_step=step)


def _options(table: CsvTable, names: dict[str, str], lacking: list[str]) -> str:
    """Return the options with the most likely columns."""
    near: dict[str, str] = {}
    for role in lacking:
        free = [name.strip() for name in table.header if name.strip() not in (*names.values(), *near.values(), "")]
        near[role] = next((n for word in _SYNONYMS[role] for n in free if word in column_key(n)), "")
    return " ".join(option(role, name) for role, name in near.items() if name)


def _spans(table: CsvTable, segments: bool | None) -> tuple[int | None, int | None] | None:
    """Return the columns of start and end to read; None if every row is a whole file.

    Raises:
        DataError: the manifest has segments but no option says how to use them, or the reverse.
    """
    start, end = (table.column(name) for name in SEGMENT_COLUMNS)
    if segments is False:
        return None
    if start is None and end is None:
        if segments:
            raise DataError(
                f"has no columns start and end, which segments need; its columns are: {table.named_columns}",
                where=table.path,
                next_step="rename the columns of the times to start and end (in seconds), or leave "
                f"{option('segments')} out",
            )
        return None
    if segments:
        if start is None:
            raise DataError("has a column end, but no column start", where=table.path, next_step="add the column start")
        length = next((name for name in table.header if column_key(name) in _DURATION_SYNONYMS), "")
        if end is None and length:
            raise DataError(
                f"has the columns start and {length.strip()}, but no column end: each segment would last to the end "
                "of its file",
                where=table.path,
                next_step=f"add a column end, which is start + {length.strip()}, in seconds",
            )
        return start, end
    for record in table.records:
        cells = ["" if at is None else record.cells[at].strip() for at in (start, end)]
        where = f"{table.path}, line {record.line}"
        try:
            whole = read_segment(cells[0], cells[1], where) is None
        except DataError:
            whole = False
        if not whole:
            raise DataError(
                f"gives a segment of a file (start {cells[0] or '(empty)'}, end {cells[1] or '(empty)'})",
                where=where,
                next_step=f"add {option('segments')} to cut the segments out, or {option('whole-files')} if start and "
                "end are something else and each row is a whole file",
            )
    return None


def _holds_splits(table: CsvTable, at: int | None) -> bool:
    """Return whether a column has names of splits only, such as train and test."""
    return at is not None and all(split_of(record.cells[at]) for record in table.records)


def _unread_splits(table: CsvTable) -> list[str]:
    split_columns = [name for name in table.header if column_key(name) in _SPLIT_SYNONYMS]
    for name in split_columns:
        if _holds_splits(table, table.header.index(name)):
            return [f"the column {name.strip()} is not used; to use its splits, name it as the column of splits"]
    return []


def _unread_times(table: CsvTable) -> list[str]:
    columns = {column_key(name): name.strip() for name in table.header}
    starts, ends = ([columns[key] for key in columns if key in names] for names in _SEGMENT_SYNONYMS)
    lengths = [columns[key] for key in _DURATION_SYNONYMS if key in columns]
    if lengths and not (starts and ends):
        starts, ends = starts or [columns[key] for key in columns if key == "offset"], lengths
    if not starts or not ends:
        return []
    return [
        f"the columns {starts[0]} and {ends[0]} are not used: each row is a whole file; if the rows are segments "
        "of files, rename the first to start, write the end of each segment (in seconds) into a column end, and "
        "ask for segments"
    ]


def _is_named_after_split(path: Path) -> bool:
    return any(split_of(word) for word in path.stem.replace("-", "_").replace(".", "_").split("_"))
