"""Names and labels of strangers in corpora, archives and plugins: shown as codes by every command."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
import soundfile

from serab_core.system.terminal import escape_line

TITLE = "\x1b]0;owned\x07"
CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
OVERRIDE = "\u202e"
BAD = {"\x1b", "\x07", "\x9b", "\u202e"}


def clean(*texts: str) -> bool:
    return not BAD & set("".join(texts))


@pytest.fixture
def folder(tmp_path):
    """A corpus whose labels, speakers and file names command a terminal."""
    path = tmp_path / "corpus"
    path.mkdir()
    rng = np.random.default_rng(0)
    rows = ["path,label,speaker"]
    for number in range(36):
        label = ("x[red]", f"y{OVERRIDE}", "خشم")[number % 3]
        name = f"{number}{TITLE[1:-1]}[/bold].wav".replace("/", "_")
        soundfile.write(path / name, 0.1 * rng.standard_normal(1600), 16000)
        rows.append(f"{name},{label},s{number // 3}{OVERRIDE}")
    (path / "manifest.csv").write_text("\n".join(rows))
    return path


def test_labels_and_speakers_of_a_corpus(serab, folder, home):
    code, out, err = serab("data", "add", "mine", str(folder / "manifest.csv"))
    assert clean(out, err)
    assert code == 0, err
    assert "خشم" in out
    for command in (("data", "show", "mine"), ("data", "verify", "mine"), ("data", "list"), ("cache", "ls"),
                    ("data", "show", "mine", "--json"), ("data", "remove", "mine", "--yes")):  # fmt: skip
        code, out, err = serab(*command)
        assert clean(out, err), command
        if command[:2] == ("data", "show"):
            assert "خشم" in out
            assert "x[red]" in out


@pytest.mark.parametrize("label", [TITLE, CLIPBOARD, "a\x9b31m", "a\x08b"])
def test_labels_with_control_characters(serab, folder, label):
    text = (folder / "manifest.csv").read_text().replace("x[red]", label)
    (folder / "manifest.csv").write_text(text)
    code, out, err = serab("data", "add", "mine", str(folder / "manifest.csv"))
    assert clean(out, err)
    assert code == 0, err
    assert escape_line(label) in serab("data", "show", "mine")[1]
    assert clean(*serab("data", "show", "mine")[1:])


def test_names_in_archives(serab, toys, tmp_path):
    audio = io.BytesIO()
    soundfile.write(audio, np.zeros(1600), 16000, format="WAV")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"wav/{TITLE}{number}\nError: {CLIPBOARD}{OVERRIDE}.wav", audio.getvalue())
            archive.writestr(f"wav/{TITLE}{number}.zip", b"PK\3\4 no zip")
    for options in ((), ("--json",), ("--allow-partial",)):
        code, out, err = serab("data", "prepare", "tones", str(tmp_path / "a.zip"), *options)
        assert code == 5
        assert clean(out, err)
    code, out, err = serab("data", "prepare", "tones", str(tmp_path / f"{TITLE}.zip"))
    assert code == 5
    assert clean(out, err)
    assert r"\x1b]0;owned\x07" in err.replace("\n", "")


def test_the_summary_of_a_plugin(serab, add_plugin):
    code = f"""
from serab_core import ExtractorSpec, hookimpl

@hookimpl
def serab_register_extractors(register):
    register(
        ExtractorSpec(
            name="odd", factory=lambda: None, dim=2,
            summary={f"{TITLE}{OVERRIDE}[/nothing]"!r}, licence={CLIPBOARD!r},
        )
    )
"""
    add_plugin("serab-odd", "serab.extractors", "odd", code)
    assert r"\x1b]0;owned\x07" in serab("list", "extractors")[1].replace("\n", "")
    for command in (("list", "extractors"), ("list", "extractors", "--json"), ("plugins",), ("eval", "odd")):
        _, out, err = serab(*command)
        assert clean(out, err), command


def test_words_of_the_command_line(serab, tmp_path):
    for command in (("eval", TITLE), ("data", "show", TITLE), ("compare", TITLE, OVERRIDE), ("results", "card", TITLE),
                    ("results", "import", str(tmp_path / TITLE)), ("fairness", TITLE)):  # fmt: skip
        _, out, err = serab(*command)
        assert clean(out, err), command
