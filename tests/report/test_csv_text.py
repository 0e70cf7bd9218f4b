"""CSV and LaTeX of names from strangers."""

from __future__ import annotations

import csv
import io

import pytest

from serab_core.report.board_text import as_latex
from serab_core.report.csv_text import as_csv


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        " =1",
        "\n=1",
        "＝1",
        "-",
        "=",
        "-x",
        "+-1",
        "@x",
        "-1,5",
    ],
)
def test_a_cell_that_looks_like_a_formula_begins_with_an_apostrophe(name):
    (row,) = csv.reader(io.StringIO(as_csv([["a", name]])))
    assert row == ["a", f"'{name}"]


@pytest.mark.parametrize(
    "cell", ["-0.5", "+3", "-1e-05", "12", "-.5", "99.9", "-3 %".replace(" ", ""), "", "x=1", "a@b", "1/9"]
)
def test_numbers_and_other_text_stay(cell):
    (row,) = csv.reader(io.StringIO(as_csv([["a", cell]])))
    assert row == ["a", cell]


def test_control_characters_are_codes_in_files_too():
    text = as_csv([["\x1b]0;x\x07\r=1", "\u202ex", "\udcff"]])
    assert text == "\\x1b]0;x\\x07\\x0d=1,\\u202ex,\\udcff\n"
    latex = as_latex(
        [["group", "extractor", "UM"], ["1", "x\x1b[2J\u2028", "50.0"], ["2", "²", "40.0"]], ["a\x1b\u202e"]
    )
    assert not set("\x1b\u2028\u202e") & set(latex)
    assert r"\textbf{50.0}" in latex
