"""Reads the header and the tables of a database in audformat, without the package audformat.

A table is a CSV or Parquet file next to the header. audformat also writes a pickle of the table as a cache, and prefers
it when it loads. serab never opens it: a pickle can run code, and the cache can be older than the table.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from serab_core.data.csv_table import read_csv
from serab_core.data.segments import Segment, read_segment
from serab_core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

INDEX_COLUMNS = ("file", "start", "end")
_NO_VALUE = frozenset({"", "<NA>", "NaT"})  # texts that audformat and pandas write for a missing value
_SAFE_PYARROW = "14.0.1"  # the first version that does not unpickle types from a file (CVE-2023-47248)


@dataclass(frozen=True, slots=True)
class Key:
    """The file or segment that a row of a table describes."""

    file: str
    segment: Segment | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table as the header declares it. `scheme` is "" if it has no scheme."""

    name: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the header declares it.

    Attributes:
        kind: `filewise`, `segmented` or `misc`.
        split_id: the split that its rows belong to; "" if none is declared.
        levels: the columns of its index.
    """

    name: str
    kind: str
    split_id: str
    columns: tuple[Column, ...]
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Database:
    """The header of a database, and the tables read so far.

    Attributes:
        schemes: the schemes by name, as in the header.
        splits: the type of each split.
    """

    root: Path
    schemes: Mapping[str, Mapping[str, Any]]
    splits: Mapping[str, str]
    tables: Mapping[str, Table]
    misc: Mapping[str, Table]
    _read: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def rows(self, table: Table) -> list[dict[str, str]]:
        """Return the rows of a table: cells by column, "" for a missing value. Raises DataError."""
        if table.name not in self._read:
            self._read[table.name] = _read_table(self.root, table)
        return self._read[table.name]

    def keys(self, table: Table) -> list[Key]:
        """Return the file or segment that each row of a table describes. Raises DataError."""
        keys = []
        for number, row in enumerate(self.rows(table), start=1):
            where = f"{self.root}: table {table.name}, row {number}"
            if not row["file"]:
                raise DataError("names no file", where=where, next_step="save the database again")
            segment = read_segment(row["start"], row["end"], where) if table.kind == "segmented" else None
            keys.append(Key(self._relative(row["file"]), segment))
        return keys

    def _relative(self, file: str) -> str:
        """Return a path in the notation that all tables share: with slashes, without `./`, relative to the root."""
        if "\\" in file or "./" in file or "//" in file:
            file = posixpath.normpath(file.replace("\\", "/"))
        for root in (self.root.absolute(), self.root.resolve()) if file.startswith("/") else ():
            file = file.removeprefix(f"{root.as_posix()}/")
        return file


def read_database(root: Path) -> Database:
    """Read the header of the database in a folder.

    Raises:
        DataError: the header is missing, or is not a header of audformat.
    """
    import yaml

    path = root / "db.yaml"
    if not path.is_file():
        raise DataError(
            "is not an audformat database (it has no db.yaml)", where=root, next_step="name the folder of db.yaml"
        )
    try:
        with path.open(encoding="utf-8") as file:
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(file)  # builds plain values only
            try:
                header = loader.get_single_data()
            finally:
                loader.dispose()
        if isinstance(header, dict) and len(header) == 1:  # the format of the first versions of audformat
            header = next(iter(header.values()))
        schemes = {str(name): dict(scheme or {}) for name, scheme in (header.get("schemes") or {}).items()}
        splits = {
            str(name): str((entry or {}).get("type") or "other") for name, entry in (header.get("splits") or {}).items()
        }
        tables = {str(name): _table(str(name), entry) for name, entry in (header.get("tables") or {}).items()}
        misc = {str(name): _misc(str(name), entry) for name, entry in (header.get("misc_tables") or {}).items()}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _unreadable(root, error) from error
    except (AttributeError, TypeError, ValueError, KeyError, RecursionError) as error:
        raise _unreadable(root, error) from error
    return Database(root, schemes, splits, tables, misc)


def _unreadable(root: Path, error: Exception) -> DataError:
    reason = " ".join(str(error).split())[:300]
    return DataError(
        f"is an audformat database that cannot be read: its db.yaml is damaged ({type(error).__name__}: {reason})",
        where=root,
        next_step="download it again, or save it again with audformat",
    )


def _table(name: str, header: Mapping[str, Any]) -> Table:
    kind = str(header["type"])
    if kind not in ("filewise", "segmented"):
        raise ValueError(f"table {name} is of type {kind}")
    _check_table_name(name)
    levels = INDEX_COLUMNS if kind == "segmented" else INDEX_COLUMNS[:1]
    return Table(name, kind, str(header.get("split_id") or ""), _columns(header), levels)


def _check_table_name(name: str) -> None:
    """Refuse a name that leads out of the folder: it is part of the name of a file. Raises ValueError."""
    if "/" in name or "\\" in name:
        raise ValueError(f"a table is called {name!r}")


def _misc(name: str, header: Mapping[str, Any]) -> Table:
    _check_table_name(name)
    return Table(name, "misc", "", _columns(header), tuple(str(level) for level in header.get("levels") or ()))


def _columns(header: Mapping[str, Any]) -> tuple[Column, ...]:
    columns = header.get("columns") or {}
    return tuple(Column(str(name), str((entry or {}).get("scheme_id") or "")) for name, entry in columns.items())


def _read_table(root: Path, table: Table) -> list[dict[str, str]]:
    base = root / f"db.{table.name}"
    parquet, csv, pickle = (base.with_name(f"{base.name}.{ending}") for ending in ("parquet", "csv", "pkl"))
    if parquet.is_file() and (not csv.is_file() or _parquet_is_supported()):
        rows = _read_parquet(parquet)
    elif csv.is_file():
        read = read_csv(csv, table.levels, delimiters=(",",))
        names = [name.strip("\ufeff") for name in read.header]
        rows = [dict(zip(names, record.cells, strict=True)) for record in read.records]
    elif pickle.is_file():
        raise DataError(
            f"has the table {table.name} only as a pickle, which can run code and is not loaded",
            where=root,
            next_step='save the database again in another format: db.save(FOLDER, storage_format="csv")',
        )
    else:
        raise DataError(
            f"has no file for the table {table.name} ({csv.name} or {parquet.name})",
            where=root,
            next_step="download the database again",
        )
    declared = [*table.levels, *(column.name for column in table.columns)]
    present = set(rows[0]) if rows else set(declared)
    lacking = [name for name in declared if name not in present]
    if lacking:
        raise DataError(
            f"has a table {table.name} without the column {' and '.join(lacking)} that its db.yaml declares",
            where=root,
            next_step="download the database again, or save it again with audformat",
        )
    return [{name: "" if row[name] in _NO_VALUE else row[name] for name in declared} for row in rows]


def _parquet_is_supported() -> bool:
    import importlib.util

    return importlib.util.find_spec("pyarrow") is not None


def _read_parquet(path: Path) -> list[dict[str, str]]:
    """Return the rows of a Parquet file as texts, equal to those of the CSV of the same table."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            "is a table in Parquet, which needs the package pyarrow",
            where=path,
            next_step='pip install pyarrow, or save the database as CSV: db.save(FOLDER, storage_format="csv")',
        ) from error
    from packaging.version import Version

    if Version(pyarrow.__version__) < Version(_SAFE_PYARROW):
        raise DataError(
            f"is a table in Parquet, and pyarrow {pyarrow.__version__} can run code that such a file holds",
            where=path,
            next_step="pip install -U pyarrow",
        )
    try:
        read = parquet.read_table(path)
        columns: dict[str, list[str]] = {}
        for name, column in zip(read.column_names, read.columns, strict=True):
            kind = column.type
            if pyarrow.types.is_duration(kind):
                scale = {"s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
                numbers = column.cast(pyarrow.int64()).to_pylist()
                columns[str(name)] = ["" if value is None else repr(value / scale) for value in numbers]
            else:
                if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_date(kind):
                    column = column.cast(pyarrow.string())
                columns[str(name)] = ["" if value is None else str(value) for value in column.to_pylist()]
    except Exception as error:  # pyarrow raises errors of many classes
        reason = " ".join(str(error).split())[:300]
        raise DataError(
            f"is not a Parquet file that can be read ({type(error).__name__}: {reason})",
            where=path,
            next_step="download the database again",
        ) from error
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
