"""Databases in audformat, audEERING's format: their tables as the rows of a user's corpus."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from serab_core.data.audformat_tables import Database, Key, Table, read_database
from serab_core.data.segments import segment_id
from serab_core.data.user_corpus import NO_SPLIT, SPLIT_NAMES, Columns, Row, UserCorpus, build_corpus, split_of
from serab_core.errors import DataError
from serab_core.system.hints import option
from serab_core.types import Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_NO_CLASSES = {
    "float": "numbers",
    "int": "whole numbers",
    "date": "dates",
    "time": "lengths of time",
    "object": "objects",
}
"""Types of schemes whose values are not classes, unless an int scheme lists its labels."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The column of a table that holds the values of a column or scheme.

    Attributes:
        column: the table's column.
        mapping: the value for each value of the column, if those are keys of a misc table or of a scheme's labels; else
            None.
        scheme: the scheme of the values.
    """

    table: Table
    column: str
    scheme: str
    mapping: Mapping[str, str] | None = None


def read_audformat(
    root: Path, columns: Columns | None = None, segments: bool | None = None, tables: Sequence[str] = ()
) -> UserCorpus:
    """Read the utterances of a database on disk.

    All tables with the label whose names differ only by the split are joined; `split_id` gives their splits. Speakers
    come from any table of files with the column, or from a misc table that it refers to.

    Args:
        root: the folder with `db.yaml`, or that file.
        columns: columns or schemes of the label (`emotion`), speaker (`speaker`) and, if named, the split.
        segments: read segmented tables, and cut their segments.
        tables: names or patterns of the tables with the label; needed where tables of several kinds have it.

    Raises:
        DataError: the folder holds no database; its tables lack a column, contradict each other, or have no classes;
            or see `build_corpus`.
    """
    columns = columns or Columns()
    if root.name == "db.yaml" and root.is_file():
        root = root.parent
    database = read_database(root)
    label = columns.label or "emotion"
    selected = _label_tables(database, label, segments, tables)
    for reference in selected:
        _refuse_no_classes(database, reference, label)
    labels, skipped = _labels(database, selected, segments)
    speakers, speaker_tables = _values(database, columns.speaker or "speaker", "speaker", set(labels))
    splits: Mapping[Key, str] = {}
    if columns.split not in ("", NO_SPLIT):
        splits, _ = _values(database, columns.split, "split", set(labels))
    elif columns.split != NO_SPLIT:
        table_splits = {reference.table.name: _table_split(database, reference.table) for reference in selected}
        splits = {key: table_splits[table] for key, (_, table) in labels.items()}
        splits = _refuse_two_splits(database, selected, table_splits, splits)
    rows = []
    for key, (text, _) in labels.items():
        if not speakers.get(key):
            skipped.append(Skipped(segment_id(key.file, key.segment), "has a label, but no speaker"))
            continue
        place = f"file {segment_id(key.file, key.segment)}"
        rows.append(Row(str(root), place, root, key.file, text, speakers[key], splits.get(key, ""), key.segment))
    if not rows:
        raise DataError(
            f"has no speaker for any of its {len(labels)} files with a label",
            where=root,
            next_step=f"name the column or scheme of the speakers: {option('speaker', 'NAME')}",
        )
    skipped += _files_without_label(database, selected)
    note = (
        f"labels from {_table_names(selected)}; speakers from {', '.join(speaker_tables)}; {len(rows)} "
        f"{'segments' if segments else 'files'} are used, {len(skipped)} are left out"
    )
    reasons = Counter(skip.reason for skip in skipped)
    notes = [note, *(f"left out: {count} ({reason})" for reason, count in reasons.most_common())]
    kinds = {reference.table.kind for reference in selected}
    others = [r for r in _references(database, label, "filewise", "segmented") if r.table.kind not in kinds]
    if others and not tables:
        notes.append(
            f"the label {label!r} is also in {_table_list(database, others)}, which are not read"
            + ("" if segments else ", because segments were not asked for")
        )
    return build_corpus(rows, str(root), skipped=skipped, notes=notes)


def _references(database: Database, name: str, *kinds: str) -> list[Reference]:
    """Return the columns for a column or scheme: direct columns, else those of a misc table or of a scheme's labels."""
    direct: list[Reference] = []
    indirect: list[Reference] = []
    for table in database.tables.values():
        if table.kind not in kinds:
            continue
        matching = [column for column in table.columns if column.name == name]
        matching = matching or [column for column in table.columns if column.scheme == name]
        if len(matching) > 1:
            raise DataError(
                f"has several columns of scheme {name!r} in table {table.name}: "
                f"{', '.join(column.name for column in matching)}",
                where=database.root,
                next_step=f"name one of the columns with {option('label')} or {option('speaker')}",
            )
        if matching:
            direct.append(Reference(table, matching[0].name, matching[0].scheme))
            continue
        for column in table.columns:
            mapping = _mapping(database, column.scheme, name)
            if mapping is not None:
                indirect.append(Reference(table, column.name, mapping[1], mapping[0]))
                break
    return direct or indirect


