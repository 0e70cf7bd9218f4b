"""Results handed on: the same after a round trip, marked, and refused where a number is not that of its predictions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serab_core.errors import DataError, StoreError
from serab_core.results.exchange import read_exchange
from serab_core.store.results import result_document

KEY = "ab" * 32


@pytest.fixture
def exported(make_result, store_result, serab, tmp_path):
    """A file with two results, and a home without them."""
    for place, task in enumerate(("emodb", "savee")):
        store_result(replace(make_result("x/one", task, 0.8, seed=place), key=f"{place}" * 64))
    file = tmp_path / "x.json"
    assert serab("results", "export", str(file))[0] == 0
    return file


def test_a_round_trip(exported, serab, tmp_path, monkeypatch):
    before = json.loads(serab("leaderboard", "--json")[1])
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "other"))
    code, out, _ = serab("results", "import", str(exported), "--from", "a friend")
    assert code == 0
    assert "Imported 2 results" in out
    assert "0 results" in serab("results", "import", str(exported))[1]
    after = json.loads(serab("leaderboard", "--json")[1])
    assert [row["scores"]["emodb"]["accuracy"] for row in after["rows"]] == [
        row["scores"]["emodb"]["accuracy"] for row in before["rows"]
    ]
    assert "x/one on emodb, savee are imported: a friend." in after["notices"]
    listed = json.loads(serab("results", "ls", "--json")[1])["results"]
    assert {row["imported"] for row in listed} == {"a friend"}
    assert "a friend" in serab("results", "ls")[1]
    again = tmp_path / "again.json"
    serab("results", "export", str(again), "x/one")
    assert len(read_exchange(again)) == 2


def test_the_same_bytes_and_merging(exported, serab, tmp_path):
    other = tmp_path / "y.json"
    serab("results", "export", str(other))
    assert other.read_bytes() == exported.read_bytes()
    code, out, _ = serab("results", "merge", str(tmp_path / "all.json"), str(exported), str(other))
    assert code == 0
    assert "Wrote 2 results" in out
    assert (tmp_path / "all.json").read_bytes() == exported.read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda r: r["scores"].update(accuracy=0.99), "not that of its chosen classifier"),
        (lambda r: r["outcomes"][0]["scores"].update(accuracy=0.99), "accuracy of lda is not that of its predictions"),
        (lambda r: r["outcomes"][0]["scores"].update(uar=0.1), "UAR of lda is not that of its predictions"),
        (lambda r: r["outcomes"][0]["scores"].update(kappa=0.1), "kappa of lda is not that of its predictions"),
        (lambda r: r["scores"].update(ccc=0.99), "not that of its chosen classifier"),
        (lambda r: r["outcomes"][0]["scores"].update(ece=0.0), "has a score 'ece' that its predictions do not give"),
        (lambda r: r.update(target="valence"), "has at $.outcomes[0].test labels as predictions"),
        (lambda r: r.update(task="../../x"), "has an invalid task name"),
        (lambda r: r.update(protocol="a/b/c"), "has an invalid task name"),
        (lambda r: r.update(key="../" * 20), "not a SHA-256"),
        (lambda r: r.update(extractor=7), "is not valid at $.extractor: Expected `str`, got `int`"),
        (lambda r: r.update(speakers={}), "an utterance has no speaker"),
        (lambda r: r.update(counts=[]), "is not valid at $.counts: Expected `object`, got `array`"),
        (lambda r: r["outcomes"][0]["test"]["ids"].pop(), "not one for each utterance"),
        (lambda r: r.pop("cautions"), "is incomplete at $: it lacks the field 'cautions'"),
        (lambda r: r.update(more=1), "contains unknown field `more`"),
        (lambda r: r.update(chosen="svc"), "is incomplete"),
        (lambda r: r.update(schema="serab.result/1"), "is expected"),
    ],
)
def test_what_cannot_be_is_refused_whole(exported, serab, tmp_path, monkeypatch, change, said):
    document = json.loads(exported.read_text())
    change(document["results"][1])
    exported.write_text(json.dumps(document))
    monkeypatch.setenv("SERAB_HOME", str(tmp_path / "other"))
    code, _, err = serab("results", "import", str(exported))
    assert code == 5
    assert said in " ".join(err.split())
    assert "result 2" in err
    assert not list((tmp_path / "other").rglob("*.json"))


def test_files_that_are_none(serab, tmp_path):
    file = tmp_path / "x.json"
    for text in ("", "[]", '{"schema": "other"}'):
        file.write_text(text)
        assert serab("results", "import", str(file))[0] == 6
    file.write_text('{"schema": "serab.results/1", "results": 3}')
    assert serab("results", "import", str(file))[0] == 6
    assert serab("results", "export", str(file))[0] == 2
    assert "no result yet" in serab("results", "ls")[2]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_value_anywhere_is_read_or_refused(make_result, tmp_path, data):
    document = json.loads(json.dumps(result_document(replace(make_result("x", "emodb", 0.8), key=KEY))))
    places = [document, document["outcomes"][0], document["outcomes"][0]["test"]]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(values)
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"schema": "serab.results/1", "results": [document]}))
    try:
        (result,) = read_exchange(file)
    except (DataError, StoreError):
        return
    assert result.key == KEY


def test_a_card(exported, serab, tmp_path):
    yaml = pytest.importorskip("yaml")
    code, out, _ = serab("results", "card", "x/one")
    assert code == 0
    assert "# x/one on SERAB" in out
    assert "over 2 of 9 tasks" in out
    front = yaml.safe_load(out.split("---")[1])
    metrics = front["model-index"][0]["results"][0]["metrics"]
    assert {metric["type"] for metric in metrics} == {"accuracy", "recall"}
    assert "--protocol serab\n" in out
    assert serab("results", "card", "x/one", "-o", str(tmp_path / "card.md"))[0] == 0
    assert (tmp_path / "card.md").read_text() == out
    assert serab("results", "card", "nobody")[0] == 2


def test_a_card_claims_nothing_of_synthetic_corpora(make_result, store_result, serab):
    yaml = pytest.importorskip("yaml")
    store_result(make_result("x", "demo", 0.9, synthetic=True))
    out = serab("results", "card", "x")[1]
    assert yaml.safe_load(out.split("---")[1]) == {"tags": ["speech-emotion-recognition", "serab"]}
    assert r"| demo\* |" in out
