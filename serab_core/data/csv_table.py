"""Reads CSV files as RFC 4180 defines them: cells, true line numbers, and a refusal that names the cause."""

from __future__ import annotations

import csv
import io
import re
import threading
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serab_core.errors import DataError

if TYPE_CHECKING:
    import _csv
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""Accepted delimiters with their names for messages, in the order of preference."""
_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_HEAD_RECORDS = 20  # records at the top that are searched for the names of the columns
_MAX_FIELD = 2**31 - 1  # characters; the csv module keeps its limit in a C long, which has 32 bits on Windows
_SHOWN = 60  # characters of a cell in a message
_AS_UTF8 = 'save it as UTF-8 (Excel: "CSV UTF-8 (comma delimited)"; LibreOffice: "Edit filter settings")'
_EXCEL_SEPARATOR = re.compile(r"\ufeff?\"?sep=(.)\"?(?:\r\n|\r|\n)", re.IGNORECASE)
_SIGNATURES = (
    (b"PK\x03\x04", "is a zip file, as Excel workbooks (.xlsx) are, and no CSV", 'export it as "CSV UTF-8"'),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook (.xls), and no CSV", 'export it as "CSV UTF-8"'),
    (b"\x1f\x8b", "is compressed by gzip", "unpack it first: gunzip FILE"),
    (b"BZh", "is compressed by bzip2", "unpack it first: bunzip2 FILE"),
    (b"\xfd7zXZ\x00", "is compressed by xz", "unpack it first: unxz FILE"),
    (b"PAR1", "is a Parquet file, and no CSV", "write it as CSV: pandas.read_parquet(FILE).to_csv(...)"),
    (b"{", "is JSON, and no CSV", "write it as CSV: pandas.read_json(FILE).to_csv(...)"),
    (b"[{", "is JSON, and no CSV", "write it as CSV: pandas.read_json(FILE).to_csv(...)"),
    (b"version https://git-lfs", "is a git-lfs pointer: its content was not downloaded", "run: git lfs pull"),
)
_limit_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a CSV file.

    Attributes:
        line: the physical line that it starts at, counted from 1.
        cells: its cells, as many as the header has.
    """

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file as read.

    Attributes:
        header: the names of its columns, as written.
        records: its records, without blank lines.
        delimiter: the character between its cells.
        notes: sentences for the user about how the file was read.
    """

    path: Path
    header: tuple[str, ...]
    records: tuple[Record, ...]
    delimiter: str
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> int | None:
        """Return the index of the column called `name`, ignoring case and blanks; None if it is missing."""
        key = column_key(name)
        return next((at for at, heading in enumerate(self.header) if key and column_key(heading) == key), None)

    @property
    def named_columns(self) -> str:
        """The names of the columns for a message."""
        return ", ".join(name.strip() for name in self.header if column_key(name)) or "(none has a name)"


def column_key(name: str) -> str:
    """Return the name of a column without case, surrounding blanks and invisible characters."""
    visible = "".join(c for c in unicodedata.normalize("NFKC", name) if unicodedata.category(c) != "Cf")
    return visible.strip().casefold()


def read_csv(path: Path, expected: Collection[str], delimiters: Sequence[str] = tuple(DELIMITERS)) -> CsvTable:
    """Read a CSV file in UTF-8.

    The delimiter is the one with which the header has most of the expected columns; among equals, a comma is preferred.

    Args:
        path: the file.
        expected: names of columns that the file should have.
        delimiters: delimiters to consider.

    Raises:
        DataError: the file cannot be read, is not in UTF-8, is not a CSV, has two columns with the same name, or has a
            row with more or fewer cells than the header.
    """
    text = _text(path)
    offset = 0  # lines before the header that are not records
    separator = _EXCEL_SEPARATOR.match(text)
    if separator and separator[1] in DELIMITERS:  # a first line that Excel writes, which names the delimiter
        text, offset, delimiters = text[separator.end() :], 1, (separator[1],)
    if not text.strip("\ufeff \t\r\n"):
        raise DataError("is empty", where=path, next_step="its first line must name the columns")
    keys = [column_key(name) for name in expected]
    delimiter = _choose_delimiter(text, keys, delimiters)
    records = [record for record in _records(path, text, delimiter, offset) if any(c.strip() for c in record.cells)]
    if not records:
        raise DataError("has only blank lines", where=path, next_step="its first line must name the columns")
    _refuse_lines_above_header(path, records, keys)
    header, rows = records[0], records[1:]
    _refuse_duplicate_names(path, header)
    notes = [] if delimiter == "," else [f"{path.name}: its cells are separated by {DELIMITERS[delimiter]}"]
    if len(rows) > 1 and all(len(row.cells) == len(header.cells) + 1 for row in rows):
        header, rows, note = _drop_unnamed_column(path, header, rows, delimiter)
        notes += note
    names = [column_key(name) for name in header.cells]
    has_names = not set(names).isdisjoint(keys)
    for row in rows:
        if len(row.cells) != len(header.cells):
            raise _wrong_count(path, header, row, delimiter)
        if has_names and row.cells[0] == header.cells[0] and [column_key(cell) for cell in row.cells] == names:
            raise DataError(
                "repeats the names of the columns, as in files that were joined end to end",
                where=f"{path}, line {row.line}",
                next_step="delete the line",
            )
    return CsvTable(path, header.cells, tuple(rows), delimiter, (*notes, *_multiline_note(path, rows)))


def _refuse_lines_above_header(path: Path, records: Sequence[Record], keys: Sequence[str]) -> None:
    """Refuse a title or comments above the line that names the columns."""

    def count_names(record: Record) -> int:
        return len(set(keys).intersection(column_key(cell) for cell in record.cells))

    best = max(records[:_HEAD_RECORDS], key=count_names)  # the first, if several have the same number
    if best is records[0] or count_names(best) < 2 or count_names(records[0]):
        return
    above = _short(next(cell.strip() for cell in records[0].cells if cell.strip()))
    raise DataError(
        f"names its columns in line {best.line}, below other lines (the first: {above})",
        where=path,
        next_step=f"delete the lines above line {best.line}: the first line must name the columns",
    )


def _drop_unnamed_column(
    path: Path, header: Record, rows: list[Record], delimiter: str
) -> tuple[Record, list[Record], list[str]]:
    """Remove a column without a name in the header: the row numbers that R writes, or the effect of a last delimiter.

    Rows with a surplus cell because of a delimiter inside a cell stay unchanged, and are refused later.
    """
    numbers = [row.cells[0] for row in rows]
    if all(number.isascii() and number.isdigit() for number in numbers) and len(set(numbers)) == len(numbers):
        note = f"{path.name}: the first cell of each row is its number, which has no name in the header"
        return header, [Record(row.line, row.cells[1:]) for row in rows], [note]
    if not any(row.cells[-1].strip() for row in rows) and any(row.cells[-2].strip() for row in rows):
        note = f"{path.name}: each row ends in a {_DELIMITER_NAMES[delimiter]}, and the header does not"
        return header, [Record(row.line, row.cells[:-1]) for row in rows], [note]
    return header, rows, []


def _text(path: Path) -> str:
    """Return the content of a file in UTF-8, without its byte order mark. Raises DataError."""
    try:
        content = path.read_bytes()
    except IsADirectoryError as error:
        raise DataError("cannot be read (it is a folder)", where=path, next_step="name a CSV file") from error
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise DataError(f"cannot be read ({reason})", where=path, next_step="check the path") from error
    for signature, fault, step in _SIGNATURES:
        if content.startswith(signature):
            raise DataError(fault, where=path, next_step=step)
    wide = _wide_encoding(content)
    if wide:
        raise DataError(
            f'cannot be read: it is in {wide}, as Excel writes "Unicode text", not in UTF-8',
            where=path,
            next_step=f"{_AS_UTF8}, or: iconv -f {wide} -t UTF-8 {path.name} > utf8.csv",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(content, error.start)
        raise DataError(
            f"cannot be read: byte 0x{content[error.start]:02x} in line {line} is not UTF-8; {_guess(content)}",
            where=path,
            next_step=_AS_UTF8,
        ) from error
    if "\0" in text:
        line = _line_of(content, content.index(b"\0"))
        raise DataError(
            f"has a NUL character in line {line}, which no text holds: it is damaged, or no CSV",
            where=path,
            next_step="export it again",
        )
    return text


def _wide_encoding(content: bytes) -> str:
    """Return the name of the encoding of a file in UTF-16 or UTF-32; "" for other encodings."""
    for mark, name in ((b"\xff\xfe\0\0", "UTF-32"), (b"\0\0\xfe\xff", "UTF-32"), (b"\xff\xfe", "UTF-16")):
        if content.startswith(mark):
            return name
    if content.startswith(b"\xfe\xff"):
        return "UTF-16"
    head = content[:2000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 8 and max(even, odd) > 0.6 * (len(head) // 2) and min(even, odd) < 0.1 * len(head):
        return "UTF-16LE" if odd > even else "UTF-16BE"
    return ""


def _guess(content: bytes) -> str:
    """Describe the probable encoding of a file that is not in UTF-8, for a message."""
    if any(0x80 <= byte < 0xA0 for byte in content):
        try:
            content.decode("cp1252")
        except UnicodeDecodeError:
            return "its encoding is not known"
        return "it seems to be in Windows-1252 or another encoding of one byte a character"
    return "it seems to be in Latin-1 or another encoding of one byte a character"


def _line_of(content: bytes, position: int) -> int:
    """Return the physical line of a byte, counted from 1."""
    before = content[:position].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return before.count(b"\n") + 1


@contextmanager
def _field_limit(limit: int) -> Iterator[None]:
    """Raise the csv module's limit for the length of a cell, and restore it afterwards.

    The limit applies to the whole process and is 131,072 characters, less than a long transcript. It protects programs
    that read a stream. Here the text is in memory already, so that no cell is longer than the text. The lock prevents
    two threads from restoring each other's value.
    """
    with _limit_lock:
        before = csv.field_size_limit(min(max(limit, csv.field_size_limit()), _MAX_FIELD))
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _choose_delimiter(text: str, keys: Sequence[str], delimiters: Sequence[str]) -> str:
    """Return the delimiter with which the header has most of the expected columns, then most cells; then the first."""

    def score(delimiter: str) -> tuple[int, int]:
        rows: list[list[str]] = []
        try:
            for row in _reader(io.StringIO(text, newline=""), text, delimiter):
                if any(cell.strip() for cell in row):
                    rows.append([column_key(cell) for cell in row])
                if len(rows) == _HEAD_RECORDS:
                    break
        except csv.Error:
            if not rows:
                return -1, 0
        # A title or comments may precede the header; `_refuse_lines_above_header` reports them later.
        return max((len(set(keys).intersection(names)) for names in rows), default=0), len(rows[0]) if rows else 0

    with _field_limit(len(text)):
        return max(delimiters, key=score)


def _reader(lines: Iterable[str], text: str, delimiter: str) -> _csv.Reader:
    """Return a reader of the lines of a text, which end only at CR, LF or CRLF, also inside quotes."""
    first = re.split(r"[\r\n]", text.lstrip("\ufeff \t\r\n"), maxsplit=1)[0]
    spaced = re.search(re.escape(delimiter) + ' +"', first) is not None  # blanks before quotes
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=spaced)


def _records(path: Path, text: str, delimiter: str, offset: int) -> list[Record]:
    """Return all records of a text. Raises DataError if its quotes are wrong."""
    records: list[Record] = []
    start, ended = offset, False

    def lines() -> Iterator[str]:
        nonlocal ended
        yield from io.StringIO(text, newline="")
        ended = True

    with _field_limit(len(text)):
        reader = _reader(lines(), text, delimiter)
        try:
            for cells in reader:
                records.append(Record(start + 1, tuple(cells)))
                start = reader.line_num + offset
        except csv.Error as error:
            fault = f"has text after a closing quote (in line {reader.line_num + offset})"
            if ended:
                fault = "opens a quote that is never closed"
            raise DataError(
                fault,
                where=f"{path}, line {start + 1}",
                next_step='put the whole cell in quotes and write each quote inside it twice, such as "he said ""no"""',
            ) from error
    return records