def _mapping(database: Database, scheme: str, name: str) -> tuple[dict[str, str], str] | None:
    """Return the values of `name` by label of a scheme, and their scheme; None if the labels have no such values."""
    labels = database.schemes.get(scheme, {}).get("labels")
    if isinstance(labels, dict):
        values = {
            str(key): str(fields[name]) for key, fields in labels.items() if isinstance(fields, dict) and name in fields
        }
        return (values, "") if values else None
    misc = database.misc.get(str(labels)) if isinstance(labels, str) else None
    if misc is None or len(misc.levels) != 1:
        return None
    column = next((c for c in misc.columns if name == c.name), None) or next(
        (c for c in misc.columns if name == c.scheme), None
    )
    if column is None:
        return None
    return {row[misc.levels[0]]: row[column.name] for row in database.rows(misc)}, column.scheme


def _label_tables(database: Database, label: str, segments: bool | None, patterns: Sequence[str]) -> list[Reference]:
    """Return the tables whose labels the corpus uses."""
    usable = _references(database, label, "filewise", "segmented")
    if not usable:
        raise _no_column(database, label, "label")
    if patterns:
        unmatched = [p for p in patterns if not any(fnmatchcase(reference.table.name, p) for reference in usable)]
        if unmatched:
            raise DataError(
                f"has no table {unmatched[0]!r} with the label {label!r}; it has: {_table_list(database, usable)}",
                where=database.root,
                next_step=f"choose with {option('table', 'NAME')}, or {option('label')} for another column",
            )
        return [r for r in usable if any(fnmatchcase(r.table.name, pattern) for pattern in patterns)]
    kind = "segmented" if segments else "filewise"
    selected = [reference for reference in usable if reference.table.kind == kind]
    if segments and not selected:
        raise DataError(
            f"has no table of segments with the label {label!r}; it has: {_table_list(database, usable)}",
            where=database.root,
            next_step=f"leave {option('segments')} out, or name another column with {option('label')}",
        )
    selected = selected or usable
    kinds = {_kind_of_table(database, reference.table) for reference in selected}
    if len(kinds) > 1:
        raise DataError(
            f"has the label {label!r} in tables of {len(kinds)} kinds: {_table_list(database, selected)}",
            where=database.root,
            next_step=f"choose the tables to read: {option('table', 'NAME')}, several times or as a pattern such as "
            f"{option('table', sorted(kinds)[0])}",
        )
    return selected


def _kind_of_table(database: Database, table: Table) -> str:
    """Return the table's name with `*` for the split: tables that differ only by the split have one kind."""
    split_names = {*SPLIT_NAMES, *(split.casefold() for split in database.splits)} | {table.split_id.casefold()} - {""}
    components = ["*" if part.casefold() in split_names else part for part in table.name.split(".")]
    return ".".join(
        "".join("*" if p.casefold() in split_names else p for p in re.split(r"([-_])", part)) for part in components
    )


def _table_split(database: Database, table: Table) -> str:
    """Return the split of a table's rows: by the type of its `split_id`, else by a name; "" for no split."""
    if not table.split_id:
        return _split_in_name(table.name)
    split_type = database.splits.get(table.split_id, "other")
    word = split_type if split_of(split_type) else _split_in_name(table.split_id)
    if not word:
        raise DataError(
            f"has the table {table.name} in the split {table.split_id!r} of type {split_type!r}, which is not "
            "train, dev or test",
            where=database.root,
            next_step=f"leave the table out by naming the others with {option('table')}, or have the splits drawn over "
            f"speakers: {option('split', 'none')}",
        )
    return word


def _split_in_name(name: str) -> str:
    split_names = {word for word in re.split(r"[._\-\s]", name) if split_of(word)}
    return split_names.pop() if len(split_names) == 1 else ""


def _refuse_no_classes(database: Database, reference: Reference, label: str) -> None:
    """Refuse a label whose values are not classes. Raises DataError."""
    scheme = database.schemes.get(reference.scheme, {})
    dtype = str(scheme.get("dtype") or "str")
    if dtype not in _NO_CLASSES or (dtype == "int" and scheme.get("labels")):
        return
    raise DataError(
        f"has {_NO_CLASSES[dtype]}, not classes, under {label!r}: the scheme {reference.scheme!r} of column "
        f"{reference.column!r} in table {reference.table.name} is of type {dtype}",
        where=database.root,
        next_step=f"name a column of classes with {option('label')}; there are: {_columns_of(database)}",
    )


