"""CSV as RFC 4180 defines it: every cell comes back, line numbers are true, and a refusal names its cause."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from serab_core.data.csv_table import read_csv
from serab_core.errors import DataError

HEADER = ["path", "label", "speaker"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
LINE_SEPARATORS = "\u0085\u2028\u2029\v\f\x1c\x1d\x1e"
NASTY = st.text(st.sampled_from(list(f"a\"',;\t|\r\n {LINE_SEPARATORS}\ufeffé")), max_size=8)


@pytest.fixture
def read(tmp_path):
    def call(content: str | bytes):
        path = tmp_path / "m.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_csv(path, HEADER)

    return call


@given(
    st.lists(
        st.lists(TEXT | NASTY, min_size=3, max_size=3).filter(lambda row: any(c.strip() for c in row)), max_size=5
    ),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
@example([["a\r\nb", "x\u2028y", "\x1cs"]], ",", csv.QUOTE_MINIMAL, True)
@example([["", "0\r", "\n"], ["", "", "0"]], ",", csv.QUOTE_MINIMAL, False)
def test_every_cell_comes_back(tmp_path_factory, rows, delimiter, quoting, bom):
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, quoting=quoting).writerows([HEADER, *rows])
    path = tmp_path_factory.mktemp("m") / "m.csv"
    path.write_bytes(buffer.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    table = read_csv(path, HEADER)
    assert [list(record.cells) for record in table.records] == rows
    assert (list(table.header), table.delimiter) == (HEADER, delimiter)
    line = 2
    for record in table.records:
        assert record.line == line
        line += 1 + sum(c.count("\n") + c.count("\r") - c.count("\r\n") for c in record.cells)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"path,label,speaker\n" + tail))
@example(b"\xff\xfe\0")
@example(b'"')
@example(b"sep=;\n")
@example("path,label,speaker\n".encode("utf-16-le"))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("m") / "m.csv"
    path.write_bytes(content)
    limit = csv.field_size_limit()
    try:
        table = read_csv(path, HEADER)
    except DataError as error:
        assert str(path.parent) in str(error)
        assert error.next_step
    else:
        assert {len(record.cells) for record in table.records} <= {len(table.header)}
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("separator", LINE_SEPARATORS)
def test_line_separators_of_unicode_part_no_lines(read, separator):
    (record,) = read(f"path,label,speaker\na{separator}b,x,s\n").records
    assert record.cells == (f"a{separator}b", "x", "s")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends(read, end):
    table = read(end.join(["path,label,speaker", "a,x,s", "", "b,y,t", ",,", ""]))
    assert [record.cells for record in table.records] == [("a", "x", "s"), ("b", "y", "t")]


def test_line_numbers_are_those_of_the_file(read):
    table = read('path,label,speaker\n"a\nb\r\nc",x,s\n\nd,x,s\n')
    assert [record.line for record in table.records] == [2, 6]
    assert table.notes == ("m.csv: line ends inside quotes in 1 rows (first: line 2)",)


def test_huge_cells(read):
    limit = csv.field_size_limit()
    (record,) = read(f"path,label,speaker\na,x,{'s' * 1_000_000}\n").records
    assert len(record.cells[2]) == 1_000_000
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            "path,label,speaker\na,oh no, not again,x,s\n",
            r"line 2: has 5 cells, .* has 3; surplus: 'x', 's'. Prob.* comma",
        ),
        ("path,label,speaker\na,x,s,\n", "line 2: has 4 cells, .* the line ends in a comma"),
        ("path,label,speaker\n\na,x\n", "line 3: has 2 cells, but the header has 3; missing: speaker"),
        ("path,label,speaker\na;x;s\n", "line 2: has 1 cell, .*separated by semicolons, those of the header by commas"),
        ("path,label,speaker,label\na,x,s,y\n", "line 1: has two columns with the same name: 'label'"),
        ("path,label,speaker, Label\na,x,s,y\n", "line 1: has two columns with the same name: 'label' and ' Label'"),
        ('path,label,speaker\na,x,s\na,"x,s\nb,y,t\n', "line 3: opens a quote that is never closed"),
        ('path,label,speaker\n"a" b,x,s\n', r"line 2: has text after a closing quote \(in line 2\)"),
        ('path,label,speaker\n"a,x,s\nb,y,t\n"c",z,u\n', r"line 2: has text after a closing quote \(in line 4\)"),
        ("", "is empty"),
        ("\ufeff \n\n", "is empty"),
        ('""\n""\n', "only blank lines"),
        (b"path,label,speaker\na\0,x,s\n", "has a NUL character in line 2"),
        (b"path,label,speaker\na,x,s\r\nb,col\xe8re,s\n", "byte 0xe8 in line 3 is not UTF-8; .*Latin-1"),
        (b"path,label,speaker\na,\x93x\x94,s\n", "byte 0x93 in line 2 is not UTF-8; .*Windows-1252"),
        ("path\tlabel\tspeaker\n".encode("utf-16"), "in UTF-16, .*Unicode text"),
        ("path,label,speaker\na,x,s\n".encode("utf-16-le"), "in UTF-16LE"),
        ("path,label,speaker\na,x,s\n".encode("utf-16-be"), "in UTF-16BE"),
        ("path,label,speaker\n".encode("utf-32"), "in UTF-32"),
        (b"PK\x03\x04\x14\0", r"Excel workbooks \(.xlsx\)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", r"Excel workbook \(.xls\)"),
        (b"\x1f\x8b\x08\0", "compressed by gzip"),
        (b"PAR1\0\0", "Parquet"),
        ('{"path": "a.wav"}', "is JSON"),
        ('[{"path": "a.wav"}]', "is JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git-lfs pointer"),
    ],
)
def test_what_is_refused(read, content, says):
    with pytest.raises(DataError, match=says) as caught:
        read(content)
    assert caught.value.next_step


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read .no such file"):
        read_csv(tmp_path / "none.csv", HEADER)
    with pytest.raises(DataError, match="it is a folder"):
        read_csv(tmp_path, HEADER)


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("path;label;speaker\na,1;x;s\n", ";"),
        ("path\tlabel\tspeaker\na,1\tx\ts\n", "\t"),
        ("path|label|speaker\na,1|x|s\n", "|"),
        ("sep=;\r\npath;label;speaker\r\na,1;x;s\r\n", ";"),
        ('path,label,speaker\n"a,1",x,s\n', ","),
        ('"path","label; or emotion","speaker"\n"a,1",x,s\n', ","),
    ],
)
def test_delimiters(read, content, delimiter):
    table = read(content)
    assert table.delimiter == delimiter
    assert table.records[0].cells == ("a,1", "x", "s")
    assert ("separated by" in "".join(table.notes)) == (delimiter != ",")


def test_header_names(read):
    table = read("\ufeff\ufeffPath , LABEL,sp\u200beaker,,\na,x,s,0,\n")
    assert [table.column(name) for name in (*HEADER, "split", "")] == [0, 1, 2, None, None]
    assert table.named_columns.endswith("LABEL, sp\u200beaker")
