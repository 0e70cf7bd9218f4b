"""Progress and tables as people see them, at 80 and 140 columns."""

from __future__ import annotations

import io
import json

import jsonschema
import pytest
from rich.console import Console

from serab_core.data.protocols import PROTOCOLS
from serab_core.engine.executors import LocalEngine
from serab_core.report.corpus import chance_on_test
from serab_core.report.documents import eval_document
from serab_core.report.progress import Bars, Lines, Silent, progress_on, spoken
from serab_core.report.run_tables import print_run
from serab_core.report.tables import params_text, percent
from serab_core.run.evaluate import evaluate
from serab_core.run.plan import make_plan, prepare_generated
from tests.documents import check_document


def console(width=80, terminal=False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None, legacy_windows=False)


def text_of(console: Console) -> str:
    return console.file.getvalue()


@pytest.fixture
def run(prepared_tones, home, quiet):
    extractors = ["toy", "toy/wide", "toy-bad"]
    prepare_generated(home, extractors, ["hums"], quiet)
    plan = make_plan(
        home,
        extractors,
        ["tones", "hums"],
        PROTOCOLS["serab-released"],
        ["centroid", "never"],
    )
    return evaluate(plan, quiet, LocalEngine(1))


@pytest.mark.parametrize("width", [80, 140])
def test_a_run_fits_the_terminal_and_says_all(run, width):
    screen = console(width)
    print_run(screen, run, details=True)
    text = text_of(screen)
    assert max(len(line) for line in text.splitlines()) <= width
    flat = " ".join(text.split())
    for words in (
        "toy/wide",
        "tones*†",
        "hums*†‡",
        "* optimistic: the classifier was chosen on the test set",
        "† cut by takes, not speakers",
        "synthetic corpus: says nothing",
        "Protocol serab-released",
        "could not be",  # fitted: a narrow column wraps it
        "2/2",
        "toy-bad/boom on tones failed: toy-bad/boom: embed",
        "raised RuntimeError: boom in two lines. Next: report it",
        "Not prepared: aesdd, cafe",
        "shrink=",
    ):
        assert words in flat, words
    assert "UM " not in flat  # none of the nine is there


def test_the_document_follows_its_schema(run, home, tmp_path):
    document = eval_document(run, {r.key: tmp_path / r.key for r in run.results})
    check_document(json.loads(json.dumps(document)))
    assert {r["extractor"] for r in document["results"]} == {"toy", "toy/wide"}
    assert document["aggregates"][0]["accuracy"] is None
    assert document["failures"][0]["error"]["error"] == "ExtractorError"
    broken = document | {"results": [{"extractor": "toy"}]}
    with pytest.raises(jsonschema.ValidationError):
        check_document(json.loads(json.dumps(broken)))


def test_stored_results_follow_their_schema(run, home):
    paths = list(home.results.rglob("*.json"))
    assert len(paths) == 4
    for path in paths:
        check_document(json.loads(path.read_text()))


def test_small_texts():
    assert percent(0.8333) == "83.3"
    assert percent(None) == "-"
    assert params_text({"C": 1e-05, "class_weight": None, "kernel": "rbf", "depth": 5}) == "C=1e-5, rbf, depth=5"
    assert params_text({"C": 100000.0, "x": 0.25, "y": 100.0}) == "C=1e5, x=0.25, y=100"
    assert params_text({"solver": "lsqr"}) == ""
    assert params_text(None) == "could not be fitted"
    assert [spoken(s) for s in (2.34, 75, 3700)] == ["2.3 s", "1 min 15 s", "1 h 01 min"]


def test_lines_on_a_pipe(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("serab_core.report.progress.time.monotonic", lambda: now[0])
    screen = console()
    with Lines(screen).task("Working", 10) as advance:
        for _ in range(10):
            now[0] += 2.0
            advance(1)
    assert text_of(screen).splitlines() == [
        "Working: 10 to do",
        "Working: 3 of 10, about 14.0 s left",
        "Working: 6 of 10, about 8.0 s left",
        "Working: 9 of 10, about 2.0 s left",
        "Working: 10 done after 20.0 s",
    ]


def test_bars_in_a_terminal():
    screen = console(100, terminal=True)
    bars = progress_on(screen)
    assert isinstance(bars, Bars)
    with bars.task("One", 3) as one, bars.task("Two", 5) as two:
        one(3)
        two(2)
        bars.note("a note [not markup]")
    text = text_of(screen)
    assert "One" in text
    assert "0/5" in text
    assert "a note [not markup]" in text
    assert "One: 3 after" in text


@pytest.mark.parametrize("make", [lambda: Bars(console(80, terminal=True)), lambda: Lines(console()), Silent])
def test_empty_stages_show_nothing(make):
    shown = make()
    with shown.task("Nothing", 0) as advance:
        advance(0)
    shown.note("x")


def test_which_progress_suits():
    assert isinstance(progress_on(console()), Lines)
    assert isinstance(progress_on(console(), quiet=True), Silent)


def test_the_chance_level_of_a_corpus(prepared_tones, serab):
    code, out, err = serab("data", "show", "tones", "--json")
    assert code == 0, err
    level = json.loads(out)["chance"]
    labels = json.loads(out)["labels"]
    assert level["majority"] in labels
    assert level["uar"] == 1 / len(labels)
    assert 0 < level["accuracy"] < 1
    text = " ".join(serab("data", "show", "tones")[1].split())
    assert f"Guessing {level['majority']}, the most frequent class of training" in text
    assert f"Chance: 33.3 % UAR ({level['classes']} classes)" in text


def test_chance_is_of_the_test_split():
    expected = {"classes": 3, "uar": 1 / 3, "test_majority": "b", "test_share": 0.5}
    assert chance_on_test(["a", "b", "b", "c", "b", "a"]) == expected
    assert chance_on_test(["b", "a"])["test_majority"] == "a"