def _labels(
    database: Database, selected: Sequence[Reference], segments: bool | None
) -> tuple[dict[Key, tuple[str, str]], list[Skipped]]:
    """Return the label of each file or segment with its table, and the files or segments without a label."""
    labels: dict[Key, tuple[str, str]] = {}
    empty: dict[Key, str] = {}
    for reference in selected:
        table = reference.table
        seen: set[Key] = set()
        for key, row in zip(database.keys(table), database.rows(table), strict=True):
            if key.segment is not None and not segments:
                raise DataError(
                    f"has the labels of segments in table {table.name} (first: {segment_id(key.file, key.segment)})",
                    where=database.root,
                    next_step=f"add {option('segments')} to cut the segments out, or choose a table of files with "
                    f"{option('table')}",
                )
            if key in seen:
                raise DataError(
                    f"names {segment_id(key.file, key.segment)} twice in table {table.name}",
                    where=database.root,
                    next_step="name each file once",
                )
            seen.add(key)
            text = _value(reference, row)
            if not text.strip():
                empty.setdefault(key, table.name)
            elif key in labels and labels[key][0] != text:
                raise DataError(
                    f"gives {segment_id(key.file, key.segment)} two labels: {labels[key][0]!r} in table "
                    f"{labels[key][1]}, {text!r} in table {table.name}",
                    where=database.root,
                    next_step=f"choose the tables to read with {option('table')}; there are: "
                    f"{_table_list(database, selected)}",
                )
            else:
                labels.setdefault(key, (text, table.name))
    skipped = [
        Skipped(segment_id(key.file, key.segment), f"table {table} has no label for it")
        for key, table in empty.items()
        if key not in labels
    ]
    if not labels:
        raise DataError(
            f"has no label at all in {_table_names(selected)}",
            where=database.root,
            next_step=f"name another column: {option('label', 'NAME')}",
        )
    return labels, skipped


def _refuse_two_splits(
    database: Database, selected: Sequence[Reference], table_splits: Mapping[str, str], splits: Mapping[Key, str]
) -> dict[Key, str]:
    """Return the split of each key; a table with a split takes precedence. Raises DataError if two splits differ."""
    resolved = dict(splits)
    for reference in selected:
        word = table_splits[reference.table.name]
        for key in database.keys(reference.table) if word else ():
            before = resolved.get(key)
            if before and split_of(before) != split_of(word):
                raise DataError(
                    f"puts {segment_id(key.file, key.segment)} into two splits: {before} and {word} (table "
                    f"{reference.table.name})",
                    where=database.root,
                    next_step=f"choose the tables to read with {option('table')}, or have the splits drawn: "
                    f"{option('split', 'none')}",
                )
            if before is not None:
                resolved[key] = word
    return resolved


def _values(database: Database, name: str, role: str, keys: set[Key]) -> tuple[dict[Key, str], list[str]]:
    """Return the speaker or split of each file or segment from all tables with the column, and their names."""
    references = _references(database, name, "filewise", "segmented")
    if not references:
        raise _no_column(database, name, role)
    values: dict[Key, tuple[str, str]] = {}
    for reference in references:
        table = reference.table
        for key, row in zip(database.keys(table), database.rows(table), strict=True):
            text = _value(reference, row).strip()
            if text and key in values and values[key][0] != text:
                raise DataError(
                    f"gives {segment_id(key.file, key.segment)} two values of {name!r}: {values[key][0]!r} in table "
                    f"{values[key][1]}, {text!r} in table {table.name}",
                    where=database.root,
                    next_step=f"correct one of them, or name another column with {option(role)}",
                )
            if text:
                values.setdefault(key, (text, table.name))
    selected: dict[Key, str] = {}
    used: dict[str, None] = {}
    for key in sorted(keys, key=lambda item: segment_id(item.file, item.segment)):
        value = values.get(key) or values.get(Key(key.file))
        if value is not None:
            selected[key] = value[0]
            used[value[1]] = None
    return selected, list(used) or [reference.table.name for reference in references]


def _files_without_label(database: Database, selected: Sequence[Reference]) -> list[Skipped]:
    """Return the files that only other tables name, and the tables that cannot be read."""
    known = {key.file for reference in selected for key in database.keys(reference.table)}
    others: dict[str, None] = {}
    skipped: list[Skipped] = []
    for table in database.tables.values():
        try:
            others |= {key.file: None for key in database.keys(table) if key.file not in known}
        except DataError as error:
            skipped.append(Skipped(f"table {table.name}", f"is unread, so its files are not counted: {error.what}"))
    return [*skipped, *(Skipped(file, f"is in no table used ({_table_names(selected)})") for file in sorted(others))]


def _value(reference: Reference, row: Mapping[str, str]) -> str:
    text = row[reference.column]
    return text if reference.mapping is None else reference.mapping.get(text, "")


def _no_column(database: Database, name: str, role: str) -> DataError:
    return DataError(
        f"has no table of files with a column or scheme {name!r}; its columns are: {_columns_of(database)}",
        where=database.root,
        next_step=f"name the column or scheme: {option(role, 'NAME')}",
    )


def _columns_of(database: Database) -> str:
    return ", ".join(dict.fromkeys(column.name for table in database.tables.values() for column in table.columns))


def _table_list(database: Database, references: Sequence[Reference]) -> str:
    """Name the tables with their sizes, for a message."""
    return ", ".join(
        f"{r.table.name} ({len(database.rows(r.table))} {'files' if r.table.kind == 'filewise' else 'segments'})"
        for r in references
    )


def _table_names(references: Sequence[Reference]) -> str:
    return ", ".join(reference.table.name for reference in references)
