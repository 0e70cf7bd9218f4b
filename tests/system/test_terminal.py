"""Text of strangers on a terminal: shown, never obeyed."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.text import Text

from serab_core.cli.output import print_json, print_text
from serab_core.errors import DataError
from serab_core.report.console import SafeConsole
from serab_core.report.progress import Bars
from serab_core.report.tables import print_by_extractor, table
from serab_core.system.terminal import escape_controls, escape_line

HOSTILE = {
    "colour": ("a\x1b[31mb", r"a\x1b[31mb"),
    "window title": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "clipboard": ("\x1b]52;c;ZXZpbA==\x1b\\", r"\x1b]52;c;ZXZpbA==\x1b" + "\\"),
    "C1 control sequence": ("\x9b31m\x85", r"\x9b31m\x85"),
    "carriage return and backspace": ("safe\revil\x08\x08", r"safe\revil\x08\x08".replace(r"\r", r"\x0d")),
    "delete": ("\x7f", r"\x7f"),
    "override": ("gpj.\u202eexe", r"gpj.\u202eexe"),
    "isolate": ("\u2066a\u2069", r"\u2066a\u2069"),
    "mark": ("emodb\u200f", r"emodb\u200f"),
    "separators": ("a\u2028b\u2029", r"a\u2028b\u2029"),
    "zero width": ("emo\u200bdb\ufeff\u2060\xad", r"emo\u200bdb\ufeff\u2060\xad"),
    "joiner between Latin letters": ("emo\u200ddb\u200c", r"emo\u200ddb\u200c"),
    "tags": ("x\U000e0041", r"x\U000e0041"),
    "selector after a Latin letter": ("x\ufe0f", r"x\ufe0f"),
    "lone surrogate": ("a\udcff", r"a\udcff"),
    "blank letters": ("\u3164\u115f", r"\u3164\u115f"),
}
HARMLESS = {
    "Persian": "می\u200cخواهم خشم",
    "Arabic": "غضب",
    "Bengali": "রাগ র\u200d্যাব ক্\u200cষ",
    "Hindi": "क्\u200dष",
    "Hebrew": "כעס",
    "Chinese": "愤怒",
    "Thai": "โกรธ",
    "accents": "e\u0301 é ø ß",
    "emoji": "👩\u200d🔬 ❤\ufe0f",
    "lines": "a\n\tb",
    "signs": "†‡§ — … █▏",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_characters_that_command_or_deceive_are_codes(name):
    text, shown = HOSTILE[name]
    assert escape_controls(text) == shown


@pytest.mark.parametrize("name", HARMLESS)
def test_all_scripts_stay_as_they_are(name):
    assert escape_controls(HARMLESS[name]) == HARMLESS[name]


def test_a_line_stays_one_line():
    assert escape_line("a\nError: b\tc") == r"a\nError: b\tc"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_console_shows_codes_wherever_the_text_stands(name):
    text, shown = HOSTILE[name]
    cells = table("Name", title="t")
    cells.add_row(text)
    for printed in (text, cells):
        file = io.StringIO()
        SafeConsole(file=file, width=200, force_terminal=True, color_system="truecolor").print(
            printed, style="red", highlight=False
        )
        out = file.getvalue()
        assert "\x1b[31m" in out  # the styles of serab itself still work
        plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
        assert "\x1b" not in plain
        assert shown in plain


def test_markup_of_strangers_is_text():
    file = io.StringIO()
    console = SafeConsole(file=file, width=100, force_terminal=True)
    print_by_extractor(console, ("Extractor", "Task"), [("[blink]x[/]", "[link=http://x]y[/nothing]")])
    console.print("[red]z[/red] :smile:", highlight=False)
    assert "[blink]x[/]" in file.getvalue()
    assert "[link=http://x]y[/nothing]" in file.getvalue()
    assert "[red]z[/red] :smile:" in file.getvalue()
    assert "\x1b[5m" not in file.getvalue()


def test_styled_text_and_progress_are_escaped_too():
    file = io.StringIO()
    console = SafeConsole(file=file, width=100, force_terminal=True)
    console.print(Text.assemble(("a\x1b]52;c;x\x1b\\b", "bold")))
    with Bars(console).task("member [red] \x1b]0;owned \u202e", 1) as advance:
        advance(1)
    out = file.getvalue()
    assert r"a\x1b]52;c;x" in out
    assert r"member [red] \x1b]0;owned \u202e: 1 after" in out
    assert "\x1b]" not in out


def test_a_name_with_a_line_feed_cannot_pretend_to_be_a_row():
    file = io.StringIO()
    rows = table("Name", "Acc. %")
    rows.add_row("x\nbest   99.9", "50.0")
    SafeConsole(file=file, width=100).print(rows)
    assert r"x\nbest   99.9" in file.getvalue()


def test_documents_on_stdout(capsys):
    value = {"name": "\x1b]0;x\x07 \x9b \x7f \u202e \u2028 \udcff \U000e0041 خشم"}
    print_json(value)
    out = capsys.readouterr().out
    assert json.loads(out) == value
    assert "خشم" in out
    assert not set("\x1b\x07\x9b\x7f\u202e\u2028\U000e0041") & set(out)
    print_text("# \x1b]0;x\x07\n")
    assert capsys.readouterr().out == "# \\x1b]0;x\\x07\n"


def test_an_error_is_one_line(capsys):
    from serab_core.cli.output import print_error

    print_error(DataError("is \x1b[2Jdamaged", where="a\nSuccess: \x1b]0;x\x07.wav"), as_json=False)
    err = capsys.readouterr().err
    assert r"a\nSuccess: \x1b]0;x\x07.wav: is \x1b[2Jdamaged" in err
    assert "\x1b" not in err
