"""Results from strangers: what is wrong is refused by name, and what is stored cannot break a command."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from serab_core.store.results import read_result, result_document

KEY = "ab" * 32


@pytest.fixture
def document(make_result):
    return json.loads(json.dumps(result_document(replace(make_result("x/one", "emodb", 0.8), key=KEY))))


@pytest.fixture
def import_text(serab, tmp_path):
    """`import_text(text)` imports a file with this content; returns the exit code and the error as one line."""

    def run(text: str) -> tuple[int, str]:
        file = tmp_path / "x.json"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        code, _, err = serab("results", "import", str(file))
        return code, " ".join(err.split())

    return run


def exchange(document) -> str:
    return json.dumps({"schema": "serab.results/1", "results": [document]})


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.mark.parametrize(
    ("field", "raw", "reason"),
    [
        (
            "provenance",
            '{"x": "\\ud800"}',
            "has text with a lone surrogate (half of a character) at $.results[0].provenance.x",
        ),
        (
            "provenance",
            '{"\\udcff": 1}',
            "has text with a lone surrogate (half of a character) at $.results[0].provenance",
        ),
        ("provenance", '{"x": NaN}', "is not JSON"),
        ("provenance", '{"x": -Infinity}', "is not JSON"),
        ("provenance", '{"x": 1e999}', "Number out of range"),
        ("provenance", nested(900), "has too many levels of nesting at $.provenance.a.a"),
        ("provenance", nested(100_000), "levels of nesting"),
        ("provenance", '{"x": [' + "9" * 5000 + "]}", "Integer value out of range"),
        ("provenance", '{"x": ' + "9" * 30 + "}", "has an integer of more than 64 bits at $.provenance.x"),
        ("provenance", '{"dataset": []}', "is not valid at $.provenance.dataset: Expected `object`, got `array`"),
        ("provenance", '{"protocol": {"classifiers": 3}}', "at $.provenance.protocol.classifiers"),
        ("provenance", '{"fingerprint": {"dim": 0}}', "at $.provenance.fingerprint.dim"),
        ("extractor", json.dumps("x" * 5000), "has at $.extractor a name of 5,000 characters"),
        ("extractor", '"."', "has at $.extractor '.', which is not a valid name of an extractor"),
        ("extractor", '".."', "has at $.extractor '..', which is not a valid name of an extractor"),
        ("extractor", '""', "its extractor has no name"),
        ("extractor", '"  "', "its extractor has no name"),
        ("extractor", '"x\\u001b]0;owned\\u0007"', r"with control or invisible characters: 'x\\x1b]0;owned\\x07'"),
        ("extractor", '"x\\u202ey"', "with control or invisible characters"),
        ("extractor", '"x\\ny"', "with control or invisible characters"),
        ("extractor", '"x\\u0000y"', "with control or invisible characters"),
        ("task", '"a/../../b"', "has an invalid task name"),
        ("task", json.dumps("x" * 5000), "has at $.task a name of 5,000 characters"),
        ("language", '"\\u001b[2J"', "has at $.language a name with control"),
        ("speakers", '{"emodb0000": ["a"]}', "is not valid at $.speakers[...]: Expected `str`, got `array`"),
        (
            "speakers",
            '{"emodb0000": "\\ud800"}',
            "has text with a lone surrogate (half of a character) at $.results[0].speakers.emodb0000",
        ),
        ("counts", '{"test": -1}', "is not valid at $.counts"),
        ("counts", '{"test": 1e30}', "is not valid at $.counts"),
        ("counts", "{}", "is incomplete"),
        ("scores", '{"accuracy": "x"}', "is not valid at $.scores[...]"),
        ("scores", '{"accuracy": 1.5, "uar": 0.5}', "its score is not that of its chosen classifier"),
        ("target", '"valence"', "labels as predictions"),
        ("target", "3", "is not valid at $.target"),
        ("cautions", '"abc"', "is not valid at $.cautions"),
        ("synthetic", "1", "is not valid at $.synthetic: Expected `bool`, got `int`"),
        ("outcomes", "[]", "is incomplete"),
    ],
)
def test_impossible_values_are_refused_by_name(document, import_text, home, field, raw, reason):
    document[field] = "PLACE"
    code, err = import_text(exchange(document).replace('"PLACE"', raw))
    assert reason in err
    assert code in (5, 6)
    assert not list(home.root.rglob("*.json"))


@pytest.mark.parametrize("text", ["", "[]", "3", '"x"', "null", nested(900), "[" * 200_000, '{"schema": ["x"]}'])
def test_other_json_is_refused(import_text, text):
    code, err = import_text(text)
    assert code == 6
    assert "x.json" in err


def test_outcomes_twice_are_refused(document, import_text):
    document["outcomes"] *= 2
    assert import_text(exchange(document))[0] == 5


def test_a_byte_order_mark_and_names_that_are_not_utf_8_are_read(document, import_text, serab, tmp_path):
    """A corpus whose file names are Latin-1 gives such identifiers; results on it go from home to home."""
    outcome = document["outcomes"][0]["test"]
    first = outcome["ids"][0]
    outcome["ids"][0] = "caf\udce9"
    document["speakers"]["caf\udce9"] = document["speakers"].pop(first)
    code, err = import_text("\ufeff" + exchange(document))
    assert (code, err) == (0, "")
    again = tmp_path / "again.json"
    assert serab("results", "export", str(again))[0] == 0
    assert serab("results", "import", str(again))[0] == 0
    assert serab("report", "-o", str(tmp_path / "r.html"))[0] == 0
    assert serab("fairness", "x/one")[0] == 0


COMMANDS = (
    ("report", "-o", "{folder}/report.html"),
    ("leaderboard",),
    ("leaderboard", "--csv", "{folder}/x.csv", "--latex", "{folder}/x.tex", "--details"),
    ("fairness", "x/one"),
    ("compare", "x/one", "good"),
    ("bias",),
    ("optimism",),
    ("results", "card", "good"),
    ("results", "ls"),
    ("cache", "ls"),
)


@pytest.mark.parametrize(
    ("field", "value"), [("speakers", {"emodb0000": ["a"]}), ("provenance", {"dataset": 3}), ("extractor", ["x"])]
)
def test_what_an_earlier_version_took_in_breaks_no_command(
    document, make_result, store_result, serab, tmp_path, field, value
):
    for extractor, task in (("good", "emodb"), ("good", "savee"), ("other", "emodb"), ("other", "savee")):
        store_result(make_result(extractor, task, 0.9))
    path = store_result(make_result("x/one", "emodb", 0.8))
    path.write_text(json.dumps(document | {field: value}))
    for command in COMMANDS:
        code, _, err = serab(*(part.format(folder=tmp_path) for part in command))
        assert "Traceback" not in err
        assert "internal" not in err
        assert code == (2 if "x/one" in command else 0), (command, err)


def test_text_of_results_is_shown_and_not_obeyed(make_result, store_result, serab, tmp_path):
    """Also of results that an earlier version took in without a check of their names."""
    hostile = "\x1b]0;owned\x07 [red]x[/nothing] \u202e<b>"
    for extractor, task in (("good", "savee"), ("other", "emodb"), ("other", "savee")):
        store_result(make_result(extractor, task, 0.9))
    result = make_result("good", "emodb", 0.9)
    outcome = replace(result.outcomes[0], title=hostile)
    store_result(replace(result, language=hostile, cautions=(hostile,), outcomes=(outcome,), splits=hostile,
                         imported=hostile, faulty=True))  # fmt: skip
    store_result(replace(result, extractor=f"x{hostile}", key="1" * 64, imported=hostile))
    for command in (*COMMANDS[:2], COMMANDS[5], *COMMANDS[6:9], ("fairness", "good"), ("results", "ls", "--json")):
        code, out, err = serab(*(part.format(folder=tmp_path) for part in command))
        assert code == 0, (command, err)
        assert not set("\x1b\x07\u202e") & set(out + err), command


def test_older_results_are_read(document, tmp_path):
    """Fields that earlier versions did not write have their defaults."""
    for name in ("sexes", "imported", "splits", "faulty", "profile"):
        document.pop(name, None)
    for point in document["outcomes"][0]["points"]:
        del point["pruned"], point["reason"]
    del document["outcomes"][0]["scores"]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(document))
    result = read_result(path)
    assert result.outcome("lda").points[0].pruned is False
    assert result.splits == ""