def _refuse_duplicate_names(path: Path, header: Record) -> None:
    seen: dict[str, str] = {}
    for name in header.cells:
        key = column_key(name)
        if not key:
            continue  # the index that pandas writes, or a comma at the end of the line
        if key in seen:
            both = repr(name) if name == seen[key] else f"{seen[key]!r} and {name!r}"
            raise DataError(
                f"has two columns with the same name: {both}",
                where=f"{path}, line {header.line}",
                next_step="rename or delete one of them",
            )
        seen[key] = name


def _wrong_count(path: Path, header: Record, row: Record, delimiter: str) -> DataError:
    """Return the error for a record with more or fewer cells than the header."""
    have, need = len(row.cells), len(header.cells)
    name = _DELIMITER_NAMES[delimiter]
    counts = f"has {have} cell{'s' if have != 1 else ''}, but the header has {need}"
    if have > need:
        surplus = ", ".join(_short(cell) for cell in row.cells[need:][:5])
        cause = f"; surplus: {surplus}. Probably a {name} inside a cell that is not in quotes"
        step = 'put a cell that holds this character in quotes, such as "oh no, not again"'
        if not any(cell.strip() for cell in row.cells[need:]):
            cause = f"; the surplus cells are blank. Probably the line ends in a {name}, or a cell before has one"
            step = f"delete the {name} at the end of the line, or {step}"
        return DataError(counts + cause, where=f"{path}, line {row.line}", next_step=step)
    missing = ", ".join(cell.strip() or "(no name)" for cell in header.cells[have:][:5])
    cause = f"; missing: {missing}"
    if row.cells[0].lstrip().startswith("#"):
        cause += ". It looks like a comment, which a CSV cannot hold"
        return DataError(counts + cause, where=f"{path}, line {row.line}", next_step="delete the line")
    others = [d for d in DELIMITERS if d != delimiter and have == 1 and row.cells[0].count(d) == need - 1]
    if others:
        cause = (
            f"; its cells seem to be separated by {DELIMITERS[others[0]]}, "
            f"those of the header by {DELIMITERS[delimiter]}"
        )
    step = f"write every cell, also an empty one, with its {name}; separate all cells by the same character"
    return DataError(counts + cause, where=f"{path}, line {row.line}", next_step=step)


def _multiline_note(path: Path, rows: Sequence[Record]) -> tuple[str, ...]:
    """Return a note about line ends inside cells: they are valid, but two stray quotes can also cause them."""
    broken = [row for row in rows if any("\n" in cell or "\r" in cell for cell in row.cells)]
    if not broken:
        return ()
    return (f"{path.name}: line ends inside quotes in {len(broken)} rows (first: line {broken[0].line})",)


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= _SHOWN else cell[: _SHOWN - 3] + "...")
